//! Which half of a data set a case belongs to: what was tuned on is not what is judged on.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Case;

/// Half of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// Looked at while the reasoner was made better.
    Tune,
    /// Measured only.
    Judge,
}

/// Splits cases: within each part, in the order of their ids, they go to the two halves in turn. So both halves hold
/// the same mix, whatever the order of the manifest.
pub(super) fn in_turn(cases: &mut [Case]) {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|a, b| cases[*a].id.cmp(&cases[*b].id));
    let mut next: BTreeMap<String, Half> = BTreeMap::new();
    for n in order {
        let turn = next.entry(cases[n].part.clone()).or_insert(Half::Tune);
        cases[n].half = *turn;
        *turn = if *turn == Half::Tune { Half::Judge } else { Half::Tune };
    }
}

/// Splits cases that overlap with their neighbours in time: the earlier ones are tuned on.
pub(super) fn in_time(cases: &mut [Case]) {
    let middle = cases.len().div_ceil(2);
    for (n, case) in cases.iter_mut().enumerate() {
        case.half = if n < middle { Half::Tune } else { Half::Judge };
    }
}
