//! Stores, as PD tells of them.

use serde_json::{Value, json};

use super::super::go;
use super::super::sim::Simulator;
use super::answer::{Answer, Object, Request, by_id};
use super::cluster::number;
use super::health::VERSION;

/// One store.
pub(super) fn one(simulator: &Simulator, index: usize) -> Value {
    let store = &simulator.stores[index];
    let record = &store.record;
    let held = simulator.regions.held(index);
    let labels: Vec<Value> = store.labels.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    // Heartbeats come at odd nanoseconds.
    let nanoseconds = record.last_heartbeat * 1_000_000 + (store.id as i64 * 7_919) % 1_000_000;
    let about = Object::default()
        .with("id", store.id)
        .with("address", store.address.as_str())
        .unless_zero("state", record.state)
        .unless_zero("labels", labels)
        .with("version", VERSION)
        .with("peer_address", store.address.as_str())
        .with("status_address", store.status_address.as_str())
        .with("git_hash", "None")
        .with("start_timestamp", record.started_at / 1_000)
        .with("deploy_path", "/opt/tikv/bin")
        .with("last_heartbeat", nanoseconds)
        .unless_zero("physically_destroyed", record.destroyed)
        .unless_zero("node_state", record.node_state)
        .with("state_name", simulator.state_name(index));
    // What was not reported since PD's leader changed is zero.
    let if_reported = |value: f64| if record.reported { value } else { 0.0 };
    let peers = &held.regions;
    let learners = peers.iter().filter(|&&region| {
        simulator.regions.get(region).peers.iter().any(|peer| usize::from(peer.store) == index && peer.learner)
    });
    let pending = simulator.regions.pending.iter().filter(|&&region| {
        simulator.regions.get(region).peers.iter().any(|peer| usize::from(peer.store) == index && peer.pending)
    });
    let mut status = Object::default()
        .with("capacity", go::size(if_reported(record.capacity)))
        .with("available", go::size(if_reported(record.available)))
        .with("used_size", go::size(if_reported(record.used)))
        .with("leader_count", held.known_leaders)
        .with("leader_weight", number(record.weights.0))
        .with("leader_score", number(simulator.leader_score(index)))
        .with("leader_size", if_reported(held.leader_size as f64) as i64)
        .with("region_count", peers.len())
        .with("region_weight", number(record.weights.1))
        .with("region_score", number(simulator.region_score(index)))
        .with("region_size", if_reported(held.size as f64) as i64)
        .unless_zero("learner_count", learners.count())
        .unless_zero("pending_peer_count", pending.count())
        .unless_zero("sending_snap_count", record.snapshots.0)
        .unless_zero("receiving_snap_count", record.snapshots.1)
        .unless_zero("is_busy", record.busy)
        .unless_zero("slow_score", if record.reported { record.slow_score.round() as u64 } else { 0 })
        .with("start_ts", go::rfc3339(record.started_at / 1_000 * 1_000))
        .with("last_heartbeat_ts", go::rfc3339(record.last_heartbeat))
        .with("uptime", go::duration(record.last_heartbeat - record.started_at / 1_000 * 1_000))
        .unless_zero("pause_leader_transfer_in", simulator.schedulers.evicts(store.id));
    if !record.network_slow_score.is_empty() {
        let scores = record.network_slow_score.iter().map(|(&store, &score)| (store, score));
        status = status.with("network_slow_score", by_id(scores));
    }
    Object::default().with("store", Value::from(about)).with("status", Value::from(status)).into()
}

fn listed(simulator: &Simulator, which: impl Fn(usize) -> bool) -> Value {
    let mut stores: Vec<usize> =
        (0..simulator.stores.len()).filter(|&index| simulator.stores[index].joined && which(index)).collect();
    // A real PD's order differs from call to call.
    let turn = simulator.requests.len() % stores.len().max(1);
    stores.rotate_left(turn);
    let stores: Vec<Value> = stores.into_iter().map(|index| one(simulator, index)).collect();
    json!({ "count": stores.len(), "stores": stores })
}

