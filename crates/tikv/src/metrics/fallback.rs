//! What PD's leader exposes itself, for when no Prometheus answers: few of the questions, but those about the whole
//! cluster among them.
//!
//! A quantile is of what happened between two looks, as far back as about a minute; an increase is over ten minutes,
//! both as the catalogue asks Prometheus for them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use operator_prometheus::{Exposition, ExpositionLimits, Histogram, Sample, read_bounded};
use operator_protocols::Timestamp;
use reqwest::Client;

use crate::details::Answer;

/// How long PD may take to show its metrics.
const TIMEOUT: Duration = Duration::from_secs(3);
/// PD shows about 4,000 series, and several for each store.
const LIMITS: ExpositionLimits =
    ExpositionLimits { bytes: 16 << 20, line_bytes: 16 << 10, series: 100_000, labels: 64 };
/// Over which time a quantile is taken, at least, once it is possible.
const QUANTILE_OVER: Duration = Duration::from_secs(60);
/// Over which time an increase is taken, at most.
const INCREASE_OVER: Duration = Duration::from_secs(600);
/// Looks that are remembered for it.
const MAX_LOOKS: usize = 200;

/// Questions that are a quantile of a histogram.
const QUANTILES: [(&str, &str); 3] = [
    ("wal_fsync_p99", "etcd_disk_wal_fsync_duration_seconds"),
    ("etcd_peer_roundtrip_p99", "etcd_network_peer_round_trip_time_seconds"),
    ("tso_p99", "pd_server_handle_tso_duration_seconds"),
];

/// Questions that are an increase of a counter, and the type of its series that counts, if not all do.
const INCREASES: [(&str, &str, Option<&str>); 3] = [
    ("etcd_leader_changes", "etcd_server_leader_changes_seen_total", None),
    ("system_time_slow", "pd_tso_events", Some("system_time_slow")),
    ("time_jump_back", "pd_monitor_time_jump_back_total", None),
];

/// Questions about stores, by the type of PD's `pd_scheduler_store_status`.
const OF_STORES: [(&str, &str); 5] = [
    ("disk_capacity", "store_capacity"),
    ("disk_available", "store_available"),
    ("disk_used", "store_used"),
    ("raft_leaders", "leader_count"),
    ("raft_regions", "region_count"),
];

/// What was seen at one look, as far as a later one needs it.
#[derive(Debug)]
struct Look {
    at: Timestamp,
    started: Option<f64>,
    histograms: BTreeMap<&'static str, Histogram>,
    counters: BTreeMap<&'static str, f64>,
}

/// Reads PD's own metrics, and remembers earlier looks at one member.
#[derive(Debug, Default)]
pub(super) struct Fallback {
    looks: Mutex<(String, VecDeque<Look>)>,
}

impl Fallback {
    /// The answers that the member called `leader`, which leads, gives at one of `urls`.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn read(
        &self,
        http: &Client,
        leader: &str,
        urls: &[String],
        at: Timestamp,
    ) -> Result<BTreeMap<String, Answer>, String> {
        let mut why = "PD does not say where its leader is reached".to_owned();
        for url in urls {
            match fetch(http, url).await {
                Ok(exposition) => return Ok(self.answers(leader, &exposition, at)),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// What an exposition of the leader answers.
    fn answers(&self, leader: &str, exposition: &Exposition, at: Timestamp) -> BTreeMap<String, Answer> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, looks) = &mut *looks;
        let look = Look::of(exposition, at);
        // Another member, or another process, counts from its own start.
        if of != leader || looks.back().is_some_and(|last| last.started != look.started || last.at >= at) {
            looks.clear();
            leader.clone_into(of);
        }
        let mut answers = gauges(leader, exposition);
        let member = |value: f64| Answer { members: [(leader.to_owned(), value)].into(), ..Answer::default() };
        let earlier = looks.iter().rev().find(|earlier| at.since(earlier.at) >= QUANTILE_OVER).or(looks.front());
        for (query, histogram) in &look.histograms {
            let quantile = earlier
                .and_then(|earlier| earlier.histograms.get(query))
                .and_then(|earlier| histogram.since(earlier).ok())
                .and_then(|between| between.quantile(0.99));
            if let Some(value) = quantile.filter(|value| value.is_finite()) {
                answers.insert((*query).to_owned(), member(value));
            }
        }
        while looks.front().is_some_and(|first| at.since(first.at) > INCREASE_OVER) || looks.len() >= MAX_LOOKS {
            looks.pop_front();
        }
        for (query, count) in &look.counters {
            if let Some(before) = looks.front().and_then(|first| first.counters.get(query)) {
                answers.insert((*query).to_owned(), member((count - before).max(0.0)));
            }
        }
        looks.push_back(look);
        answers
    }
}

impl Look {
    fn of(exposition: &Exposition, at: Timestamp) -> Self {
        let counter = |metric, kind: Option<&str>| {
            let labels: Vec<_> = kind.map(|kind| ("type", kind)).into_iter().collect();
            exposition.sum(metric, &labels).filter(|count| count.is_finite())
        };
        Self {
            at,
            started: counter("process_start_time_seconds", None),
            histograms: QUANTILES
                .iter()
                .filter_map(|(query, metric)| Some((*query, Histogram::of(exposition, metric, &[]).ok()?)))
                .collect(),
            counters: INCREASES
                .iter()
                .filter_map(|(query, metric, kind)| Some((*query, counter(metric, *kind)?)))
                .collect(),
        }
    }
}

