//! Whether a component is slow by itself, or only waits for what it calls.

use operator_protocols::{ComponentState, Id, Locus, SignalRole};

use super::case::{Case, Deviation, Facts};
use super::links::{InLinks, Link, link};
use super::symptom::Nature;
use crate::EvidenceItem;
use crate::pack::robust::seconds;
use crate::parameters::{CONTAINS_HOP, HOP_FACTOR, MODERATE, OWN_SHARE_HIGH, OWN_SHARE_LOW, STRONG, WEAK};

/// A piece of evidence, how much it weighs, and why.
pub(crate) type Sign<'p> = (&'p EvidenceItem, f64, &'static str);

/// Signs that a component is slow by itself (positive), or that it waits or is not slow (negative): by flow
/// conservation, by what a signal can contain at all, and by its own latencies.
pub(crate) fn own<'p>(case: &Case<'p>, id: &Id) -> Vec<Sign<'p>> {
    let facts = case.facts(&Locus::Component(id.clone()));
    let slow: Vec<&Deviation<'p>> = facts.bad(SignalRole::Latency).chain(facts.bad(SignalRole::Saturation)).collect();
    let fine = facts.fine(SignalRole::Latency);
    let hops = sick_hops(case, id);
    if hops.is_empty() {
        // Being full is not being slow, where what it does takes as long as ever.
        let slow: Vec<_> = slow.into_iter().filter(|one| one.role == SignalRole::Latency || fine.is_none()).collect();
        let fails = facts.bad(SignalRole::Availability).chain(facts.bad(SignalRole::Errors)).next();
        if let (Some((share, true, item)), false) = (facts.own_share, slow.is_empty())
            && share >= OWN_SHARE_HIGH
        {
            return vec![(item, STRONG, "it is slow, and what it calls is measured and is not")];
        }
        return match (slow.first(), fails, fine) {
            (Some(one), _, _) => vec![(one.item, MODERATE, "it is slow, and nothing it calls is")],
            (None, Some(one), _) => vec![(one.item, MODERATE, "it fails, and nothing it calls does")],
            (None, None, Some(item)) => vec![(item, -MODERATE, "its own latency is at its baseline")],
            (None, None, None) => Vec::new(),
        };
    }
    let mut signs = Vec::new();
    let apart = slow.iter().find(|one| involves_none(&hops, one));
    if let Some((share, counted, item)) = facts.own_share {
        // Where requests are not counted, more than one call a request looks like an excess of one's own.
        let (high, low) = if counted { (STRONG, STRONG) } else { (WEAK, MODERATE) };
        if share >= OWN_SHARE_HIGH {
            signs.push((item, high, "most of its excess is its own, not that of what it calls"));
        } else if share <= OWN_SHARE_LOW {
            // Who is slow in what calls nobody is also late to read what comes back, and takes it for the callee's time.
            let low = if apart.is_some() { WEAK } else { low };
            signs.push((item, -low, "its excess is that of what it calls"));
        }
    }
    let fails = facts.bad(SignalRole::Availability).chain(facts.bad(SignalRole::Errors)).next();
    if let Some(one) = fails.filter(|_| case.failing_or_late) {
        if callees_answer(case, id) {
            // That what it calls is late does not make it fail.
            for (_, weight, _) in &mut signs {
                *weight = weight.max(-WEAK);
            }
            signs.push((one.item, MODERATE, "it fails, and all that it calls answers"));
            return signs;
        }
        signs.push((one.item, -MODERATE, "it fails, and so may something it calls"));
    }
    // A second sign of the same is not independent of the first.
    let second = |signs: &[Sign<'p>]| if signs.is_empty() { STRONG } else { MODERATE };
    if let Some(one) = apart {
        signs.push((one.item, STRONG, "it is slow in what involves nothing that it calls"));
    } else if let Some(one) = slow.iter().find(|one| !contains(&hops, one)) {
        signs.push((one.item, second(&signs), "this cannot come from waiting for what it calls"));
    } else if let Some(item) = fine {
        let weight = second(&signs);
        signs.push((
            item,
            -weight,
            if slow.is_empty() {
                "its own latency is at its baseline"
            } else {
                "not all of it is slow, only what waits"
            },
        ));
    }
    signs
}

