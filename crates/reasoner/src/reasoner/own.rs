//! Whether a component is slow by itself, or only waits for what it calls.

use operator_protocols::{ComponentState, Id, Locus, SignalRole};

use super::case::{Case, Deviation};
use super::symptom::Nature;
use crate::EvidenceItem;
use crate::pack::robust::seconds;
use crate::parameters::{CONTAINS_HOP, HOP_FACTOR, OWN_SHARE_HIGH, OWN_SHARE_LOW};

/// Where a component's slowness comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Own<'p> {
    /// It is slow, and not because of what it calls.
    Itself(&'p EvidenceItem, &'static str),
    /// Nothing it calls suffers, and it does.
    Alone(&'p EvidenceItem),
    /// It is slow because of what it calls.
    Waits(&'p EvidenceItem, &'static str),
    /// It is not slow.
    Fine(&'p EvidenceItem),
    /// It cannot be told.
    Unclear,
}

/// Judges a component by its own latencies, by flow conservation, and by what a signal can contain at all.
pub(crate) fn own<'p>(case: &Case<'p>, id: &Id) -> Own<'p> {
    let facts = case.facts(&Locus::Component(id.clone()));
    let slow: Vec<&Deviation<'p>> = facts.bad(SignalRole::Latency).chain(facts.bad(SignalRole::Saturation)).collect();
    let hops = sick_hops(case, id);
    if hops.is_empty() {
        return match (slow.first(), facts.fine(SignalRole::Latency)) {
            (Some(one), _) => Own::Alone(one.item),
            (None, Some(item)) => Own::Fine(item),
            (None, None) => Own::Unclear,
        };
    }
    // A signal that is usually faster than the hop does not contain it, and one that grew by much more than the hop
    // did has another reason.
    let contains = |one: &Deviation<'_>| {
        let (Some(base), Some(grew)) = (seconds(one.baseline, one.unit), seconds(one.value - one.baseline, one.unit))
        else {
            return true;
        };
        hops.iter().any(|hop| match hop {
            Hop::Cut => true,
            Hop::Slow { baseline, grew: by } => base >= CONTAINS_HOP * baseline && grew <= HOP_FACTOR * by,
        })
    };
    let outside = slow.iter().find(|one| !contains(one));
    match (facts.own_share, outside) {
        (Some((share, item)), _) if share >= OWN_SHARE_HIGH => {
            Own::Itself(item, "most of its excess is its own, not that of what it calls")
        }
        (_, Some(one)) => Own::Itself(one.item, "this cannot come from waiting for what it calls"),
        (Some((share, item)), None) if share <= OWN_SHARE_LOW => {
            Own::Waits(item, "its excess is that of what it calls")
        }
        (_, None) => match facts.fine(SignalRole::Latency) {
            Some(item) if !slow.is_empty() => Own::Waits(item, "not all of it is slow, only what waits"),
            Some(item) => Own::Fine(item),
            None => Own::Unclear,
        },
    }
}

enum Hop {
    /// Nothing comes back, or it fails: how long that takes is not known.
    Cut,
    /// Seconds.
    Slow { baseline: f64, grew: f64 },
}

/// What a component calls and that suffers.
fn sick_hops(case: &Case<'_>, id: &Id) -> Vec<Hop> {
    let mut hops = Vec::new();
    for callee in case.callees_of(id) {
        let edge = Locus::Edge(id.clone(), callee.clone());
        let there = Locus::Component(callee.clone());
        let down = case.state(callee) == Some(ComponentState::Down);
        let mut slow = false;
        for one in case.facts(&edge).bad(SignalRole::Latency) {
            if let (Some(baseline), Some(grew)) =
                (seconds(one.baseline, one.unit), seconds(one.value - one.baseline, one.unit))
            {
                slow = true;
                hops.push(Hop::Slow { baseline, grew });
            }
        }
        let suffers = |on: &Locus| {
            case.symptoms_at(on).any(|symptom| matches!(symptom.nature, Nature::Performance | Nature::Cut))
        };
        if !slow && (down || suffers(&edge) || suffers(&there)) {
            hops.push(Hop::Cut);
        }
    }
    hops
}
