//! How often the answer was right.

use serde::{Serialize, Serializer};

use super::{Answer, Case};
use crate::scorecard::Proportion;

/// How often the answer was right. A service as likely as the right one counts as before it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Score {
    /// The right service is the first.
    #[serde(serialize_with = "with_interval")]
    pub top1: Proportion,
    /// It is among the first three.
    #[serde(serialize_with = "with_interval")]
    pub top3: Proportion,
    /// It is among the first five.
    #[serde(serialize_with = "with_interval")]
    pub top5: Proportion,
    /// It is the first, and the reasoner said so: it did not abstain.
    #[serde(serialize_with = "with_interval")]
    pub decided_right: Proportion,
    /// Where it did not abstain, it was right.
    #[serde(serialize_with = "with_interval")]
    pub precision: Proportion,
    /// It abstained although something is wrong.
    #[serde(serialize_with = "with_interval")]
    pub abstained: Proportion,
    /// Nothing is wrong, and it abstained.
    #[serde(serialize_with = "with_interval")]
    pub abstained_rightly: Proportion,
}

/// With the share and its 95 % interval (Wilson), for programs.
pub(super) fn with_interval<S: Serializer>(proportion: &Proportion, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Written {
        hits: u32,
        of: u32,
        share: Option<f64>,
        low: f64,
        high: f64,
    }
    let (low, high) = proportion.interval();
    Written { hits: proportion.hits, of: proportion.of, share: proportion.share(), low, high }.serialize(to)
}

/// The place of the right service, from 1; none if it is not named at all.
pub fn place(answer: &Answer, truth: &str) -> Option<usize> {
    let score = answer.ranking.iter().find(|ranked| ranked.service == truth)?.score;
    Some(answer.ranking.iter().filter(|ranked| ranked.score >= score).count())
}

impl Score {
    /// Adds a case. One whose answer is not known counts for nothing.
    pub fn count(&mut self, case: &Case, answer: &Answer) {
        let Some(truth) = &case.truth else { return };
        if truth.is_empty() {
            self.abstained_rightly.count(answer.abstained);
            return;
        }
        let place = place(answer, truth).unwrap_or(usize::MAX);
        self.top1.count(place == 1);
        self.top3.count(place <= 3);
        self.top5.count(place <= 5);
        self.decided_right.count(place == 1 && !answer.abstained);
        self.abstained.count(answer.abstained);
        if !answer.abstained {
            self.precision.count(place == 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ranked;
    use super::*;

    fn answer(scores: &[(&str, f64)]) -> Answer {
        let ranking = scores.iter().map(|(service, score)| Ranked { service: (*service).to_owned(), score: *score });
        Answer { id: "c".to_owned(), abstained: false, ranking: ranking.collect() }
    }

    #[test]
    fn a_tie_counts_against_the_right_service() {
        assert_eq!(place(&answer(&[("a", 0.5), ("b", 0.5), ("c", 0.1)]), "a"), Some(2));
        assert_eq!(place(&answer(&[("a", 0.6), ("b", 0.4)]), "a"), Some(1));
        assert_eq!(place(&answer(&[("a", 0.6)]), "z"), None);
    }
}
