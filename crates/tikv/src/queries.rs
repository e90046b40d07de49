//! Every question that is put to Prometheus, in one catalogue: what the subject reads and what a simulator of TiKV must
//! answer are the same list.
//!
//! Metric names were taken from TiKV's and PD's sources, not from the alert rules that are shipped with them. Four of
//! those rules can never fire, from v5.4 on; what is asked here instead:
//!
//! | rule as shipped | why it never fires | asked instead |
//! |---|---|---|
//! | `PD_miss_peer_region_count` | asks for `miss_peer_region_count`; PD exposes `miss-peer-region-count` | `pd_regions`, by type as PD spells it |
//! | `TiKV_leader_drops` | `tikv_pd_heartbeat_tick_total` is no longer exposed | `leader_drop`, from `tikv_raftstore_region_count` |
//! | `TiKV_coprocessor_pending_request` | `tikv_coprocessor_pending_request` is no longer exposed | `read_pool_running` |
//! | `TiKV_thread_apply_worker_cpu_seconds` | a regular expression behind `=` instead of `=~` | `thread_cpu`, pool `apply` |
//!
//! Further things that are easily got wrong: TiKV exposes its discard ratio times 10,000,000 (`RATIO_PRECISION` in its
//! flow controller) and write stalls in microseconds; a counter that is first exposed with its first event has no
//! increase then, so that the only critical error there ever was would not be seen.

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
    /// Whether there may be no such metric although all is well: it depends on the version, or on how the cluster is
    /// used. Of any other question, a metric that does not exist is a gap in what is seen.
    pub may_be_absent: bool,
    /// Whether the answer tells of a time that passed, so that it says something of a target that is no longer scraped.
    /// Any other number of such a target is stale.
    pub looks_back: bool,
    /// Whether the sum of a store's series counts for the store, not the greatest.
    pub summed: bool,
}

impl Query {
    /// The expression as it is sent.
    pub fn render(&self, window: &str, tikv: &str, pd: &str, instance: &str) -> String {
        self.expression.replace("$tikv", tikv).replace("$pd", pd).replace("$w", window).replace("$i", instance)
    }

    /// The metrics it asks for: in the catalogue each of them has matchers.
    pub fn metrics(&self) -> impl Iterator<Item = &'static str> {
        let mut before_braces: Vec<_> = self.expression.split('{').collect();
        before_braces.pop();
        before_braces.into_iter().filter_map(|text| {
            let name = text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).next()?;
            (!name.is_empty()).then_some(name)
        })
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
        may_be_absent: false,
        looks_back: false,
        summed: false,
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

    const fn may_be_absent(self) -> Self {
        Self { may_be_absent: true, ..self }
    }

    const fn looks_back(self) -> Self {
        Self { looks_back: true, ..self }
    }

    const fn summed(self) -> Self {
        Self { summed: true, ..self }
    }
}

use SignalRole::{Availability, Errors, Latency, Saturation, Traffic};
use Worse::{Higher, Lower, Neither};

/// The types of requests whose latency says something, as the matcher below has them.
pub(crate) const REQUEST_TYPES: [&str; 10] = [
    "kv_get",
    "kv_batch_get",
    "kv_scan",
    "kv_prewrite",
    "kv_commit",
    "coprocessor",
    "raw_get",
    "raw_put",
    "raw_batch_put",
    "raw_scan",
];

/// The matcher of the types of requests whose latency says something: neither those that wait on locks by design nor streams.
macro_rules! request_types {
    () => {
        r#"type=~"kv_get|kv_batch_get|kv_scan|kv_prewrite|kv_commit|coprocessor|raw_get|raw_put|raw_batch_put|raw_scan""#
    };
}

