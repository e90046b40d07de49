//! The typed facet of numbers. What happens within a node is a signal of the node; what a call to Redis takes, as the
//! node sees it, is a signal of the link; what Redis shows of itself is a signal of Redis.

use std::time::Duration;

use operator_prometheus::Histogram;
use operator_protocols::{Id, Locus, Observation, Signal, SignalKind, SignalRole, Timestamp, Worse};

use super::components::redis_of;
use super::memory::Memory;
use super::node_reading::NodeReading;
use super::redis_reading::RedisReading;
use super::scrape::Scrape;
use crate::config::Config;
use crate::details::Details;
use crate::names::{self, REDIS_ID, signal};

/// Two scrapes closer than this make no rate.
const SHORTEST: Duration = Duration::from_millis(200);

/// Writes signals about one thing.
struct Writer<'a> {
    observation: &'a mut Observation,
    on: Locus,
}

impl Writer<'_> {
    fn gauge(&mut self, name: &str, role: SignalRole, value: Option<f64>, unit: &str, worse: Worse) {
        let Some(value) = value else { return };
        self.observation.signals.push(Signal {
            on: self.on.clone(),
            name: name.to_owned(),
            role,
            value,
            unit: unit.to_owned(),
            observed_at: self.observation.at,
            kind: SignalKind::Gauge,
            worse,
        });
    }

    fn counter(&mut self, name: &str, role: SignalRole, value: Option<f64>, since: Timestamp) {
        self.gauge(name, role, value, "1", Worse::Neither);
        if let Some(signal) = self.observation.signals.last_mut().filter(|_| value.is_some()) {
            signal.kind = SignalKind::Counter { since };
        }
    }
}

/// Writes all signals.
pub(super) fn write(
    config: &Config,
    memory: &Memory,
    details: &Details,
    nodes: &[NodeReading],
    redis: &RedisReading,
    observation: &mut Observation,
) {
    let id = |local: &str| Id::new(&config.name, local);
    let mut seen_by_nodes = Vec::new();
    for node in nodes.iter().filter(|node| node.can_be_asked()) {
        let name = &node.target.id;
        let mut of_node = Writer { observation, on: Locus::Component(id(name)) };
        of_node.gauge(signal::ANSWERS, SignalRole::Availability, Some(flag(node.livez.is_ok())), "1", Worse::Lower);
        let livez = node.livez.as_ref().ok().map(Duration::as_secs_f64);
        of_node.gauge(signal::LIVEZ, SignalRole::Latency, livez, "s", Worse::Higher);
        let (Some(health), Some(scrape)) = (node.health(), node.scrape()) else { continue };
        let since = memory.since.get(name).map_or(of_node.observation.at, |(_, since)| *since);
        of_node.gauge(signal::LOOP_LAG, SignalRole::Latency, scrape.loop_lag, "s", Worse::Higher);
        of_node.counter(signal::REQUESTS_TOTAL, SignalRole::Traffic, scrape.checked, since);
        let before = memory.scrapes.get(name).filter(|(boot, _)| *boot == health.boot_id).map(|(_, scrape)| scrape);
        let Some(interval) = before.and_then(|before| Interval::between(before, scrape)) else { continue };
        interval.write_node(&mut of_node);
        let Some(detail) = details.nodes.get(name) else { continue };
        let to = redis_of(details, memory, detail);
        let mean = interval.write_edge(&mut Writer { observation, on: Locus::Edge(id(name), id(&to)) });
        if to == REDIS_ID {
            seen_by_nodes.extend(mean);
        }
    }
    let mut of_redis = Writer { observation, on: Locus::Component(names::redis(&config.name)) };
    write_redis(memory, redis, &mut of_redis);
    // What more than half of the nodes see at least: one slow link alone does not make Redis slow.
    seen_by_nodes.sort_by(f64::total_cmp);
    let most = seen_by_nodes.get(seen_by_nodes.len().saturating_sub(1) / 2).copied();
    of_redis.gauge(signal::SERVED_DURATION, SignalRole::Latency, most, "s", Worse::Higher);
    write_coverage(config, details, observation);
}

/// What came between two scrapes of one boot.
struct Interval<'a> {
    before: &'a Scrape,
    now: &'a Scrape,
    seconds: f64,
}

impl<'a> Interval<'a> {
    fn between(before: &'a Scrape, now: &'a Scrape) -> Option<Self> {
        let elapsed = now.taken.checked_duration_since(before.taken).filter(|elapsed| *elapsed >= SHORTEST)?;
        Some(Self { before, now, seconds: elapsed.as_secs_f64() })
    }

    /// How much of it a second; none if the count fell.
    fn rate(&self, of: impl Fn(&Scrape) -> Option<f64>) -> Option<f64> {
        let came = of(self.now)? - of(self.before)?;
        (came >= 0.0).then_some(came / self.seconds)
    }