/// Whether everything a component calls and of which it is known answers all it is asked; and there is such. What a
/// callee answers to others is nothing to who does not get through to it.
fn callees_answer(case: &Case<'_>, id: &Id) -> bool {
    let gets_through = |callee: &Id| {
        let edge = Locus::Edge(id.clone(), callee.clone());
        let facts = case.facts(&edge);
        let fails = facts.bad(SignalRole::Errors).chain(facts.bad(SignalRole::Availability)).next().is_some();
        !fails && !case.symptoms_at(&edge).any(|symptom| symptom.nature == Nature::Cut)
    };
    if !case.callees_of(id).all(gets_through) {
        return false;
    }
    let mut measured = case
        .callees_of(id)
        .map(|callee| case.facts(&Locus::Component(callee.clone())))
        .filter(|there| there.is_measured())
        .peekable();
    measured.peek().is_some() && measured.all(Facts::answers_all)
}

enum Hop {
    /// Nothing comes back, or it fails: how long that takes is not known.
    Cut,
    /// Seconds.
    Slow { baseline: f64, grew: f64 },
}

/// Whether a slow signal may be slow for containing a hop that is. What is usually faster than the hop does not contain
/// it, and what grew by much more than the hop did has another reason.
fn contains(hops: &[Hop], one: &Deviation<'_>) -> bool {
    let (Some(base), Some(grew)) = (seconds(one.baseline, one.unit), seconds(one.value - one.baseline, one.unit))
    else {
        return true;
    };
    hops.iter().any(|hop| match hop {
        Hop::Cut => true,
        Hop::Slow { baseline, grew: by } => base >= CONTAINS_HOP * baseline && grew <= HOP_FACTOR * by,
    })
}

/// Whether a slow signal usually takes less than any of the slow hops: then it waits for none of them.
fn involves_none(hops: &[Hop], one: &Deviation<'_>) -> bool {
    let Some(base) = seconds(one.baseline, one.unit).filter(|_| one.role == SignalRole::Latency) else { return false };
    hops.iter().all(|hop| matches!(hop, Hop::Slow { baseline, .. } if base < CONTAINS_HOP * baseline))
}

/// What a component calls and that suffers.
fn sick_hops(case: &Case<'_>, id: &Id) -> Vec<Hop> {
    let mut hops = Vec::new();
    for callee in case.callees_of(id) {
        let edge = Locus::Edge(id.clone(), callee.clone());
        let there = Locus::Component(callee.clone());
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
        let down = case.state(callee) == Some(ComponentState::Down);
        if !slow && (down || suffers(&edge) || suffers(&there)) {
            hops.push(Hop::Cut);
        }
    }
    hops
}

/// Signs that the callee of a link is well (positive) or not (negative), so that what the link shows comes from the
/// link or its caller.
pub(crate) fn callee_is_well<'p>(case: &Case<'p>, from: &Id, to: &Id) -> Vec<Sign<'p>> {
    let mut signs = Vec::new();
    let others = InLinks::of(case, to, Some(from));
    match (others.well.first(), others.sick.first()) {
        (Some(item), _) => signs.push((*item, STRONG, "another link to the same callee is as well as ever")),
        (None, Some((item, _))) => signs.push((*item, -STRONG, "the other links to the same callee suffer too")),
        (None, None) => {
            if let Some(item) = others.carries.first() {
                signs.push((*item, MODERATE, "another link to the same callee carries"));
            }
        }
    }
    let callee = Locus::Component(to.clone());
    let facts = case.facts(&callee);
    let sick = case.symptoms_at(&callee).find(|symptom| symptom.nature == Nature::Performance);
    if let Some(item) = sick.and_then(|symptom| symptom.items.first()) {
        signs.push((*item, -MODERATE, "the callee suffers itself"));
    } else if let Some(item) = facts.fine(SignalRole::Latency) {
        signs.push((item, MODERATE, "the callee's own latency is at its baseline"));
    } else if let Some((true, _, item)) = facts.healthy {
        signs.push((item, WEAK, "the callee answers"));
    }
    signs
}

/// The first callee, if any, to which the link suffers.
pub(crate) fn sick_callee<'p>(case: &Case<'p>, id: &Id) -> Option<&'p Id> {
    case.callees_of(id).find(|callee| matches!(link(case, id, callee), Link::Sick(..)))
}
