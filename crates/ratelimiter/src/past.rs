//! Signals of the past, from a Prometheus that scrapes the nodes: so that an operator started a minute ago still has a
//! baseline. Only what the nodes expose is there; what the inspector measures is not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_prometheus::QueryClient;
use operator_protocols::{Id, Locus, Observation, Signal, SignalKind, SignalRole, Timestamp, Unavailable, Worse};

use crate::api::is_node_id;
use crate::names::{self, signal};

/// The finest step: the usual scrape interval.
const SHORTEST_STEP: Duration = Duration::from_secs(15);
/// Points of one series at most.
const MAX_POINTS: u32 = 500;

/// A signal, and the expression that gives its past by `node_id`.
struct Expression {
    name: &'static str,
    role: SignalRole,
    unit: &'static str,
    worse: Worse,
    on_edge: bool,
    promql: &'static str,
}

const fn of_node(
    name: &'static str,
    role: SignalRole,
    unit: &'static str,
    worse: Worse,
    promql: &'static str,
) -> Expression {
    Expression { name, role, unit, worse, on_edge: false, promql }
}

const fn of_edge(name: &'static str, role: SignalRole, unit: &'static str, promql: &'static str) -> Expression {
    Expression { name, role, unit, worse: Worse::Higher, on_edge: true, promql }
}

const EXPRESSIONS: [Expression; 8] = [
    of_node(
        signal::REQUESTS,
        SignalRole::Traffic,
        "1/s",
        Worse::Neither,
        "sum by (node_id) (rate(ratelimiter_requests_checked_total[1m]))",
    ),
    of_node(
        signal::CHECK_P99,
        SignalRole::Latency,
        "s",
        Worse::Higher,
        "histogram_quantile(0.99, sum by (node_id, le) (rate(ratelimiter_check_duration_seconds_bucket[1m])))",
    ),
    of_node(
        signal::CHECK_MEAN,
        SignalRole::Latency,
        "s",
        Worse::Higher,
        "sum by (node_id) (rate(ratelimiter_check_duration_seconds_sum[1m])) \
         / sum by (node_id) (rate(ratelimiter_check_duration_seconds_count[1m]))",
    ),
    of_node(
        signal::DEGRADED,
        SignalRole::Errors,
        "1/s",
        Worse::Higher,
        "sum by (node_id) (rate(ratelimiter_degraded_decisions_total[1m]))",
    ),
    of_node(
        signal::LOOP_LAG,
        SignalRole::Latency,
        "s",
        Worse::Higher,
        "max by (node_id) (ratelimiter_loop_lag_seconds)",
    ),
    of_edge(
        signal::ROUNDTRIP_MEAN,
        SignalRole::Latency,
        "s",
        "sum by (node_id) (rate(ratelimiter_redis_roundtrip_seconds_sum[1m])) \
         / sum by (node_id) (rate(ratelimiter_redis_roundtrip_seconds_count[1m]))",
    ),
    of_edge(
        signal::ROUNDTRIP_P99,
        SignalRole::Latency,
        "s",
        "histogram_quantile(0.99, sum by (node_id, le) (rate(ratelimiter_redis_roundtrip_seconds_bucket[1m])))",
    ),
    of_edge(
        signal::CALL_ERRORS,
        SignalRole::Errors,
        "1/s",
        "sum by (node_id) (rate(ratelimiter_redis_errors_total[1m]))",
    ),
];

/// The signals of `nodes` from `from` to `to`, oldest first.
pub(crate) async fn read(
    prometheus: &QueryClient,
    subject: &str,
    nodes: &BTreeSet<String>,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Observation>, Unavailable> {
    if to <= from {
        return Ok(Vec::new());
    }
    let step = SHORTEST_STEP.max(to.since(from) / MAX_POINTS);
    let mut observations: BTreeMap<Timestamp, Observation> = BTreeMap::new();
    for expression in &EXPRESSIONS {
        let series = prometheus
            .range(expression.promql, from, to, step)
            .await
            .map_err(|error| error.unavailable(format!("the past of {}", expression.name)))?;
        for series in series {
            let Some(node) = series.labels.get("node_id").filter(|node| is_node_id(node) && nodes.contains(*node))
            else {
                continue;
            };
            let node = Id::new(subject, node);
            let on = if expression.on_edge { Locus::Edge(node, names::redis(subject)) } else { Locus::Component(node) };
            for point in series.points.iter().filter(|point| point.value.is_finite()) {
                let observation = observations.entry(point.at).or_insert_with(|| Observation::new(point.at));
                observation.signals.push(Signal {
                    on: on.clone(),
                    name: expression.name.to_owned(),
                    role: expression.role,
                    value: point.value,
                    unit: expression.unit.to_owned(),
                    observed_at: point.at,
                    kind: SignalKind::Gauge,
                    worse: expression.worse,
                });
            }
        }
    }
    Ok(observations.into_values().collect())
}
