//! Which questions of the catalogue a target's own exposition answers. What needs more than one target, or is told apart
//! by a further label, is left to Prometheus.

use super::direct::{Direct, Form};

/// What a member of PD answers of itself.
pub(super) const OF_MEMBER: [Direct; 8] = [
    Direct::new("wal_fsync_p99", "etcd_disk_wal_fsync_duration_seconds", Form::Quantile(0.99)),
    Direct::new("etcd_peer_roundtrip_p99", "etcd_network_peer_round_trip_time_seconds", Form::Quantile(0.99)),
    Direct::new("tso_p99", "pd_server_handle_tso_duration_seconds", Form::Quantile(0.99)),
    Direct::new("etcd_leader_changes", "etcd_server_leader_changes_seen_total", Form::LongIncrease),
    Direct::new("system_time_slow", "pd_tso_events", Form::LongIncrease).with("type", "system_time_slow"),
    Direct::new("time_jump_back", "pd_monitor_time_jump_back_total", Form::LongIncrease),
    // The last two make one answer.
    Direct::new("etcd_quota_used", "etcd_mvcc_db_total_size_in_bytes", Form::Sum(1.0)),
    Direct::new("etcd_quota_used", "etcd_server_quota_backend_bytes", Form::Sum(1.0)),
];

/// What PD's leader answers about stores, by the type of `pd_scheduler_store_status`.
pub(super) const OF_LEADER_BY_STORE: [(&str, &str); 5] = [
    ("disk_capacity", "store_capacity"),
    ("disk_available", "store_available"),
    ("disk_used", "store_used"),
    ("raft_leaders", "leader_count"),
    ("raft_regions", "region_count"),
];

/// What a store answers of itself.
pub(super) const OF_STORE: [Direct; 29] = [
    Direct::new("store_started", "process_start_time_seconds", Form::Greatest(1.0)),
    Direct::new("request_failures", "tikv_grpc_msg_fail_total", Form::Rate),
    Direct::new("latch_wait_p99", "tikv_scheduler_latch_wait_duration_seconds", Form::Quantile(0.99)),
    Direct::new("scheduler_writing_bytes", "tikv_scheduler_writing_bytes", Form::Sum(1.0)),
    Direct::new("scheduler_too_busy", "tikv_scheduler_too_busy_total", Form::Rate),
    Direct::new("flow_discard_ratio", "tikv_scheduler_discard_ratio", Form::Greatest(1e-7)),
    Direct::new("propose_wait_p99", "tikv_raftstore_request_wait_time_duration_secs", Form::Quantile(0.99)),
    Direct::new("append_log_p99", "tikv_raftstore_append_log_duration_seconds", Form::Quantile(0.99)),
    Direct::new("commit_log_p99", "tikv_raftstore_commit_log_duration_seconds", Form::Quantile(0.99)),
    Direct::new("apply_wait_p99", "tikv_raftstore_apply_wait_time_duration_secs", Form::Quantile(0.99)),
    Direct::new("apply_log_p99", "tikv_raftstore_apply_log_duration_seconds", Form::Quantile(0.99)),
    Direct::new("log_lag_p99", "tikv_raftstore_log_lag", Form::Quantile(0.99)),
    Direct::new("raft_leaders", "tikv_raftstore_region_count", Form::Sum(1.0)).with("type", "leader"),
    Direct::new("raft_regions", "tikv_raftstore_region_count", Form::Sum(1.0)).with("type", "region"),
    Direct::new("leader_missing", "tikv_raftstore_leader_missing", Form::Sum(1.0)),
    Direct::new("slow_score", "tikv_raftstore_slow_score", Form::Greatest(1.0)),
    Direct::new("channel_full", "tikv_channel_full_total", Form::Rate),
    Direct::new("read_pool_running", "tikv_unified_read_pool_running_tasks", Form::Sum(1.0)),
    Direct::new("write_stall_p99", "tikv_engine_write_stall", Form::Greatest(1e-6))
        .with("type", "write_stall_percentile99"),
    Direct::new("pending_compaction", "tikv_engine_pending_compaction_bytes", Form::Sum(1.0)).with("db", "kv"),
    Direct::new("disk_capacity", "tikv_store_size_bytes", Form::Sum(1.0)).with("type", "capacity"),
    Direct::new("disk_available", "tikv_store_size_bytes", Form::Sum(1.0)).with("type", "available"),
    Direct::new("disk_used", "tikv_store_size_bytes", Form::Sum(1.0)).with("type", "used"),
    Direct::new("critical_errors", "tikv_critical_error_total", Form::Increase),
    Direct::new("cpu", "process_cpu_seconds_total", Form::Rate),
    Direct::new("cpu_quota", "tikv_server_cpu_cores_quota", Form::Greatest(1.0)),
    Direct::new("memory", "process_resident_memory_bytes", Form::Greatest(1.0)),
    Direct::new("memory_quota", "tikv_server_memory_quota_bytes", Form::Greatest(1.0)),
    Direct::new("resolved_ts_lag", "tikv_resolved_ts_min_resolved_ts_gap_millis", Form::Greatest(1e-3)),
];

/// The types of requests whose rate and duration are asked for.
pub(super) const REQUESTS: &str = "tikv_grpc_msg_duration_seconds";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries;

    #[test]
    fn what_is_answered_without_prometheus_is_in_the_catalogue() {
        for question in OF_MEMBER.iter().chain(&OF_STORE) {
            let query = queries::find(question.query).unwrap_or_else(|| panic!("{}", question.query));
            assert!(query.metrics().any(|metric| metric.starts_with(question.metric)), "{}", query.name);
            let increases = matches!(question.form, Form::Increase | Form::Rate);
            assert_eq!(increases, query.expression.contains("[$w]") && !query.expression.contains("_quantile"));
        }
        for (query, _) in OF_LEADER_BY_STORE {
            assert!(queries::find(query).is_some(), "{query}");
        }
    }
}