/// The questions that are answered by how things are now.
fn gauges(leader: &str, exposition: &Exposition) -> BTreeMap<String, Answer> {
    let mut answers = BTreeMap::new();
    let mut add = |query: &str, answer: Answer| {
        if answer != Answer::default() {
            answers.insert(query.to_owned(), answer);
        }
    };
    let finite = |sample: &&Sample| sample.value.is_finite();
    let by_type = exposition
        .samples("pd_regions_status", &[])
        .filter(finite)
        .filter_map(|sample| Some((sample.labels.get("type")?.clone(), sample.value)));
    add("pd_regions", Answer { leader: by_type.collect(), ..Answer::default() });
    for (query, kind) in OF_STORES {
        let labels = [("type", kind)];
        let of_stores = exposition
            .samples("pd_scheduler_store_status", &labels)
            .filter(finite)
            .filter_map(|sample| Some((sample.labels.get("store")?.parse().ok()?, sample.value)));
        add(query, Answer { stores: of_stores.collect(), ..Answer::default() });
    }
    let used = exposition.sum("etcd_mvcc_db_total_size_in_bytes", &[]);
    let quota = exposition.sum("etcd_server_quota_backend_bytes", &[]).filter(|quota| *quota > 0.0);
    if let Some(share) = used.zip(quota).map(|(used, quota)| used / quota).filter(|share| share.is_finite()) {
        add("etcd_quota_used", Answer { members: [(leader.to_owned(), share)].into(), ..Answer::default() });
    }
    answers
}

async fn fetch(http: &Client, url: &str) -> Result<Exposition, String> {
    let url = format!("{}/metrics", url.trim_end_matches('/'));
    let response = http.get(&url).timeout(TIMEOUT).send().await.map_err(|error| format!("{url}: {error}"))?;
    let status = response.status();
    let body = read_bounded(response, LIMITS.bytes).await.map_err(|error| format!("{url}: {error}"))?;
    if !status.is_success() {
        return Err(format!("{url} answered with status {}", status.as_u16()));
    }
    Exposition::parse(&body, &LIMITS).map_err(|error| format!("{url}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposition(started: u32, slow: u32, fast: u32, changes: u32) -> Exposition {
        let all = slow + fast;
        let text = format!(
            "process_start_time_seconds {started}\n\
             pd_regions_status{{type=\"miss-peer-region-count\"}} 3\n\
             pd_scheduler_store_status{{address=\"a:20160\",store=\"4\",type=\"store_available\"}} 5e9\n\
             etcd_server_leader_changes_seen_total {changes}\n\
             etcd_mvcc_db_total_size_in_bytes 2\netcd_server_quota_backend_bytes 8\n\
             # TYPE etcd_disk_wal_fsync_duration_seconds histogram\n\
             etcd_disk_wal_fsync_duration_seconds_bucket{{le=\"0.001\"}} {fast}\n\
             etcd_disk_wal_fsync_duration_seconds_bucket{{le=\"0.512\"}} {all}\n\
             etcd_disk_wal_fsync_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n\
             etcd_disk_wal_fsync_duration_seconds_sum 1\netcd_disk_wal_fsync_duration_seconds_count {all}\n"
        );
        Exposition::parse(text.as_bytes(), &LIMITS).expect("well formed")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[test]
    fn what_is_now_is_answered_at_once_and_what_happened_from_the_second_look_on() {
        let fallback = Fallback::default();
        let first = fallback.answers("pd-0", &exposition(1, 0, 1000, 1), at(0));
        assert_eq!(first["pd_regions"].leader["miss-peer-region-count"], 3.0);
        assert_eq!(first["disk_available"].stores[&4], 5e9);
        assert_eq!(first["etcd_quota_used"].members["pd-0"], 0.25);
        assert!(!first.contains_key("wal_fsync_p99") && !first.contains_key("etcd_leader_changes"));

        let second = fallback.answers("pd-0", &exposition(1, 100, 1000, 3), at(5));
        assert!(second["wal_fsync_p99"].members["pd-0"] > 0.5, "only the slow ones came since");
        assert_eq!(second["etcd_leader_changes"].members["pd-0"], 2.0);

        let third = fallback.answers("pd-0", &exposition(1, 100, 2000, 3), at(90));
        assert!(third["wal_fsync_p99"].members["pd-0"] < 0.002, "a minute ago they were over");
        assert_eq!(third["etcd_leader_changes"].members["pd-0"], 2.0, "ten minutes are not over");
        let last = fallback.answers("pd-0", &exposition(1, 100, 2000, 3), at(604));
        assert_eq!(last["etcd_leader_changes"].members["pd-0"], 0.0, "now they are");
    }

    #[test]
    fn another_member_or_another_start_begins_afresh() {
        let fallback = Fallback::default();
        fallback.answers("pd-0", &exposition(1, 0, 1000, 9), at(0));
        for (member, started) in [("pd-1", 1), ("pd-1", 2)] {
            let answers = fallback.answers(member, &exposition(started, 0, 10, 1), at(5));
            assert!(!answers.contains_key("etcd_leader_changes"), "{member} {started}");
        }
    }
}
