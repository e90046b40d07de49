//! When requests are due: a fixed sequence of instants, whatever becomes of the requests.

use std::time::Duration;

use super::settings::{Pattern, Settings};

/// The due times since the start of a run, one after the other; endless unless the run has a duration.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Where the current rate began, and how many requests were due since: sums of fractions would drift.
    since: f64,
    count: f64,
    current: f64,
    end: f64,
    rate: f64,
    /// Factor, period and length of bursts, in seconds.
    burst: Option<(f64, f64, f64)>,
}

impl Schedule {
    /// The schedule these settings ask for.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let burst = (settings.burst_factor, settings.burst_every.as_secs_f64(), settings.burst_for.as_secs_f64());
        let burst = (settings.pattern == Pattern::Burst).then_some(burst);
        let end = if settings.duration.is_zero() { f64::INFINITY } else { settings.duration.as_secs_f64() };
        Self { since: 0.0, count: 0.0, current: settings.rate, end, rate: settings.rate, burst }
    }

    fn rate_at(&self, t: f64) -> f64 {
        match self.burst {
            // A burst ends its period, so that a run starts quietly.
            Some((factor, every, length)) if t % every >= every - length => self.rate * factor,
            _ => self.rate,
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due = self.since + self.count / self.current;
        if due >= self.end {
            return None;
        }
        let rate = self.rate_at(due);
        if rate != self.current {
            (self.since, self.count, self.current) = (due, 0.0, rate);
        }
        self.count += 1.0;
        Duration::try_from_secs_f64(due).ok()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn due(flags: &[&str]) -> Vec<f64> {
        let all = ["loadgen", "--targets", "h:1", "--duration", "10s"].iter().chain(flags);
        Schedule::new(&Settings::parse_from(all)).map(|d| d.as_secs_f64()).collect()
    }

    #[test]
    fn steady_requests_are_evenly_spaced() {
        let due = due(&["--rate", "50"]);
        assert_eq!(due.len(), 500);
        assert!(due.windows(2).all(|w| (w[1] - w[0] - 0.02).abs() < 1e-6));
    }

    #[test]
    fn a_burst_multiplies_the_rate_for_its_time() {
        let flags = ["--pattern", "burst", "--rate", "10", "--burst-factor", "5", "--burst-every", "5s"];
        let due = due(&flags);
        let between = |from: f64, to: f64| due.iter().filter(|t| (from..to).contains(*t)).count();
        assert!((9..=11).contains(&between(0.0, 1.0)));
        assert!((48..=52).contains(&between(4.0, 5.0)));
        assert!((48..=52).contains(&between(9.0, 10.0)));
    }
}
