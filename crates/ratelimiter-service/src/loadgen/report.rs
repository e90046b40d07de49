//! What came of the requests: counts and latencies, for each interval and for the whole run.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 200.
    Allowed,
    /// 429.
    Blocked,
    /// Anything else, named.
    Error(&'static str),
    /// Another status.
    Status(u16),
}

/// One finished request.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Which target, by index; `None`: none was ready.
    pub target: Option<usize>,
    /// What came of it.
    pub outcome: Outcome,
    /// The node decided without Redis.
    pub degraded: bool,
    /// µs from when it was due to its end.
    pub latency_us: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sent: u64,
    allowed: u64,
    blocked: u64,
    errors: u64,
    degraded: u64,
}

impl Counts {
    fn add(&mut self, finished: &Finished) {
        self.sent += 1;
        self.degraded += u64::from(finished.degraded);
        match finished.outcome {
            Outcome::Allowed => self.allowed += 1,
            Outcome::Blocked => self.blocked += 1,
            Outcome::Error(_) | Outcome::Status(_) => self.errors += 1,
        }
    }

    fn show(&self) -> Value {
        json!({
            "sent": self.sent, "allowed": self.allowed, "blocked": self.blocked,
            "errors": self.errors, "degraded": self.degraded,
        })
    }
}

/// Counts and latencies of some requests.
#[derive(Clone, Debug)]
pub struct Tally {
    counts: Counts,
    errors_by: BTreeMap<String, u64>,
    targets: Vec<Counts>,
    latencies: Histogram<u64>,
}

impl Tally {
    /// Nothing yet, for this many targets.
    ///
    /// # Errors
    /// The histogram cannot be made (its bounds are constants: never).
    pub fn new(targets: usize) -> Result<Self, hdrhistogram::CreationError> {
        // Three significant digits from 1 µs to 10 minutes.
        let latencies = Histogram::new_with_bounds(1, 600_000_000, 3)?;
        let targets = vec![Counts::default(); targets];
        Ok(Self { counts: Counts::default(), errors_by: BTreeMap::new(), targets, latencies })
    }

    /// Adds one.
    pub fn add(&mut self, finished: &Finished) {
        self.counts.add(finished);
        if let Some(target) = finished.target.and_then(|at| self.targets.get_mut(at)) {
            target.add(finished);
        }
        let name = match finished.outcome {
            Outcome::Allowed | Outcome::Blocked => None,
            Outcome::Error(name) => Some(name.to_owned()),
            Outcome::Status(status) => Some(format!("http_{status}")),
        };
        if let Some(name) = name {
            *self.errors_by.entry(name).or_default() += 1;
        }
        self.latencies.saturating_record(finished.latency_us.max(1));
    }

    /// Starts again.
    pub fn clear(&mut self) {
        self.counts = Counts::default();
        self.errors_by.clear();
        self.targets.fill(Counts::default());
        self.latencies.reset();
    }

    /// Requests so far: sent, allowed, blocked, errors.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64, u64) {
        (self.counts.sent, self.counts.allowed, self.counts.blocked, self.counts.errors)
    }

    /// A latency in ms; `None` before the first request.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let us = (!self.latencies.is_empty()).then(|| self.latencies.value_at_quantile(quantile))?;
        Some(std::time::Duration::from_micros(us).as_secs_f64() * 1000.0)
    }

    /// Counts and latencies as JSON.
    #[must_use]
    pub fn show(&self) -> Value {
        let mut shown = self.counts.show();
        shown["errors_by"] = json!(self.errors_by);
        for (name, quantile) in
            [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999), ("max_ms", 1.0)]
        {
            shown[name] = json!(self.quantile_ms(quantile));
        }
        shown
    }

    /// Counts for each target, in the order of these names.
    #[must_use]
    pub fn show_targets<'a>(&self, urls: impl Iterator<Item = &'a str>) -> Value {
        let rows = urls.zip(&self.targets).map(|(url, counts)| {
            let mut row = counts.show();
            row["url"] = json!(url);
            row
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_by_outcome_and_target() {
        let mut tally = Tally::new(2).unwrap();
        assert_eq!(tally.show()["p50_ms"], Value::Null);
        let outcomes = [Outcome::Allowed, Outcome::Blocked, Outcome::Status(503), Outcome::Error("connect")];
        for (i, outcome) in outcomes.into_iter().enumerate() {
            tally.add(&Finished { target: Some(i % 2), outcome, degraded: i == 0, latency_us: 1000 });
        }
        let shown = tally.show();
        assert_eq!((&shown["sent"], &shown["errors"], &shown["degraded"]), (&json!(4), &json!(2), &json!(1)));
        assert_eq!(shown["errors_by"], json!({"connect": 1, "http_503": 1}));
        assert_eq!(tally.show_targets(["a", "b"].into_iter())[1]["blocked"], json!(1));
    }
}
