//! What is to be seen of the shop, in the protocol's words.

use std::collections::BTreeMap;

use super::accounts::ITEMS;
use super::lanes::{CAPACITY, LANES};
use super::meter::Meter;
use super::model::{Happened, Model};
use super::node::{FIRST_ORDERS, FIRST_PACKER, Kind, Node, ORDERS, QUEUE, links};
use crate::{
    Change, Component, ComponentState, Dependency, DependencyState, Event, EventId, Id, Locus, LogLine, Observation,
    Signal, SignalKind, SignalRole, Timestamp, Unavailable, Value, Worse,
};

/// Where the accounts stand in an observation's details.
pub(super) const JOBS: &str = "jobs";
pub(super) const FOREIGN: &str = "foreign_jobs";
pub(super) const SALES: &str = "sales";
pub(super) const VAT: &str = "vat_percent";

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_millis(micros / 1_000)
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Puts an observation together.
struct View<'a> {
    subject: &'a str,
    model: &'a Model,
    seen: Observation,
}

/// Everything that can be seen of the shop by `subject` at `at`; its logs after the line of that number, and the number
/// of the last.
pub(super) fn observe(subject: &str, model: &Model, at: Timestamp, logs_after: u64) -> (Observation, u64) {
    let mut view = View { subject, model, seen: Observation::new(at) };
    view.components();
    view.links();
    if !model.plugged_in {
        view.seen.unavailable.push(Unavailable::new("the shop", "nothing answers"));
        return (view.seen, logs_after);
    }
    view.jobs();
    view.accounts();
    view.seen.events = model.events.iter().map(|event| event_of(subject, event)).collect();
    let (lines, last) = model.log.after(logs_after);
    let readable = lines.into_iter().filter(|line| !model.nodes[line.node].hidden);
    view.seen.logs = readable
        .map(|line| LogLine {
            at: moment(line.at),
            component: Id::new(subject, model.nodes[line.node].name()),
            level: line.level,
            message: line.message,
        })
        .collect();
    (view.seen, last)
}

