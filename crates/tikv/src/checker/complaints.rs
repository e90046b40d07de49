//! Which links stores complained of in earlier observations, so that a link that is well again is judged long enough for its
//! finding to clear.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_protocols::{Observation, Value};

use super::case::Case;
use crate::thresholds::Limit;

/// A link, from the store that complains to the one it complains of.
pub(super) type Link = (u64, u64);

/// For so long a link is judged after it was last complained of, so that its finding can clear.
const REMEMBERED: Duration = Duration::from_secs(100);
/// Links that are said to be gone at once.
const FORGOTTEN: usize = 500;

/// The links that were complained of lately, and those of which the last complaint has just become too old.
pub(super) fn lately(case: &Case<'_>) -> (BTreeSet<Link>, BTreeSet<Link>) {
    let (mut lately, mut before) = (BTreeSet::new(), BTreeSet::new());
    let horizon = case.now.at.minus(REMEMBERED);
    for seen in case.past.since(case.now.at.minus(super::LOOKBACK)) {
        let complaints = if seen.at < horizon { &mut before } else { &mut lately };
        complaints_of(seen, case, complaints);
    }
    let forgotten = before.difference(&lately).copied().take(FORGOTTEN).collect();
    (lately, forgotten)
}

/// The complaints in a past observation, read without reading all of it.
fn complaints_of(seen: &Observation, case: &Case<'_>, into: &mut BTreeSet<Link>) {
    let id = |text: &String| text.parse::<u64>().ok();
    let stores = seen.details.get("stores").and_then(Value::as_map).into_iter().flatten();
    for (from, store) in stores {
        let scores = store.get("network_slow_score").and_then(Value::as_map).into_iter().flatten();
        for (to, score) in scores {
            let bad = score.as_f64().is_some_and(|score| score >= case.limit(Limit::NetworkScore));
            if let (true, Some(from), Some(to)) = (bad, id(from), id(to)) {
                into.insert((from, to));
            }
        }
    }
    let rates = seen.details.get("unreachable");
    for (to, rates) in rates.and_then(Value::as_map).into_iter().flatten() {
        for (from, rate) in rates.as_map().into_iter().flatten() {
            let bad = rate.as_f64().is_some_and(|rate| rate > case.limit(Limit::Unreachable));
            if let (true, Some(from), Some(to)) = (bad, id(from), id(to)) {
                into.insert((from, to));
            }
        }
    }
}
