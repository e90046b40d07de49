//! What one side of a call measures: counts since its process began, and how long the last ones took.

use std::collections::VecDeque;

/// How far back a mean reaches, in microseconds.
const WINDOW: i64 = 10_000_000;
/// A caller that reached nobody with this many calls in a row holds the link for down.
const UNREACHED_IN_A_ROW: u32 = 3;

#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    /// Since when it counts, in microseconds.
    pub(super) since: i64,
    pub(super) calls: u64,
    pub(super) failures: u64,
    unreached: u32,
    samples: VecDeque<(i64, i64)>,
}

impl Meter {
    pub(super) fn starting(since: i64) -> Self {
        Self { since, ..Self::default() }
    }

    /// A call ended `now` after `took`; `reached` says whether the other side answered at all.
    pub(super) fn record(&mut self, now: i64, took: i64, good: bool, reached: bool) {
        self.calls += 1;
        self.failures += u64::from(!good);
        self.unreached = if reached { 0 } else { self.unreached.saturating_add(1) };
        self.samples.push_back((now, took));
        self.forget(now);
    }

    pub(super) fn forget(&mut self, now: i64) {
        while self.samples.front().is_some_and(|(at, _)| *at < now - WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Whether nobody answers any more.
    pub(super) fn nobody_answers(&self) -> bool {
        self.unreached >= UNREACHED_IN_A_ROW
    }

    /// In seconds; none without calls in the window.
    pub(super) fn mean(&self) -> Option<f64> {
        let sum: i64 = self.samples.iter().map(|(_, took)| took).sum();
        (!self.samples.is_empty()).then(|| sum as f64 / self.samples.len() as f64 / 1e6)
    }

    /// So many of 100 calls in the window took at most so long, in seconds; none without calls.
    pub(super) fn quantile(&self, percent: usize) -> Option<f64> {
        let mut took: Vec<i64> = self.samples.iter().map(|(_, took)| *took).collect();
        took.sort_unstable();
        took.get(took.len().saturating_mul(percent) / 100).map(|&took| took as f64 / 1e6)
    }
}
