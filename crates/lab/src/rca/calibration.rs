//! Whether it is right as often as it says it is.

use serde::Serialize;

use super::{Answer, Case, score};
use crate::scorecard::Proportion;

/// How wide a bin is.
const BINS: usize = 5;

/// By how sure the first answer was: how often it was right.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Calibration {
    bins: [Bin; BINS],
}

/// Answers about as sure as each other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Bin {
    /// How often the first was right.
    #[serde(serialize_with = "score::with_interval")]
    pub right: Proportion,
    /// The sum of what it said.
    said: f64,
}

impl Bin {
    /// The mean of what it said; none where it said nothing.
    pub fn said(&self) -> Option<f64> {
        (self.right.of > 0).then(|| self.said / f64::from(self.right.of))
    }
}

impl Calibration {
    /// Adds a case with a known fault.
    pub fn count(&mut self, case: &Case, answer: &Answer) {
        let (Some(truth), Some(first)) = (&case.truth, answer.ranking.first()) else { return };
        if truth.is_empty() {
            return;
        }
        let sure = first.score.clamp(0.0, 1.0);
        let bin = &mut self.bins[((sure * BINS as f64) as usize).min(BINS - 1)];
        bin.right.count(score::place(answer, truth) == Some(1));
        bin.said += sure;
    }

    /// The bins, from not sure at all to wholly sure: each with its bounds.
    pub fn bins(&self) -> impl Iterator<Item = (f64, f64, &Bin)> {
        self.bins.iter().enumerate().map(|(n, bin)| (n as f64 / BINS as f64, (n + 1) as f64 / BINS as f64, bin))
    }
}
