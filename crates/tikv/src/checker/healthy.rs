//! What is observed of a healthy cluster.

use std::collections::BTreeMap;

use operator_protocols::Timestamp;

use crate::details::{Answer, ClusterDetail, MemberDetail, NodeState, SchedulerDetail, StoreDetail};
use crate::queries::By;

pub(super) fn cluster() -> ClusterDetail {
    let settings = [
        ("halt-scheduling", "false"),
        ("leader-schedule-limit", "4"),
        ("region-schedule-limit", "2048"),
        ("replica-schedule-limit", "64"),
        ("hot-region-schedule-limit", "4"),
        ("enable-remove-down-replica", "true"),
        ("enable-replace-offline-replica", "true"),
        ("enable-make-up-replica", "true"),
        ("enable-remove-extra-replica", "true"),
        ("enable-location-replacement", "true"),
    ];
    let schedulers = ["balance-leader-scheduler", "balance-region-scheduler", "balance-hot-region-scheduler"];
    ClusterDetail {
        answers: true,
        cluster_id: Some(7_000_000_000_000_000_001),
        leader: Some("pd-0".to_owned()),
        etcd_leader: Some("pd-0".to_owned()),
        initialized: Some(true),
        replicas: Some(3),
        max_store_down_s: Some(1800.0),
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        schedulers: schedulers.map(|name| (name.to_owned(), SchedulerDetail::default())).into(),
        drains: Some(BTreeMap::new()),
        region_count: Some(300),
        looked_at: Some(0),
        ..ClusterDetail::default()
    }
}

pub(super) fn member_detail() -> MemberDetail {
    MemberDetail {
        member_id: 7_711_473_329_502_372_226,
        answers: true,
        healthy: Some(true),
        version: Some("v8.5.0".to_owned()),
        started: Some(1_799_000_000),
        ..MemberDetail::default()
    }
}

pub(super) fn store_detail(id: u64, at: Timestamp) -> StoreDetail {
    StoreDetail {
        id,
        address: format!("tikv-{id}:20160"),
        status_address: format!("tikv-{id}:20180"),
        node_state: NodeState::Serving,
        state_name: "Up".to_owned(),
        version: "8.5.0".to_owned(),
        started: Some(1_799_000_000),
        last_heartbeat_ms: Some(at.as_millis() - 3_000),
        heartbeat_age_s: Some(3.0),
        capacity: Some(1e12),
        available: Some(0.6e12),
        used: Some(0.4e12),
        leader_count: 60,
        region_count: 180,
        leader_score: 60.0,
        region_score: 180.0,
        leader_weight: 1.0,
        region_weight: 1.0,
        slow_score: Some(1),
        ..StoreDetail::default()
    }
}

/// What a healthy cluster answers.
pub(super) fn answer(name: &str, by: By, stores: u64) -> Answer {
    let value = match name {
        "store_scraped" | "member_scraped" | "slow_score" => 1.0,
        "store_started" => 1_799_000_000.0,
        "request_duration_p99" => 0.004,
        "request_rate" => 500.0,
        "raft_leaders" => 60.0,
        "raft_regions" => 180.0,
        "disk_capacity" => 1e12,
        "disk_available" => 0.6e12,
        "disk_used" => 0.4e12,
        "memory" => 8e9,
        "memory_quota" => 16e9,
        "cpu" => 2.0,
        "cpu_quota" => 8.0,
        "latch_wait_p99"
        | "propose_wait_p99"
        | "append_log_p99"
        | "commit_log_p99"
        | "apply_wait_p99"
        | "apply_log_p99"
        | "coprocessor_wait_p999"
        | "wal_fsync_p99"
        | "tso_p99" => 0.003,
        "log_lag_p99" => 12.0,
        "level0_files" => 3.0,
        _ => 0.0,
    };
    let all = || (1..=stores).map(|id| (id, value)).collect::<BTreeMap<_, _>>();
    let mut answer = Answer::default();
    match (name, by) {
        ("request_duration_p99" | "request_rate", _) => {
            answer.stores = all();
            for of in ["kv_get", "kv_prewrite", "kv_commit", "coprocessor"] {
                answer.stores_by.insert(of.to_owned(), all());
            }
        }
        // Its counters appear with the first message that is lost.
        ("unreachable", _) => {}
        (_, By::Store | By::StoreId(_) | By::StoreAnd(_)) => answer.stores = all(),
        (_, By::Member) => answer.members = ["pd-0", "pd-1", "pd-2"].map(|name| (name.to_owned(), value)).into(),
        (_, By::Leader(_)) => {}
    }
    answer
}