    fn write_node(&self, node: &mut Writer<'_>) {
        let check = self.now.check.as_ref().zip(self.before.check.as_ref());
        let check = check.and_then(|(now, before)| now.since(before).ok());
        let (mean, p99) = (check.as_ref().and_then(Histogram::mean), check.as_ref().and_then(|h| h.quantile(0.99)));
        node.gauge(signal::REQUESTS, SignalRole::Traffic, self.rate(|s| s.checked), "1/s", Worse::Neither);
        node.gauge(signal::BLOCKED, SignalRole::Other, self.rate(|s| s.blocked), "1/s", Worse::Neither);
        node.gauge(signal::CHECK_P99, SignalRole::Latency, p99, "s", Worse::Higher);
        node.gauge(signal::CHECK_MEAN, SignalRole::Latency, mean, "s", Worse::Higher);
        node.gauge(signal::DEGRADED, SignalRole::Errors, self.rate(|s| s.degraded), "1/s", Worse::Higher);
        node.gauge(signal::CORRUPT, SignalRole::Errors, self.rate(|s| s.corrupt), "1/s", Worse::Higher);
    }

    /// Gives the mean duration of a call.
    fn write_edge(&self, edge: &mut Writer<'_>) -> Option<f64> {
        let calls = self.now.roundtrip.as_ref().zip(self.before.roundtrip.as_ref());
        let calls = calls.and_then(|(now, before)| now.since(before).ok());
        let (mean, p99) = (calls.as_ref().and_then(Histogram::mean), calls.as_ref().and_then(|h| h.quantile(0.99)));
        let rate = calls.as_ref().map(|calls| calls.count() / self.seconds);
        edge.gauge(signal::CALLS, SignalRole::Traffic, rate, "1/s", Worse::Neither);
        edge.gauge(signal::ROUNDTRIP_MEAN, SignalRole::Latency, mean, "s", Worse::Higher);
        edge.gauge(signal::ROUNDTRIP_P99, SignalRole::Latency, p99, "s", Worse::Higher);
        edge.gauge(signal::CALL_ERRORS, SignalRole::Errors, self.rate(|s| s.redis_errors), "1/s", Worse::Higher);
        edge.gauge(signal::UNANSWERED, SignalRole::Errors, self.rate(|s| s.unanswered), "1/s", Worse::Higher);
        edge.gauge(signal::LATE, SignalRole::Errors, self.rate(|s| s.late), "1/s", Worse::Higher);
        mean
    }
}

fn write_redis(memory: &Memory, reading: &RedisReading, redis: &mut Writer<'_>) {
    redis.gauge(signal::ANSWERS, SignalRole::Availability, Some(flag(reading.answers())), "1", Worse::Lower);
    let Ok(info) = &reading.info else { return };
    let share =
        |used: &str, of: &str| info.number(used).zip(info.number(of).filter(|of| *of > 0.0)).map(|(u, of)| u / of);
    let evictions = memory.evictions.and_then(|(before, evicted)| {
        let elapsed = reading.taken.checked_duration_since(before).filter(|elapsed| *elapsed >= SHORTEST)?;
        let came = info.number("evicted_keys")? - evicted;
        (came >= 0.0).then_some(came / elapsed.as_secs_f64())
    });
    let read = reading.read_duration.map(|duration| duration.as_secs_f64());
    redis.gauge(signal::READ_DURATION, SignalRole::Latency, read, "s", Worse::Higher);
    let operations = info.number("instantaneous_ops_per_sec");
    redis.gauge(signal::OPERATIONS, SignalRole::Traffic, operations, "1/s", Worse::Neither);
    redis.gauge(signal::MEMORY, SignalRole::Saturation, share("used_memory", "maxmemory"), "1", Worse::Higher);
    redis.gauge(signal::MEMORY_BYTES, SignalRole::Other, info.number("used_memory"), "bytes", Worse::Neither);
    let connections = share("connected_clients", "maxclients");
    redis.gauge(signal::CONNECTIONS, SignalRole::Saturation, connections, "1", Worse::Higher);
    let waiting = info.number("blocked_clients");
    redis.gauge(signal::WAITING_CLIENTS, SignalRole::Errors, waiting, "1", Worse::Higher);
    redis.gauge(signal::EVICTIONS, SignalRole::Errors, evictions, "1/s", Worse::Higher);
}

fn write_coverage(config: &Config, details: &Details, observation: &mut Observation) {
    if details.ledger.as_of_us.is_none() {
        return;
    }
    let coverage = &details.ledger.coverage;
    let mut keys = Writer { observation, on: names::all_keys(&config.name) };
    for (name, count) in [
        (signal::KEYS_COMPARED, coverage.compared),
        (signal::KEYS_WAITING, coverage.waiting),
        (signal::BOOTS_NOT_ASKED, coverage.boots_not_asked),
        (signal::KEYS_UNTRACKED, coverage.untracked),
    ] {
        keys.gauge(name, SignalRole::Other, Some(count as f64), "1", Worse::Neither);
    }
}

fn flag(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}
