//! A made-up system of any size: services in layers, each calling two of the next layer, and one of the last that is
//! slow in the last minutes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Finding, History, Id, Locus, Observation, Severity,
    SignalRole, Timestamp, Worse,
};
use operator_reasoner::{Column, SignalTable, ViolationFact};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SUBJECT: &str = "made-up";
const LAYERS: usize = 5;
const EVERY_MS: i64 = 5_000;
/// How many of the last samples are trouble: five minutes.
const TROUBLE: usize = 60;

/// The past of a system, and what is wrong with it now.
pub struct System {
    pub table: SignalTable,
    pub history: History,
    pub violations: Vec<ViolationFact>,
    pub now: Timestamp,
    /// The service that is slow.
    pub culprit: Locus,
}

pub fn system(components: usize, signals: usize, samples: usize, seed: u64) -> System {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let times: Vec<_> = (0..samples as i64).map(|n| Timestamp::from_millis(n * EVERY_MS)).collect();
    let (onset, now) = (times[samples - TROUBLE], times[samples - 1]);
    let width = components.div_ceil(LAYERS);
    let id = |n: usize| Id::new(SUBJECT, format!("service-{n:04}"));
    let calls = |n: usize| -> Vec<usize> {
        let (layer, place) = (n / width, n % width);
        let next = |p: usize| (layer + 1) * width + p % width;
        if layer + 1 == LAYERS { Vec::new() } else { vec![next(place), next(place + 1)] }
    };

    let culprit = (LAYERS - 1) * width;
    let mut slow = vec![0.0_f64; components];
    slow[culprit] = 0.080;
    for n in (0..components).rev() {
        let waits: f64 = calls(n).into_iter().filter(|callee| *callee < components).map(|callee| slow[callee]).sum();
        slow[n] += waits;
    }

    let mut table = SignalTable::new(times).expect("instants rise");
    let mut values = vec![0.0_f32; samples];
    for (n, slower) in slow.iter().enumerate() {
        for signal in 0..signals {
            let (name, role, unit, worse, level) = kind_of(signal);
            let base = level * random.random_range(0.5..2.0);
            for (at, value) in values.iter_mut().enumerate() {
                let more = if at >= samples - TROUBLE && role == SignalRole::Latency { *slower } else { 0.0 };
                *value = (base * random.random_range(0.9..1.1) + more) as f32;
            }
            let column = Column { on: Locus::Component(id(n)), name, role, unit: unit.to_owned(), worse };
            table.push(column, &values).expect("as long as the axis");
        }
    }

    let mut history = History::new();
    for at in [onset.minus(Duration::from_secs(60)), now] {
        let mut seen = Observation::new(at);
        seen.components = (0..components).map(|n| component(id(n))).collect();
        seen.dependencies = (0..components)
            .flat_map(|n| calls(n).into_iter().map(move |callee| (n, callee)))
            .filter(|(_, callee)| *callee < components)
            .map(|(n, callee)| Dependency {
                from: id(n),
                to: id(callee),
                kind: "calls".to_owned(),
                state: DependencyState::Up,
            })
            .collect();
        history.push(Arc::new(seen), Duration::from_secs(7_200));
    }
    let violations = vec![ViolationFact {
        ticket: None,
        invariant: "answers_in_time".to_owned(),
        on: Locus::Component(id(0)),
        severity: Severity::Critical,
        finding: Finding::new("it answers too late", 0.2, 0.1),
        first_seen: onset,
        last_seen: now,
    }];
    System { table, history, violations, now, culprit: Locus::Component(id(culprit)) }
}

fn component(id: Id) -> Component {
    Component {
        id,
        kind: "service".to_owned(),
        address: None,
        state: ComponentState::Up,
        raw_state: "up".to_owned(),
        version: None,
        labels: BTreeMap::new(),
    }
}

fn kind_of(signal: usize) -> (String, SignalRole, &'static str, Worse, f64) {
    match signal {
        0 => ("latency_mean".to_owned(), SignalRole::Latency, "s", Worse::Higher, 0.020),
        1 => ("requests".to_owned(), SignalRole::Traffic, "1/s", Worse::Neither, 200.0),
        2 => ("errors".to_owned(), SignalRole::Errors, "1/s", Worse::Higher, 0.2),
        3 => ("busy".to_owned(), SignalRole::Saturation, "1", Worse::Higher, 0.3),
        n => (format!("metric_{n:02}"), SignalRole::Other, "1", Worse::Higher, 10.0 * n as f64),
    }
}
