//! The whole: members, settings, rules.

use serde_json::{Value, json};

use super::super::go;
use super::super::sim::{Member, Simulator};
use super::answer::by_id;
use super::health::VERSION;

fn member(member: &Member) -> Value {
    let mut value = json!({
        "name": member.name,
        "member_id": member.id,
        "peer_urls": [format!("http://{}:2380", member.name)],
        "client_urls": [member.url],
        "deploy_path": "/opt/pd/bin",
        "binary_version": VERSION,
        "git_hash": "None",
    });
    if member.priority != 0 {
        value["leader_priority"] = member.priority.into();
    }
    value
}

pub(super) fn members(simulator: &Simulator) -> Value {
    let leader = simulator.serving().map_or(Value::Null, |leader| member(&simulator.members[leader]));
    json!({
        "header": { "cluster_id": simulator.cluster_id },
        "members": simulator.members.iter().map(member).collect::<Vec<_>>(),
        "leader": leader,
        "etcd_leader": leader,
    })
}

pub(super) fn leader(simulator: &Simulator) -> Value {
    let Some(leader) = simulator.serving().map(|leader| &simulator.members[leader]) else { return Value::Null };
    json!({
        "name": leader.name,
        "member_id": leader.id,
        "peer_urls": [format!("http://{}:2380", leader.name)],
        "client_urls": [leader.url],
    })
}

pub(super) fn cluster(simulator: &Simulator) -> Value {
    json!({ "id": simulator.cluster_id, "max_peer_count": simulator.settings.replicas })
}

pub(super) fn status(simulator: &Simulator) -> Value {
    json!({
        "raft_bootstrap_time": go::rfc3339(simulator.began),
        "is_initialized": simulator.initialized(),
        "replication_status": "",
    })
}

/// What is set under `schedule`, with the limits of the stores.
pub(super) fn schedule(simulator: &Simulator) -> Value {
    let mut schedule = Value::Object(simulator.settings.schedule.clone());
    let limit = |(add, remove): (f64, f64)| json!({ "add-peer": number(add), "remove-peer": number(remove) });
    let joined = simulator.stores.iter().filter(|store| store.joined);
    schedule["default-store-limit"] = limit((15.0, 15.0));
    schedule["store-limit"] = by_id(joined.map(|store| (store.id, limit(store.record.limits))));
    let kind = |name: &str| json!({ "type": name, "args": null, "disable": false, "args-payload": "" });
    let short = simulator.schedulers.present.keys().map(|name| {
        let name = name.trim_end_matches("-scheduler");
        kind(if name == "balance-hot-region" { "hot-region" } else { name })
    });
    schedule["schedulers-v2"] = short.collect();
    schedule
}

pub(super) fn config(simulator: &Simulator) -> Value {
    let name = simulator.serving().map_or("pd-1", |leader| simulator.members[leader].name.as_str());
    json!({
        "name": name,
        "data-dir": format!("/var/lib/pd/{name}"),
        "lease": 5,
        "tso-save-interval": "5s",
        "tso-update-physical-interval": "50ms",
        "schedule": schedule(simulator),
        "replication": simulator.settings.replication,
        "pd-server": pd_server(),
        "cluster-version": VERSION.trim_start_matches('v'),
        "labels": {},
        "quota-backend-bytes": "8GiB",
        "tick-interval": "500ms",
        "election-interval": "3s",
        "enable-prevote": true,
        "label-property": {},
        "replication-mode": { "replication-mode": "majority" },
    })
}

pub(super) fn pd_server() -> Value {
    json!({
        "use-region-storage": "true",
        "max-gap-reset-ts": "24h0m0s",
        "key-type": "table",
        "runtime-services": "",
        "metric-storage": "",
        "dashboard-address": "auto",
        "flow-round-by-digit": 3,
        "min-resolved-ts-persistence-interval": "1s",
        "server-memory-limit": 0,
        "server-memory-limit-gc-trigger": 0.7,
        "enable-gogc-tuner": "true",
        "gc-tuner-threshold": 0.6,
        "block-safe-point-v1": "false",
    })
}

pub(super) fn rules(simulator: &Simulator) -> Value {
    json!([{
        "group_id": "pd",
        "id": "default",
        "start_key": "",
        "end_key": "",
        "role": "voter",
        "is_witness": false,
        "count": simulator.settings.replicas,
    }])
}

pub(super) fn placement(simulator: &Simulator) -> Value {
    json!([{ "group_id": "pd", "group_index": 0, "group_override": false, "rules": rules(simulator) }])
}

pub(super) fn min_resolved_ts(simulator: &Simulator) -> Value {
    json!({
        "is_real_time": true,
        "min_resolved_ts": (simulator.now - 1_500) << 18,
        "persist_interval": "1s",
        "stores_min_resolved_ts": null,
    })
}

pub(super) fn safepoint(simulator: &Simulator) -> Value {
    let safe = (simulator.now - 600_000) << 18;
    json!({
        "service_gc_safe_points": [{ "service_id": "gc_worker", "expired_at": i64::MAX, "safe_point": safe }],
        "min_service_gc_safe_point": safe,
        "gc_safe_point": safe,
    })
}

/// A whole number as one.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::from(value as i64) } else { Value::from(value) }
}
