//! The node's metrics, named and labelled as the public contract says: every series has `node_id`, none has a key.

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds: from a fast local answer to far beyond any timeout, with 100 ms, where a limiter begins to hurt, on a boundary.
const BUCKETS: [f64; 17] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ModeLabel {
    mode: &'static str,
}

/// All metrics of one node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    checked: Family<ResultLabel, Counter>,
    degraded: Family<ModeLabel, Counter>,
    /// Seconds a decision takes.
    pub check_duration: Histogram,
    /// (key, window) with grants of this node inside their window.
    pub active_counters: Gauge,
    /// 1 while Redis answers pings.
    pub redis_up: Gauge,
    /// Calls to Redis that failed or timed out.
    pub redis_errors: Counter,
    /// Seconds of a script call or ping.
    pub redis_roundtrip: Histogram,
    /// Seconds by which a timer was late, the most of the last 5 s.
    pub loop_lag: Gauge<f64, AtomicU64>,
    /// Script calls whose outcome was never learned in time.
    pub unanswered: Counter,
    /// Script calls that came after their deadline.
    pub late: Counter,
    /// Decisions refused because a log did not parse.
    pub corrupt_logs: Counter,
    /// Entries of the longest log met.
    pub longest_log: Gauge<i64, AtomicI64>,
    /// (key, window) with rows in `/api/admitted`.
    pub admitted_tracked: Gauge,
    /// (key, window) of the last minute without room there.
    pub admitted_untracked: Gauge,
}

impl Metrics {
    /// Registers everything for this node; the histograms and counters start at zero.
    #[must_use]
    pub fn new(node_id: &str) -> Self {
        let labels = std::iter::once((Cow::Borrowed("node_id"), Cow::Owned(node_id.to_owned())));
        let mut registry = Registry::with_prefix_and_labels("ratelimiter", labels);
        let metrics = Self {
            checked: Family::default(),
            degraded: Family::default(),
            check_duration: Histogram::new(BUCKETS),
            active_counters: Gauge::default(),
            redis_up: Gauge::default(),
            redis_errors: Counter::default(),
            redis_roundtrip: Histogram::new(BUCKETS),
            loop_lag: Gauge::default(),
            unanswered: Counter::default(),
            late: Counter::default(),
            corrupt_logs: Counter::default(),
            longest_log: Gauge::default(),
            admitted_tracked: Gauge::default(),
            admitted_untracked: Gauge::default(),
            registry: Registry::default(),
        };
        for result in ["allowed", "blocked"] {
            let _ = metrics.checked.get_or_create(&ResultLabel { result });
        }
        for mode in ["local", "open", "closed"] {
            let _ = metrics.degraded.get_or_create(&ModeLabel { mode });
        }
        let up: Gauge = Gauge::default();
        up.set(1);
        let m = &metrics;
        registry.register("requests_checked", "Decisions by result", m.checked.clone());
        registry.register("check_duration_seconds", "Duration of a decision", m.check_duration.clone());
        registry.register("node_up", "1: this node runs", up);
        registry.register("active_counters", "Counters with recent grants of this node", m.active_counters.clone());
        registry.register("redis_up", "1: Redis answers pings", m.redis_up.clone());
        registry.register("redis_errors", "Failed calls to Redis", m.redis_errors.clone());
        registry.register("degraded_decisions", "Decisions made without Redis", m.degraded.clone());
        registry.register("redis_roundtrip_seconds", "Round trip to Redis", m.redis_roundtrip.clone());
        registry.register("loop_lag_seconds", "Largest delay of a timer in the last 5 s", m.loop_lag.clone());
        registry.register("unanswered", "Script calls whose outcome was not learned in time", m.unanswered.clone());
        registry.register("late", "Script calls refused as past their deadline", m.late.clone());
        registry.register("corrupt_logs", "Decisions refused because a log did not parse", m.corrupt_logs.clone());
        registry.register("longest_log_entries", "Entries of the longest log met", m.longest_log.clone());
        registry.register("admitted_tracked", "Counters with rows in /api/admitted", m.admitted_tracked.clone());
        registry.register("admitted_untracked", "Recent counters without rows there", m.admitted_untracked.clone());
        Self { registry, ..metrics }
    }

    /// Counts one decision.
    pub fn decided(&self, allowed: bool, seconds: f64) {
        let result = if allowed { "allowed" } else { "blocked" };
        self.checked.get_or_create(&ResultLabel { result }).inc();
        self.check_duration.observe(seconds);
    }

    /// Counts one decision made without Redis.
    pub fn degraded(&self, mode: &'static str) {
        self.degraded.get_or_create(&ModeLabel { mode }).inc();
    }

    /// The longest log is at least this long.
    pub fn met_log(&self, entries: i64) {
        self.longest_log.inner().fetch_max(entries, std::sync::atomic::Ordering::Relaxed);
    }

    /// All series as OpenMetrics text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_carries_the_node_and_its_contract_name() {
        let metrics = Metrics::new("node-7");
        metrics.decided(true, 0.02);
        metrics.degraded("local");
        let text = metrics.render();
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            assert!(line.starts_with("ratelimiter_") && line.contains("node_id=\"node-7\""), "{line}");
        }
        assert!(text.contains(r#"ratelimiter_requests_checked_total{node_id="node-7",result="allowed"} 1"#), "{text}");
        assert!(text.contains(r#"ratelimiter_degraded_decisions_total{node_id="node-7",mode="local"} 1"#));
        assert!(text.contains(r#"ratelimiter_check_duration_seconds_bucket{node_id="node-7",le="0.025"} 1"#));
        assert!(text.contains("ratelimiter_unanswered_total{") && text.contains("ratelimiter_node_up{"));
    }
}
