//! What was measured, part by part and half by half; and what each of the reasoner's methods pays.

use std::collections::BTreeMap;

use operator_reasoner::{Method, Methods, Reasoner};
use serde::Serialize;

use super::{Answer, Calibration, Case, Half, Score};

/// Something for each half of the data, and for both together.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Halves<T> {
    /// Of what was tuned on.
    pub tune: T,
    /// Of what was measured only.
    pub judge: T,
    /// Of all.
    pub both: T,
}

impl<T> Halves<T> {
    fn count(&mut self, half: Half, mut count: impl FnMut(&mut T)) {
        count(match half {
            Half::Tune => &mut self.tune,
            Half::Judge => &mut self.judge,
        });
        count(&mut self.both);
    }
}

/// How good the answers are.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Measured {
    /// By part of the data set.
    pub parts: BTreeMap<String, Halves<Score>>,
    /// Whether it is right as often as it says it is, over all parts.
    pub calibration: Halves<Calibration>,
    /// Where a method was left out: which, and how good the answers are without it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub without: BTreeMap<&'static str, BTreeMap<String, Halves<Score>>>,
}

impl Measured {
    /// Answers every case, and counts those of which it is known what is right.
    pub fn of(cases: &[Case], reasoner: &Reasoner) -> (Self, Vec<Answer>) {
        let mut measured = Self::default();
        let mut answers = Vec::new();
        for case in cases {
            let answer = case.answer(reasoner);
            if case.truth.is_some() {
                count(&mut measured.parts, case, &answer);
                measured.calibration.count(case.half, |half| half.count(case, &answer));
            }
            answers.push(answer);
        }
        (measured, answers)
    }

    /// Answers every case again without each method.
    pub fn ablate(&mut self, cases: &[Case], reasoner: &Reasoner) {
        for method in Method::ALL {
            let parts = self.without.entry(method.name()).or_default();
            for case in cases.iter().filter(|case| case.truth.is_some()) {
                count(parts, case, &case.answer_with(reasoner, Methods::without(method)));
            }
        }
    }
}

fn count(parts: &mut BTreeMap<String, Halves<Score>>, case: &Case, answer: &Answer) {
    parts.entry(case.part.clone()).or_default().count(case.half, |half| half.count(case, answer));
}
