//! What is measured of each store and member, as the protocol's signals: from Prometheus and from PD.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Locus, Signal, SignalKind, SignalRole, Timestamp, Worse};

use super::Known;
use super::representative::chosen;
use crate::details::{MetricsDetail, StoreDetail};
use crate::names;
use crate::queries;

/// What PD itself says of a store.
struct OfStore {
    name: &'static str,
    role: SignalRole,
    unit: &'static str,
    worse: Worse,
    value: fn(&StoreDetail, &MetricsDetail) -> Option<f64>,
}

/// The slow score has a unit of its own: it runs from 1 to 100 and is no part of anything that could be full.
const OF_STORE: [OfStore; 5] = [
    OfStore {
        name: "leader_count",
        role: SignalRole::Other,
        unit: "1",
        worse: Worse::Neither,
        value: |store, _| Some(store.leader_count as f64),
    },
    OfStore {
        name: "region_count",
        role: SignalRole::Other,
        unit: "1",
        worse: Worse::Neither,
        value: |store, _| Some(store.region_count as f64),
    },
    OfStore {
        name: "slow_score",
        role: SignalRole::Saturation,
        unit: "points",
        worse: Worse::Higher,
        value: |store, _| store.slow_score.map(|score| score as f64),
    },
    OfStore {
        name: "heartbeat_age",
        role: SignalRole::Availability,
        unit: "s",
        worse: Worse::Higher,
        value: |store, _| store.heartbeat_age_s,
    },
    OfStore {
        name: "disk_used_ratio",
        role: SignalRole::Saturation,
        unit: "1",
        worse: Worse::Higher,
        value: disk_used_ratio,
    },
];

/// The part of its disk that is not available to a store any more: as the store says, else as PD rounds it.
fn disk_used_ratio(store: &StoreDetail, metrics: &MetricsDetail) -> Option<f64> {
    let own = metrics.store("disk_available", store.id).zip(metrics.store("disk_capacity", store.id));
    let (available, capacity) = own.or(store.available.zip(store.capacity))?;
    (capacity > 0.0).then(|| (1.0 - available / capacity).clamp(0.0, 1.0))
}

/// How often within ten minutes the clock of a member jumped back or was behind: which is neither an error of what it
/// does nor a sign that it is slow.
fn clock_events(metrics: &MetricsDetail) -> BTreeMap<&str, f64> {
    let mut events = BTreeMap::new();
    for query in ["system_time_slow", "time_jump_back"] {
        let members = metrics.answers_by_query.get(query).into_iter().flat_map(|answer| &answer.members);
        for (name, value) in members.filter(|(_, value)| value.is_finite()) {
            *events.entry(name.as_str()).or_insert(0.0) += value;
        }
    }
    events
}

/// All signals of one observation.
pub(super) fn of(subject: &str, at: Timestamp, known: &Known<'_>, metrics: &MetricsDetail) -> Vec<Signal> {
    let signal = |on: Locus, name: &str, role, value: f64, unit: &str, worse| Signal {
        on,
        name: name.to_owned(),
        role,
        value,
        unit: unit.to_owned(),
        observed_at: at,
        kind: SignalKind::Gauge,
        worse,
    };
    let ids: Vec<u64> = known.stores.keys().copied().collect();
    let clocks = clock_events(metrics);
    let mut of_stores: Vec<(&str, SignalRole, &str)> = Vec::new();
    let mut readings: Vec<(Worse, BTreeMap<u64, f64>)> = Vec::new();
    for from_pd in &OF_STORE {
        let values = known.stores.values().filter_map(|store| Some((store.id, (from_pd.value)(store, metrics)?)));
        of_stores.push((from_pd.name, from_pd.role, from_pd.unit));
        readings.push((from_pd.worse, values.collect()));
    }
    let mut signals = Vec::new();
    for query in queries::ALL.iter().filter(|query| query.signal) {
        let Some(answer) = metrics.answers_by_query.get(query.name) else { continue };
        of_stores.push((query.name, query.role, query.unit));
        readings.push((query.worse, answer.stores.clone()));
        for (name, value) in &answer.members {
            let on = names::member_locus(subject, name);
            signals.push(signal(on, query.name, query.role, *value, query.unit, query.worse));
        }
    }
    for (name, value) in clocks {
        let on = names::member_locus(subject, name);
        signals.push(signal(on, "clock_events", SignalRole::Other, value, "events", Worse::Higher));
    }
    let not_up: BTreeSet<u64> =
        known.stores.values().filter(|store| store.state_name != "Up").map(|store| store.id).collect();
    let chosen = chosen(&ids, &not_up, &readings);
    for ((name, role, unit), (worse, values)) in of_stores.into_iter().zip(readings) {
        for (id, value) in values.into_iter().filter(|(id, value)| chosen.contains(id) && value.is_finite()) {
            signals.push(signal(names::store_locus(subject, id), name, role, value, unit, worse));
        }
    }
    signals
}
