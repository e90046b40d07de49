//! Every question that is put to Prometheus, in one catalogue: what the subject reads and what a simulator of TiKV must
//! answer are the same list.
//!
//! Metric names were taken from TiKV's and PD's sources, not from the alert rules that are shipped with them: several of
//! those name metrics that do not exist and can never fire.

use operator_protocols::{SignalRole, Worse};

/// Which series of an answer belong to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// One series a store, found by the label that names the scraped target (`instance`), which is the store's *status*
    /// address.
    Store,
    /// One series a store and value of this further label; the greatest value counts for the store.
    StoreAnd(&'static str),
    /// One series a store, whose id is in this label.
    StoreId(&'static str),
    /// One series a member of PD, found by the label that names the scraped target.
    Member,
    /// As [`By::Member`], but only what PD's leader says counts. One series a value of this further label.
    Leader(&'static str),
}

/// One question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Query {
    /// How the answer is called in observations: `snake_case`, unique.
    pub name: &'static str,
    /// The expression. `$w` stands for the window of rates, `$tikv` and `$pd` for the matchers that select the jobs,
    /// `$i` for the label that names the scraped target.
    pub expression: &'static str,
    /// What the series stand for.
    pub by: By,
    /// The unit of the values.
    pub unit: &'static str,
    /// What the values stand for in words that hold for any system.
    pub role: SignalRole,
    /// Which direction is bad.
    pub worse: Worse,
    /// Whether there is a signal of it in every observation, or only the checker sees it.
    pub signal: bool,
    /// Whether no answer at all means zero: a counter that appears with its first event. For everything else, nothing is
    /// unknown.
    pub absent_is_zero: bool,
}

impl Query {
    /// The expression as it is sent.
    pub fn render(&self, window: &str, tikv: &str, pd: &str, instance: &str) -> String {
        self.expression.replace("$tikv", tikv).replace("$pd", pd).replace("$w", window).replace("$i", instance)
    }
}

/// The question of that name.
pub fn find(name: &str) -> Option<&'static Query> {
    ALL.iter().find(|query| query.name == name)
}

const fn query(name: &'static str, expression: &'static str, by: By, unit: &'static str) -> Query {
    Query {
        name,
        expression,
        by,
        unit,
        role: SignalRole::Other,
        worse: Worse::Higher,
        signal: false,
        absent_is_zero: false,
    }
}

impl Query {
    const fn signal(self, role: SignalRole, worse: Worse) -> Self {
        Self { role, worse, signal: true, ..self }
    }

    const fn role(self, role: SignalRole, worse: Worse) -> Self {
        Self { role, worse, ..self }
    }

    const fn absent_is_zero(self) -> Self {
        Self { absent_is_zero: true, ..self }
    }
}

use SignalRole::{Availability, Errors, Latency, Saturation, Traffic};
use Worse::{Higher, Lower, Neither};

/// The types of requests whose latency says something: neither those that wait on locks by design nor streams.
macro_rules! request_types {
    () => {
        r#"type=~"kv_get|kv_batch_get|kv_scan|kv_prewrite|kv_commit|coprocessor|raw_get|raw_put|raw_batch_put|raw_scan""#
    };
}