/// `GET /stores`: tombstones only if asked for.
pub(super) fn all(simulator: &Simulator, request: &Request) -> Value {
    let states: Vec<u8> = request.parameters("state").filter_map(|state| state.parse().ok()).collect();
    listed(simulator, |index| {
        let state = simulator.stores[index].record.state;
        if states.is_empty() { state != 2 } else { states.contains(&state) }
    })
}

/// `GET /stores/check`: by PD's word for the state.
pub(super) fn check(simulator: &Simulator, request: &Request) -> Value {
    let states: Vec<&str> = request.parameters("state").collect();
    listed(simulator, |index| states.is_empty() || states.contains(&simulator.state_name(index)))
}

/// `GET /stores/limit`.
pub(super) fn limits(simulator: &Simulator) -> Value {
    let joined = simulator.stores.iter().filter(|store| store.joined && store.record.state != 2);
    by_id(joined.map(|store| {
        let (add, remove) = store.record.limits;
        (store.id, json!({ "add-peer": number(add), "remove-peer": number(remove) }))
    }))
}

/// `GET /labels`.
pub(super) fn labels(simulator: &Simulator) -> Value {
    let mut all: Vec<(String, String)> =
        simulator.stores.iter().filter(|store| store.joined).flat_map(|store| store.labels.clone()).collect();
    all.sort();
    all.dedup();
    if all.is_empty() {
        return Value::Null;
    }
    all.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// `GET /stores/progress?id=…` or `?action=…`.
pub(super) fn progress(simulator: &Simulator, request: &Request) -> Answer {
    let action = request.parameter("action");
    let id: Option<u64> = request.parameter("id").and_then(|id| id.parse().ok());
    let found: Vec<usize> = (0..simulator.stores.len())
        .filter(|&index| {
            let store = &simulator.stores[index];
            store.joined
                && match (action, id) {
                    (Some("removing"), _) => store.record.node_state == 2,
                    (Some("preparing"), _) => store.record.node_state == 0,
                    (None, Some(id)) => store.id == id && [0, 2].contains(&store.record.node_state),
                    _ => false,
                }
        })
        .collect();
    let Some(&first) = found.first() else {
        let what = action.map_or_else(|| format!("id {}", id.unwrap_or(0)), |action| format!("action {action}"));
        return Answer::json(404, &format!("no progress found for the {what}").into());
    };
    let of = |index: usize| {
        let store = &simulator.stores[index];
        let left = simulator.regions.held(index).size as f64;
        let removing = store.record.node_state == 2;
        let (total, done) = if removing {
            (store.record.removing_from.max(1.0), store.record.removing_from - left)
        } else {
            let sizes: i64 = (0..simulator.stores.len()).map(|other| simulator.regions.held(other).size).sum();
            (0.9 * sizes as f64 / simulator.stores.len() as f64, left)
        };
        let seconds = ((simulator.now - store.record.state_since) as f64 / 1_000.0).max(1.0);
        let speed = done.max(0.0) / seconds;
        let left_seconds = if speed > 0.0 { (total - done).max(0.0) / speed } else { f64::from(i32::MAX) };
        ((done / total).clamp(0.0, 1.0), speed, left_seconds, removing)
    };
    let count = found.len() as f64;
    let all: Vec<_> = found.iter().map(|&index| of(index)).collect();
    let (progress, speed) = (all.iter().map(|it| it.0).sum::<f64>() / count, all.iter().map(|it| it.1).sum::<f64>());
    let left = all.iter().map(|it| it.2).fold(0.0, f64::max);
    let mut answer = Object::default()
        .with("action", if all[0].3 { "removing" } else { "preparing" })
        .with("progress", progress)
        .with("current_speed", speed)
        .with("left_seconds", left);
    if id.is_some() {
        answer = answer.with("store_id", simulator.stores[first].id);
    }
    Answer::ok(answer)
}