/// Every question, in no particular order.
pub const ALL: &[Query] = &[
    // Whether targets are there.
    query("store_scraped", "up{$tikv}", By::Store, "1").role(Availability, Lower).looks_back(),
    query("member_scraped", "up{$pd}", By::Member, "1").role(Availability, Lower).looks_back(),
    query("store_started", "process_start_time_seconds{$tikv}", By::Store, "s").role(SignalRole::Other, Neither),
    query("store_restarts", "changes(process_start_time_seconds{$tikv}[30m])", By::Store, "1").looks_back(),
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
    .signal(Latency, Higher)
    .may_be_absent(),
    query(
        "request_rate",
        concat!("sum by ($i,type) (rate(tikv_grpc_msg_duration_seconds_count{$tikv,", request_types!(), "}[$w]))"),
        By::StoreAnd("type"),
        "1/s",
    )
    .signal(Traffic, Neither)
    .summed()
    .may_be_absent(),
    query("request_failures", "sum by ($i) (rate(tikv_grpc_msg_fail_total{$tikv}[$w]))", By::Store, "1/s")
        .signal(Errors, Higher)
        .absent_is_zero(),
    // The write path, in its order: what the storage layer waits for as a whole, then its steps.
    query(
        "storage_write_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_storage_engine_async_request_duration_seconds_bucket{$tikv,\
         type=\"write\"}[$w])))",
        By::Store,
        "s",
    )
    .role(Latency, Higher)
    .may_be_absent(),
    query(
        "storage_snapshot_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_storage_engine_async_request_duration_seconds_bucket{$tikv,\
         type=\"snapshot\"}[$w])))",
        By::Store,
        "s",
    )
    .role(Latency, Higher)
    .may_be_absent(),
    query(
        "latch_wait_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(tikv_scheduler_latch_wait_duration_seconds_bucket{$tikv}[$w])))",
        By::Store,
        "s",
    )
    .role(Latency, Higher)
    .may_be_absent(),
    query("scheduler_writing_bytes", "sum by ($i) (tikv_scheduler_writing_bytes{$tikv})", By::Store, "bytes")
        .role(Saturation, Higher),
    query("scheduler_too_busy", "sum by ($i) (rate(tikv_scheduler_too_busy_total{$tikv}[$w]))", By::Store, "1/s")
        .signal(Errors, Higher)
        .absent_is_zero(),
    query("flow_discard_ratio", "max by ($i) (tikv_scheduler_discard_ratio{$tikv}) / 1e7", By::Store, "1")
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
    query(
        "leader_drop",
        "sum by ($i) (delta(tikv_raftstore_region_count{$tikv,type=\"leader\"}[$w]))",
        By::Store,
        "1",
    )
    .role(SignalRole::Other, Lower),
    query("leader_missing", "sum by ($i) (tikv_raftstore_leader_missing{$tikv})", By::Store, "1").role(Errors, Higher),
    query("slow_score", "max by ($i) (tikv_raftstore_slow_score{$tikv})", By::Store, "1").role(Saturation, Higher),
    query("channel_full", "sum by ($i) (rate(tikv_channel_full_total{$tikv}[$w]))", By::Store, "1/s")
        .role(Errors, Higher)
        .absent_is_zero(),
    query(
        "unreachable",
        "sum by ($i,store_id) (rate(tikv_server_report_failure_msg_total{$tikv,type=\"unreachable\"}[$w])) > 0",
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
    .role(Latency, Higher)
    .may_be_absent(),
    query("read_pool_running", "sum by ($i) (tikv_unified_read_pool_running_tasks{$tikv})", By::Store, "1")
        .role(Saturation, Higher)
        .may_be_absent(),
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
    // The second half is the counter's birth: it was not there a window ago, although its target was.
    query(
        "critical_errors",
        "sum by ($i) (increase(tikv_critical_error_total{$tikv}[$w]) > 0 or ((tikv_critical_error_total{$tikv} unless \
         tikv_critical_error_total{$tikv} offset $w) and on ($i) (up{$tikv} offset $w == 1)))",
        By::Store,
        "1",
    )
    .signal(Errors, Higher)
    .absent_is_zero()
    .looks_back(),
    // The processor and memory.
    // Linux cuts the name of a thread after 15 characters: `unified-read-pool-3` is `unified_read_po`.
    query(
        "thread_cpu",
        "sum by ($i,pool) (label_replace(rate(tikv_thread_cpu_seconds_total{$tikv,\
         name=~\"(raftstore|rs|apply|sched|grpc|unified_read_po|store_write)(?:r?_.*|)\"}[$w]), \"pool\", \"$1\", \"name\", \
         \"(raftstore|rs|apply|sched|grpc|unified_read_po|store_write)(?:r?_.*|)\"))",
        By::StoreAnd("pool"),
        "cores",
    )
    .role(Saturation, Higher),
    query("cpu", "sum by ($i) (rate(process_cpu_seconds_total{$tikv}[$w]))", By::Store, "cores")
        .signal(Saturation, Higher),
    query("cpu_quota", "max by ($i) (tikv_server_cpu_cores_quota{$tikv})", By::Store, "cores")
        .role(SignalRole::Other, Neither)
        .may_be_absent(),
    query("memory", "max by ($i) (process_resident_memory_bytes{$tikv})", By::Store, "bytes")
        .signal(Saturation, Higher),
    query("memory_quota", "max by ($i) (tikv_server_memory_quota_bytes{$tikv})", By::Store, "bytes")
        .role(SignalRole::Other, Neither)
        .may_be_absent(),
    query(
        "resolved_ts_lag",
        "max by ($i) (tikv_resolved_ts_min_resolved_ts_gap_millis{$tikv}) / 1e3",
        By::Store,
        "s",
    )
    .role(Latency, Higher)
    .may_be_absent(),
    // PD.
    query(
        "wal_fsync_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{$pd}[$w])))",
        By::Member,
        "s",
    )
    .signal(Latency, Higher),
    query(
        "etcd_peer_roundtrip_p99",
        "histogram_quantile(0.99, sum by (le,$i) (rate(etcd_network_peer_round_trip_time_seconds_bucket{$pd}[$w])))",
        By::Member,
        "s",
    )
    .role(Latency, Higher)
    .may_be_absent(),
    query(
        "etcd_quota_used",
        "max by ($i) (etcd_mvcc_db_total_size_in_bytes{$pd}) / max by ($i) (etcd_server_quota_backend_bytes{$pd})",
        By::Member,
        "1",
    )
    .role(Saturation, Higher),
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
    .role(Errors, Higher)
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
    // With placement rules, which is the default, a checker that finds no store says `no-store-add` or
    // `no-store-replace` (PD's `rule_checker.go`); without them `no-target-store`, once spelt with underscores.
    query(
        "no_target_store",
        "sum by ($i,type) (increase(pd_checker_event_count{$pd,\
         name=~\"no[-_]target[-_]store|no-store-(add|replace|then-try-replace|down|offline)\"}[$w]))",
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

    #[test]
    fn the_types_of_requests_are_listed_as_they_are_asked_for() {
        assert_eq!(request_types!(), format!("type=~\"{}\"", REQUEST_TYPES.join("|")));
    }

    #[test]
    fn the_metrics_of_a_question_are_those_that_have_matchers() {
        let metrics = |name| find(name).expect("in the catalogue").metrics().collect::<Vec<_>>();
        assert_eq!(metrics("slow_score"), ["tikv_raftstore_slow_score"]);
        assert_eq!(metrics("etcd_quota_used"), ["etcd_mvcc_db_total_size_in_bytes", "etcd_server_quota_backend_bytes"]);
        for query in ALL {
            let metrics: Vec<_> = query.metrics().collect();
            assert!(!metrics.is_empty(), "{}", query.name);
            assert!(
                metrics.iter().all(|metric| metric.contains('_') || *metric == "up"),
                "{}: {metrics:?}",
                query.name
            );
        }
    }
}
