//! How often each diagnoser was right, and at what cost.

use std::collections::BTreeMap;

use operator_reasoner::{Outcome, Usage};
use serde::Serialize;

use super::{Mark, StoredAnswer};
use crate::scenario::ActionVerdict;
use crate::scorecard::Proportion;

/// What is counted over the answers of one diagnoser.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Place and class right.
    pub right: Proportion,
    /// The place right, whatever the class.
    pub place: Proportion,
    /// Decided, and wrongly.
    pub wrong: u32,
    /// Did not decide where it could be decided.
    pub abstained: u32,
    /// Gave no answer.
    pub none: u32,
    /// Took a model's first answer.
    pub accepted: u32,
    /// Took a model's answer after it was repaired.
    pub repaired: u32,
    /// Took another answer in place of the model's.
    pub fallen_back: u32,
    /// First actions that are right, of those recommended where the truth says which are right.
    pub actions: Proportion,
    /// First actions that would do harm.
    pub harmful: u32,
    /// What the model's part used up.
    pub usage: Usage,
    /// How long all answers took, in milliseconds.
    pub took_ms: u64,
}

impl Tally {
    fn count(&mut self, stored: &StoredAnswer) {
        self.right.count(stored.mark == Mark::Right);
        self.place.count(matches!(stored.mark, Mark::Right | Mark::RightPlace));
        self.wrong += u32::from(matches!(stored.mark, Mark::Wrong | Mark::RightPlace));
        self.abstained += u32::from(stored.mark == Mark::Abstained);
        self.none += u32::from(stored.mark == Mark::None);
        if let Some(verdict) = stored.action {
            self.actions.count(verdict == ActionVerdict::Right);
            self.harmful += u32::from(verdict == ActionVerdict::Harmful);
        }
        self.took_ms = self.took_ms.saturating_add(stored.took_ms);
        let Some(deliberation) = stored.answer.as_ref().and_then(|answer| answer.deliberation.as_ref()) else { return };
        self.usage += deliberation.usage;
        match deliberation.outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Repaired => self.repaired += 1,
            Outcome::FallenBack { .. } => self.fallen_back += 1,
        }
    }
}

/// A tally for each diagnoser and group of cases, and one over all groups under the empty name.
pub fn tallies<'a>(answers: impl IntoIterator<Item = &'a StoredAnswer>) -> BTreeMap<String, BTreeMap<String, Tally>> {
    let mut all: BTreeMap<String, BTreeMap<String, Tally>> = BTreeMap::new();
    for stored in answers {
        let groups = all.entry(stored.key.diagnoser.clone()).or_default();
        groups.entry(String::new()).or_default().count(stored);
        groups.entry(stored.group.clone()).or_default().count(stored);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::answer_log::tests::reasoned;
    use super::super::recorded_case::tests::case;
    use super::*;

    #[tokio::test]
    async fn a_wrong_class_at_the_right_place_is_wrong_and_counts_for_the_place() {
        let case = case("a");
        let mut answers = Vec::new();
        for mark in [Mark::Right, Mark::RightPlace, Mark::Wrong, Mark::Abstained, Mark::None] {
            let mut stored = StoredAnswer::judged("x", &case, 2, Ok(reasoned(&case).await));
            stored.mark = mark;
            answers.push(stored);
        }
        let tally = &tallies(&answers)["x"][""];
        assert_eq!((tally.right.hits, tally.right.of, tally.place.hits), (1, 5, 2));
        assert_eq!((tally.wrong, tally.abstained, tally.none, tally.took_ms), (2, 1, 1, 10));
        assert_eq!(*tally, tallies(&answers)["x"]["test"]);
    }
}