fn event_of(subject: &str, event: &Happened) -> Event {
    let name = super::node::COMPONENTS[event.node];
    Event {
        id: EventId::new(subject, &*event.id),
        at: moment(event.at),
        on: Locus::component(subject, name),
        kind: event.kind,
        change: event.change.as_ref().map(|(field, before, after)| Change {
            field: (*field).to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
        message: event.message.clone(),
    }
}

impl View<'_> {
    fn id(&self, node: usize) -> Id {
        Id::new(self.subject, super::node::COMPONENTS[node])
    }

    fn gauge(&mut self, on: &Locus, name: &str, role: SignalRole, value: f64, unit: &str) {
        let worse = if role == SignalRole::Traffic { Worse::Neither } else { Worse::Higher };
        self.signal(on, name, role, value, unit, SignalKind::Gauge, worse);
    }

    fn count(&mut self, on: &Locus, name: &str, role: SignalRole, value: u64, since: i64) {
        let worse = if role == SignalRole::Traffic { Worse::Neither } else { Worse::Higher };
        let kind = SignalKind::Counter { since: moment(since) };
        self.signal(on, name, role, value as f64, "1", kind, worse);
    }

    #[expect(clippy::too_many_arguments, reason = "one for each field of a signal that differs")]
    fn signal(
        &mut self,
        on: &Locus,
        name: &str,
        role: SignalRole,
        value: f64,
        unit: &str,
        kind: SignalKind,
        worse: Worse,
    ) {
        let observed_at = self.seen.at;
        let (name, unit) = (name.to_owned(), unit.to_owned());
        self.seen.signals.push(Signal { on: on.clone(), name, role, value, unit, observed_at, kind, worse });
    }

    /// Whether the status of the node can be read.
    fn readable(&self, node: &Node) -> bool {
        self.model.plugged_in && node.running && !node.hidden
    }

    fn components(&mut self) {
        let model = self.model;
        for node in &model.nodes {
            let (state, raw) = match (model.plugged_in && !node.hidden, node.running) {
                (false, _) => (ComponentState::Unknown, "unreadable"),
                (true, true) if node.drained => (ComponentState::Up, "drained"),
                (true, true) => (ComponentState::Up, "running"),
                (true, false) => (ComponentState::Down, "not running"),
            };
            let known = state != ComponentState::Unknown;
            let labels =
                if known { BTreeMap::from([("incarnation".to_owned(), node.incarnation())]) } else { BTreeMap::new() };
            self.seen.components.push(Component {
                id: self.id(node.index),
                kind: node.kind.name().to_owned(),
                address: None,
                state,
                raw_state: raw.to_owned(),
                version: known.then(|| node.version.clone()),
                labels,
            });
            if model.plugged_in && node.hidden {
                let what = format!("status of {}", node.name());
                self.seen.unavailable.push(Unavailable::new(what, "its status page does not answer"));
            }
            if self.readable(node) {
                self.measures(node);
            }
        }
    }

    fn measures(&mut self, node: &Node) {
        let on = Locus::Component(self.id(node.index));
        let clock = seconds(node.clock_ahead).abs();
        self.gauge(&on, "clock_offset", SignalRole::Other, clock, "s");
        let busy = node.busy as f64 / node.slots as f64;
        self.gauge(&on, "busy", SignalRole::Saturation, busy, "1");
        if node.kind == Kind::Packer {
            let packed = self.model.packed[node.index - FIRST_PACKER].clone();
            self.count(&on, "jobs_total", SignalRole::Traffic, packed.calls, packed.since);
            self.count(&on, "thrown_away_total", SignalRole::Errors, packed.failures, packed.since);
            if let Some(mean) = node.served.mean() {
                self.gauge(&on, "packing_time", SignalRole::Latency, mean, "s");
            }
            return;
        }
        self.gauge(&on, "waiting", SignalRole::Saturation, node.waiting.len() as f64, "requests");
        self.count(&on, "requests_total", SignalRole::Traffic, node.served.calls, node.served.since);
        self.count(&on, "errors_total", SignalRole::Errors, node.served.failures, node.served.since);
        if let (Some(mean), Some(p95)) = (node.served.mean(), node.served.quantile(95)) {
            self.gauge(&on, "answer_time", SignalRole::Latency, mean, "s");
            self.gauge(&on, "answer_time_p95", SignalRole::Latency, p95, "s");
        }
    }

    fn links(&mut self) {
        let model = self.model;
        for ((from, to), kind) in links() {
            let Some(link) = model.links.get(&(from, to)) else { continue };
            // What a link is like only its caller can say.
            let caller = self.readable(&model.nodes[from]);
            let state = match caller {
                false => DependencyState::Unknown,
                true if link.meter.nobody_answers() => DependencyState::Down,
                true => DependencyState::Up,
            };
            // How much comes over it, whoever is called counts too.
            let received = self.readable(&model.nodes[to]).then(|| (link.received, model.nodes[to].started));
            let (from, to) = (self.id(from), self.id(to));
            let on = Locus::Edge(from.clone(), to.clone());
            if caller {
                self.link(&on, &link.meter);
            }
            if let Some((received, since)) = received {
                self.count(&on, "received_total", SignalRole::Traffic, received, since);
            }
            self.seen.dependencies.push(Dependency { from, to, kind: kind.to_owned(), state });
        }
    }

    fn link(&mut self, on: &Locus, meter: &Meter) {
        self.count(on, "calls_total", SignalRole::Traffic, meter.calls, meter.since);
        self.count(on, "failures_total", SignalRole::Errors, meter.failures, meter.since);
        if let Some(mean) = meter.mean() {
            self.gauge(on, "round_trip", SignalRole::Latency, mean, "s");
        }
    }

    fn jobs(&mut self) {
        let model = self.model;
        let queue = &model.nodes[QUEUE];
        if !self.readable(queue) {
            return;
        }
        let on = Locus::Component(self.id(QUEUE));
        let held = model.lanes.held();
        self.gauge(&on, "jobs_held", SignalRole::Saturation, held as f64, "jobs");
        let full = (held + model.lanes.foreign_files) as f64 / CAPACITY as f64;
        self.gauge(&on, "disk_used", SignalRole::Saturation, full, "1");
        let now = model.now + queue.clock_ahead;
        let oldest = model.lanes.waiting.iter().filter_map(|lane| lane.front()).map(|job| now - job.put_at).max();
        self.gauge(&on, "oldest_wait", SignalRole::Latency, seconds(oldest.unwrap_or(0)), "s");
        for (lane, name) in LANES.iter().enumerate() {
            let on = Locus::entity(self.subject, "lane", *name);
            self.gauge(&on, "jobs_held", SignalRole::Saturation, model.lanes.waiting[lane].len() as f64, "jobs");
        }
    }

    /// What each party says to have done, side by side.
    fn accounts(&mut self) {
        let model = self.model;
        let accounts = &model.accounts;
        let replicas = || (0..ORDERS.len()).filter(|replica| !model.nodes[FIRST_ORDERS + replica].hidden);
        if self.readable(&model.nodes[QUEUE]) {
            let lane = |lane: usize| {
                let by = replicas().map(|replica| {
                    let held = model.lanes.of(lane, Some(replica)) + accounts.done[replica][lane];
                    (ORDERS[replica], vec![accounts.put[replica][lane], held].into())
                });
                (LANES[lane], Value::map(by))
            };
            self.seen.details.insert(JOBS.to_owned(), Value::map((0..LANES.len()).map(lane)));
            let foreign =
                |lane: usize| (LANES[lane], Value::from(model.lanes.of(lane, None) + accounts.foreign_done[lane]));
            self.seen.details.insert(FOREIGN.to_owned(), Value::map((0..LANES.len()).map(foreign)));
        }
        if self.readable(&model.nodes[super::node::CATALOG]) {
            let sales = replicas().map(|replica| {
                let item = |item: usize| {
                    let both = vec![accounts.sold[replica][item], accounts.recorded[replica][item]];
                    (ITEMS[item], Value::from(both))
                };
                (ORDERS[replica], Value::map((0..ITEMS.len()).map(item)))
            });
            self.seen.details.insert(SALES.to_owned(), Value::map(sales));
        }
        let running = replicas().filter(|replica| model.nodes[FIRST_ORDERS + replica].running);
        let vat = running.map(|replica| (ORDERS[replica], Value::from(model.nodes[FIRST_ORDERS + replica].vat)));
        self.seen.details.insert(VAT.to_owned(), Value::map(vat));
    }
}
