//! The numbers of a node's metrics that are used here, out of one scrape.

use std::time::Instant;

use operator_prometheus::{Exposition, Histogram};
use operator_protocols::Unavailable;

/// One scrape. What was missing or not finite is absent.
#[derive(Debug, Clone)]
pub(super) struct Scrape {
    /// When it was taken.
    pub(super) taken: Instant,
    /// Decisions since the node's start.
    pub(super) checked: Option<f64>,
    /// Of which refused.
    pub(super) blocked: Option<f64>,
    /// Of which without Redis.
    pub(super) degraded: Option<f64>,
    /// Calls to Redis that failed or timed out.
    pub(super) redis_errors: Option<f64>,
    /// Calls to Redis whose outcome was not learned.
    pub(super) unanswered: Option<f64>,
    /// Calls that came to Redis after their deadline.
    pub(super) late: Option<f64>,
    /// Decisions refused because a log cannot be read.
    pub(super) corrupt: Option<f64>,
    /// The largest delay of a timer, in seconds.
    pub(super) loop_lag: Option<f64>,
    /// How long decisions took, in seconds.
    pub(super) check: Option<Histogram>,
    /// How long calls to Redis took, in seconds.
    pub(super) roundtrip: Option<Histogram>,
    /// What was missing.
    pub(super) unavailable: Vec<Unavailable>,
}

impl Scrape {
    /// Reads what is used of a scrape of `node`.
    pub(super) fn read(exposition: &Exposition, node: &str, taken: Instant) -> Self {
        let mut unavailable = Vec::new();
        let mut number = |name: &str, labels: &[(&str, &str)]| match exposition.sum(name, labels) {
            Some(value) if value.is_finite() => Some(value),
            Some(value) => {
                unavailable.push(Unavailable::new(format!("{name} of {node}"), format!("it is {value}")));
                None
            }
            None => {
                unavailable.push(Unavailable::new(format!("{name} of {node}"), "its metrics do not have it"));
                None
            }
        };
        let mut scrape = Self {
            taken,
            checked: number("ratelimiter_requests_checked_total", &[]),
            blocked: number("ratelimiter_requests_checked_total", &[("result", "blocked")]),
            degraded: number("ratelimiter_degraded_decisions_total", &[]),
            redis_errors: number("ratelimiter_redis_errors_total", &[]),
            unanswered: number("ratelimiter_unanswered_total", &[]),
            late: number("ratelimiter_late_total", &[]),
            corrupt: number("ratelimiter_corrupt_logs_total", &[]),
            loop_lag: number("ratelimiter_loop_lag_seconds", &[]),
            check: None,
            roundtrip: None,
            unavailable: Vec::new(),
        };
        let mut histogram = |name: &str| match Histogram::of(exposition, name, &[]) {
            Ok(histogram) => Some(histogram),
            Err(error) => {
                unavailable.push(Unavailable::new(format!("{name} of {node}"), error.to_string()));
                None
            }
        };
        scrape.check = histogram("ratelimiter_check_duration_seconds");
        scrape.roundtrip = histogram("ratelimiter_redis_roundtrip_seconds");
        scrape.unavailable = unavailable;
        scrape
    }
}
