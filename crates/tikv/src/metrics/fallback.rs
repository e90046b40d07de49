//! What targets expose themselves, for when no Prometheus answers: PD's leader, and in a small cluster the stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use operator_prometheus::{Exposition, ExpositionLimits, Sample, read_bounded};
use operator_protocols::Timestamp;
use reqwest::Client;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Known;
use super::address::Endpoint;
use super::direct::{Direct, Form, Looks};
use crate::details::{Answer, StoreDetail};
use crate::queries::{self, By};

/// More stores are not asked one by one: that is what a Prometheus is for.
const MAX_STORES: usize = 20;
/// Targets asked at once.
const AT_ONCE: usize = 8;
/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// A store with many threads and regions shows some 20,000 series.
const LIMITS: ExpositionLimits =
    ExpositionLimits { bytes: 16 << 20, line_bytes: 16 << 10, series: 100_000, labels: 64 };

/// What PD's leader answers of itself.
const OF_LEADER: [Direct; 8] = [
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
const OF_LEADER_BY_STORE: [(&str, &str); 5] = [
    ("disk_capacity", "store_capacity"),
    ("disk_available", "store_available"),
    ("disk_used", "store_used"),
    ("raft_leaders", "leader_count"),
    ("raft_regions", "region_count"),
];

/// What a store answers of itself.
const OF_STORE: [Direct; 29] = [
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
const REQUESTS: &str = "tikv_grpc_msg_duration_seconds";

/// Which target it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Member(String),
    Store(u64),
}

/// Why a target could not be read.
#[derive(Debug)]
struct Unread {
    why: String,
    /// Whether nobody listens there.
    refused: bool,
}

/// Reads what targets expose, and remembers earlier looks at them.
#[derive(Debug, Default)]
pub(super) struct Fallback {
    looks: Mutex<BTreeMap<Target, Looks>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct FellBack {
    /// The answers.
    pub(super) answers: BTreeMap<String, Answer>,
    /// The member that they are from, if it could be read.
    pub(super) member: Option<String>,
    /// How many stores could be read.
    pub(super) stores: u64,
    /// What could not be read, and why.
    pub(super) unread: Vec<(String, String)>,
}

impl Fallback {
    /// Reads PD's leader and, if `stores_too` and they are few, the stores.
    pub(super) async fn read(&self, http: &Client, known: &Known<'_>, stores_too: bool, at: Timestamp) -> FellBack {
        let mut back = FellBack::default();
        self.read_leader(http, known, at, &mut back).await;
        if stores_too && known.scraped_stores().count() <= MAX_STORES {
            self.read_stores(http, known, at, &mut back).await;
        }
        back
    }

    async fn read_leader(&self, http: &Client, known: &Known<'_>, at: Timestamp, back: &mut FellBack) {
        let mut unread = |why: &str| back.unread.push(("metrics of PD".to_owned(), why.to_owned()));
        let Some((name, member)) = known.leader.and_then(|name| Some((name, known.members.get(name)?))) else {
            return unread("it is not known which member of PD leads");
        };
        let mut why = "PD does not say where its leader is reached".to_owned();
        for url in &member.urls {
            match fetch(http, url).await {
                Ok(exposition) => {
                    back.member = Some(name.to_owned());
                    self.take_leader(name, known, &exposition, at, &mut back.answers);
                    return;
                }
                Err(error) => why = error.why,
            }
        }
        unread(&why);
    }

    fn take_leader(
        &self,
        name: &str,
        known: &Known<'_>,
        exposition: &Exposition,
        at: Timestamp,
        answers: &mut BTreeMap<String, Answer>,
    ) {
        let values = self.add(Target::Member(name.to_owned()), &OF_LEADER, exposition, at);
        let mut of_member = |query: &str, value: f64| {
            answers.entry(query.to_owned()).or_default().members.insert(name.to_owned(), value);
        };
        let (alone, [size, quota]) = values.split_at(OF_LEADER.len() - 2) else { return };
        for (question, value) in OF_LEADER.iter().zip(alone) {
            if let Some(value) = value {
                of_member(question.query, *value);
            }
        }
        if let (Some(size), Some(quota)) = (size, quota.filter(|quota| *quota > 0.0)) {
            of_member("etcd_quota_used", size / quota);
        }
        let finite = |sample: &&Sample| sample.value.is_finite();
        for sample in exposition.samples("pd_regions_status", &[]).filter(finite) {
            if let Some(kind) = sample.labels.get("type") {
                answers.entry("pd_regions".to_owned()).or_default().leader.insert(kind.clone(), sample.value);
            }
        }
        for (query, kind) in OF_LEADER_BY_STORE {
            for sample in exposition.samples("pd_scheduler_store_status", &[("type", kind)]).filter(finite) {
                let id = sample.labels.get("store").and_then(|id| id.parse().ok());
                if let Some(id) = id.filter(|id| known.stores.contains_key(id)) {
                    answers.entry(query.to_owned()).or_default().stores.insert(id, sample.value);
                }
            }
        }
    }

    async fn read_stores(&self, http: &Client, known: &Known<'_>, at: Timestamp, back: &mut FellBack) {
        let tls = known.members.values().flat_map(|member| &member.urls).any(|url| url.starts_with("https://"));
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut under_way = JoinSet::new();
        for (id, store) in known.scraped_stores() {
            let Some(url) = status_url(store, tls) else { continue };
            let (http, turns) = (http.clone(), Arc::clone(&turns));
            under_way.spawn(async move {
                let _turn = turns.acquire_owned().await;
                (id, fetch(&http, &url).await)
            });
        }
        let (mut reached, mut refused) = (BTreeSet::new(), Vec::new());
        while let Some(done) = under_way.join_next().await {
            match done {
                Ok((id, Ok(exposition))) => {
                    reached.insert(id);
                    self.take_store(id, &exposition, at, &mut back.answers);
                }
                Ok((id, Err(error))) => {
                    if error.refused {
                        refused.push(id);
                    }
                    back.unread.push((format!("metrics of store {id}"), error.why));
                }
                Err(_) => {}
            }
        }
        back.stores = reached.len() as u64;
        if reached.is_empty() {
            return;
        }
        // That nobody listens says something only where others can be reached from here.
        let scraped = &mut back.answers.entry("store_scraped".to_owned()).or_default().stores;
        scraped.extend(reached.iter().map(|id| (*id, 1.0)));
        scraped.extend(refused.into_iter().map(|id| (id, 0.0)));
        for query in queries::ALL.iter().filter(|query| query.absent_is_zero && query.by == By::Store) {
            if OF_STORE.iter().any(|question| question.query == query.name) {
                let answer = back.answers.entry(query.name.to_owned()).or_default();
                for id in &reached {
                    answer.stores.entry(*id).or_insert(0.0);
                }
            }
        }
    }

    fn take_store(&self, id: u64, exposition: &Exposition, at: Timestamp, answers: &mut BTreeMap<String, Answer>) {
        let requests = queries::REQUEST_TYPES.iter().flat_map(|kind| {
            [("request_rate", Form::Rate), ("request_duration_p99", Form::Quantile(0.99))]
                .map(|(query, form)| Direct::new(query, REQUESTS, form).with("type", kind))
        });
        let questions: Vec<Direct> = OF_STORE
            .into_iter()
            .chain(requests.map(|question| match question.form {
                Form::Rate => Direct { metric: "tikv_grpc_msg_duration_seconds_count", ..question },
                _ => question,
            }))
            .collect();
        let values = self.add(Target::Store(id), &questions, exposition, at);
        for (question, value) in questions.iter().zip(values) {
            let Some(value) = value else { continue };
            let answer = answers.entry(question.query.to_owned()).or_default();
            match (question.query, question.label) {
                ("request_rate" | "request_duration_p99", Some((_, kind))) => {
                    answer.stores_by.entry(kind.to_owned()).or_default().insert(id, value);
                    if let Some(query) = queries::find(question.query) {
                        super::merge(query, answer.stores.entry(id).or_insert(f64::NAN), value);
                    }
                }
                _ => {
                    answer.stores.insert(id, value);
                }
            }
        }
    }

    fn add(&self, target: Target, questions: &[Direct], exposition: &Exposition, at: Timestamp) -> Vec<Option<f64>> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the member that leads is asked: what another one counted is over.
        if matches!(target, Target::Member(_)) {
            looks.retain(|other, _| *other == target || matches!(other, Target::Store(_)));
        }
        // Stores come and go over months.
        if looks.len() > 2 * MAX_STORES && !looks.contains_key(&target) {
            looks.clear();
        }
        looks.entry(target).or_default().add(questions, exposition, at)
    }
}

/// Where a store shows its metrics; none, if PD does not know.
fn status_url(store: &StoreDetail, tls: bool) -> Option<String> {
    let status = Endpoint::of(&store.status_address);
    let port = status.port?;
    let host = if status.is_anywhere() { Endpoint::of(&store.address).host } else { status.host };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let scheme = if tls { "https" } else { "http" };
    (!host.is_empty()).then(|| format!("{scheme}://{host}:{port}"))
}

async fn fetch(http: &Client, url: &str) -> Result<Exposition, Unread> {
    let url = format!("{}/metrics", url.trim_end_matches('/'));
    let unread = |why: String| Unread { why: format!("{url}: {why}"), refused: false };
    let response = http.get(&url).timeout(TIMEOUT).send().await.map_err(|error| {
        let refused = error.is_connect() && !error.is_timeout();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Unread { why: format!("{error}{cause}"), refused }
    })?;
    let status = response.status();
    let body = read_bounded(response, LIMITS.bytes).await.map_err(|error| unread(error.to_string()))?;
    if !status.is_success() {
        return Err(unread(format!("status {}", status.as_u16())));
    }
    Exposition::parse(&body, &LIMITS).map_err(|error| unread(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_without_prometheus_is_in_the_catalogue() {
        for question in OF_LEADER.iter().chain(&OF_STORE) {
            let query = queries::find(question.query).unwrap_or_else(|| panic!("{}", question.query));
            assert!(query.metrics().any(|metric| metric.starts_with(question.metric)), "{}", query.name);
            let increases = matches!(question.form, Form::Increase | Form::Rate);
            assert_eq!(increases, query.expression.contains("[$w]") && !query.expression.contains("_quantile"));
        }
        for (query, _) in OF_LEADER_BY_STORE {
            assert!(queries::find(query).is_some(), "{query}");
        }
    }

    #[test]
    fn a_store_shows_its_metrics_at_its_status_address() {
        let url = |address: &str, status: &str, tls| {
            let (address, status_address) = (address.to_owned(), status.to_owned());
            status_url(&StoreDetail { address, status_address, ..StoreDetail::default() }, tls)
        };
        assert_eq!(url("a:20160", "b:20180", false).as_deref(), Some("http://b:20180"));
        assert_eq!(url("a:20160", "0.0.0.0:20180", true).as_deref(), Some("https://a:20180"));
        assert_eq!(url("[::1]:20160", "[::]:20180", false).as_deref(), Some("http://[::1]:20180"));
        assert_eq!(url("a:20160", "", false), None);
    }
}