/// Every question, in no particular order.
pub const ALL: &[Query] = &[
    // Whether targets are there.
    query("store_scraped", "up{$tikv}", By::Store, "1").role(Availability, Lower),
    query("member_scraped", "up{$pd}", By::Member, "1").role(Availability, Lower),
    query("store_started", "process_start_time_seconds{$tikv}", By::Store, "s").role(SignalRole::Other, Neither),
    query("store_restarts", "changes(process_start_time_seconds{$tikv}[30m])", By::Store, "1"),
    // Requests.
    query(
        "request_duration_p99",
        concat!(
            "histogram_quantile(0.99, sum by (le,$i,type) (rate(tikv_grpc_msg_duration_seconds_bucket{$tikv,",
            request_types!(),
            "}[$w])))"
        ),
        By::StoreAnd("type"),
        "s",
    )
    .signal(Latency, Higher),
    query(
        "request_rate",
        concat!("sum by ($i,type) (rate(tikv_grpc_msg_duration_seconds_count{$tikv,", request_types!(), "}[$w]))"),
        By::StoreAnd("type"),
        "1/s",
    )
    .signal(Traffic, Neither),
    query("request_failures", "sum by ($i) (rate(tikv_grpc_msg_fail_total{$tikv}[$w]))", By::Store, "1/s")
        .signal(Errors, Higher)
        .absent_is_zero(),
    // The write path, in its order.
    query(
        "latch_wait_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_scheduler_latch_wait_duration_seconds_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .role(Latency, Higher),
    query("scheduler_writing_bytes", "sum by ($i) (tikv_scheduler_writing_bytes{$tikv})", By::Store, "bytes")
        .role(Saturation, Higher),
    query("scheduler_too_busy", "sum by ($i) (rate(tikv_scheduler_too_busy_total{$tikv}[$w]))", By::Store, "1/s")
        .signal(Errors, Higher)
        .absent_is_zero(),
    query("flow_discard_ratio", "max by ($i) (tikv_scheduler_discard_ratio{$tikv})", By::Store, "1")
        .role(Saturation, Higher)
        .absent_is_zero(),
    query(
        "propose_wait_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_raftstore_request_wait_time_duration_secs_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "append_log_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_raftstore_append_log_duration_seconds_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "commit_log_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_raftstore_commit_log_duration_seconds_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "apply_wait_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_raftstore_apply_wait_time_duration_secs_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "apply_log_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_raftstore_apply_log_duration_seconds_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .role(Latency, Higher),
    query(
        "log_lag_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_raftstore_log_lag_bucket{$tikv}[$w])))",
        By::Store,
        "1",
    )
    .role(Saturation, Higher),
    // Raft.
    query("raft_leaders", "sum by ($i) (tikv_raftstore_region_count{$tikv,type=\"leader\"})", By::Store, "1")
        .role(SignalRole::Other, Neither),
    query("raft_regions", "sum by ($i) (tikv_raftstore_region_count{$tikv,type=\"region\"})", By::Store, "1")
        .role(SignalRole::Other, Neither),
    query("leader_missing", "sum by ($i) (tikv_raftstore_leader_missing{$tikv})", By::Store, "1").role(Errors, Higher),
    query("slow_score", "max by ($i) (tikv_raftstore_slow_score{$tikv})", By::Store, "1").role(Saturation, Higher),
    query("channel_full", "sum by ($i) (rate(tikv_channel_full_total{$tikv}[$w]))", By::Store, "1/s")
        .role(Errors, Higher)
        .absent_is_zero(),
    query(
        "unreachable",
        "sum by ($i,store_id) (rate(tikv_server_report_failure_msg_total{$tikv,type=\"unreachable\"}[$w]))",
        By::StoreAnd("store_id"),
        "1/s",
    )
    .role(Errors, Higher)
    .absent_is_zero(),
    query(
        "snapshots",
        "sum by ($i) (tikv_raftstore_snapshot_traffic_total{$tikv,type=~\"sending|receiving|applying\"})",
        By::Store,
        "1",
    )
    .role(Saturation, Higher)
    .absent_is_zero(),
    // Reading.
    query(
        "coprocessor_wait_p999",
        "histogram_quantile(0.999, sum by (le,$i) (rate(tikv_coprocessor_request_wait_seconds_bucket{$tikv,type=\"all\"}[$w])))",
        By::Store,
        "s",
    )
    .role(Latency, Higher),
    query("read_pool_running", "sum by ($i) (tikv_unified_read_pool_running_tasks{$tikv})", By::Store, "1")
        .role(Saturation, Higher),
    // The storage engine.
    query(
        "write_stall_p99",
        "max by ($i) (tikv_engine_write_stall{$tikv,type=\"write_stall_percentile99\",db=\"kv\"}) / 1e6",
        By::Store,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "pending_compaction",
        "sum by ($i) (tikv_engine_pending_compaction_bytes{$tikv,db=\"kv\"})",
        By::Store,
        "bytes",
    )
    .role(Saturation, Higher),
    query(
        "level0_files",
        "max by ($i) (tikv_engine_num_files_at_level{$tikv,level=\"0\",db=\"kv\"})",
        By::Store,
        "1",
    )
    .role(Saturation, Higher),
    query("disk_capacity", "sum by ($i) (tikv_store_size_bytes{$tikv,type=\"capacity\"})", By::Store, "bytes")
        .role(SignalRole::Other, Neither),
    query("disk_available", "sum by ($i) (tikv_store_size_bytes{$tikv,type=\"available\"})", By::Store, "bytes")
        .role(Saturation, Lower),
    query("disk_used", "sum by ($i) (tikv_store_size_bytes{$tikv,type=\"used\"})", By::Store, "bytes")
        .role(Saturation, Higher),
    query("critical_errors", "sum by ($i) (increase(tikv_critical_error_total{$tikv}[$w]))", By::Store, "1")
        .signal(Errors, Higher)
        .absent_is_zero(),
    // The processor and memory.
    query(
        "thread_cpu",
        "sum by ($i,pool) (label_replace(rate(tikv_thread_cpu_seconds_total{$tikv}[$w]), \"pool\", \"$1\", \"name\", \
         \"^(raftstore|rs|apply|sched|grpc|unified_read_po|store_write).*\"))",
        By::StoreAnd("pool"),
        "1",
    )
    .role(Saturation, Higher),
    query("cpu", "sum by ($i) (rate(process_cpu_seconds_total{$tikv}[$w]))", By::Store, "1").signal(Saturation, Higher),
    query("cpu_quota", "max by ($i) (tikv_server_cpu_cores_quota{$tikv})", By::Store, "1")
        .role(SignalRole::Other, Neither),
    query("memory", "max by ($i) (process_resident_memory_bytes{$tikv})", By::Store, "bytes")
        .signal(Saturation, Higher),
    query("memory_quota", "max by ($i) (tikv_server_memory_quota_bytes{$tikv})", By::Store, "bytes")
        .role(SignalRole::Other, Neither),
    query(
        "resolved_ts_lag",
        "max by ($i) (tikv_resolved_ts_min_resolved_ts_gap_millis{$tikv}) / 1e3",
        By::Store,
        "s",
    )
    .role(Latency, Higher),
    // PD.
    query(
        "wal_fsync_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{$pd}[$w])))",
        By::Member,
        "s",
    )
    .signal(Latency, Higher),
    query("etcd_leader_changes", "max by ($i) (increase(etcd_server_leader_changes_seen_total{$pd}[10m]))", By::Member, "1"),
    query(
        "tso_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(pd_server_handle_tso_duration_seconds_bucket{$pd}[$w])))",
        By::Member,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "system_time_slow",
        "sum by ($i) (increase(pd_tso_events{$pd,type=\"system_time_slow\"}[10m]))",
        By::Member,
        "1",
    )
    .signal(Errors, Higher)
    .absent_is_zero(),
    query(
        "time_jump_back",
        "sum by ($i) (increase(pd_monitor_time_jump_back_total{$pd}[10m]))",
        By::Member,
        "1",
    )
    .role(Errors, Higher)
    .absent_is_zero(),
    query("pd_regions", "pd_regions_status{$pd}", By::Leader("type"), "1"),
    query(
        "no_target_store",
        "sum by ($i,type) (increase(pd_checker_event_count{$pd,name=~\"no_target_store|no-target-store\"}[$w]))",
        By::Leader("type"),
        "1",
    )
    .absent_is_zero(),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_question_has_a_name_of_its_own_and_is_rendered_whole() {
        let names: BTreeSet<_> = ALL.iter().map(|query| query.name).collect();
        assert_eq!(names.len(), ALL.len());
        for query in ALL {
            let rendered = query.render("1m", "job=\"tikv\"", "job=\"pd\"", "instance");
            // `$1` is a reference to what a regular expression matched.
            assert!(!rendered.replace("\"$1\"", "").contains('$'), "{}: {rendered}", query.name);
            assert!(rendered.contains("job="), "{}", query.name);
        }
    }
}
