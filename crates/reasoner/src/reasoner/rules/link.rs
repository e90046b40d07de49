//! A link carries nothing, or carries everything slowly, while both its ends are well.

use operator_protocols::{ComponentState, DependencyState, DiscrepancyKind, FaultClass, Locus, SignalRole};

use super::{Explains, Rule, certainty};
use crate::parameters::{DECISIVE, MODERATE, STRONG, WEAK};
use crate::reasoner::case::Case;
use crate::reasoner::links::{Link, out_links};
use crate::reasoner::own::{callee_is_well, own};
use crate::reasoner::reach::UNEXPLAINED;
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;

/// A link carries nothing.
pub(crate) struct LinkDown;
/// A link carries everything, slowly.
pub(crate) struct LinkSlow;

impl Rule for LinkDown {
    fn class(&self) -> FaultClass {
        FaultClass::LinkDown
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        suspects(case)
    }

    fn certainty(&self, case: &Case<'_>, locus: &Locus) -> f64 {
        certainty(case, std::slice::from_ref(locus))
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        explains(case, locus, true)
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let facts = case.facts(locus);
        let slow = facts.bad(SignalRole::Latency).next();
        let fails = facts.bad(SignalRole::Availability).chain(facts.bad(SignalRole::Errors)).next();
        match (facts.link, fails, slow) {
            (Some((DependencyState::Down, item)), _, _) => terms.add(item, STRONG, "the link carries nothing"),
            (_, Some(one), None) => terms.add(one.item, MODERATE, "calls on the link fail"),
            (_, Some(one), Some(_)) => terms.add(one.item, WEAK, "calls on the link fail"),
            (_, None, Some(one)) => terms.add(one.item, -STRONG, "the link carries, slowly"),
            (_, None, None) => {}
        }
        weigh_ends(case, locus, terms);
    }
}

impl Rule for LinkSlow {
    fn class(&self) -> FaultClass {
        FaultClass::LinkSlow
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        suspects(case)
    }

    fn certainty(&self, case: &Case<'_>, locus: &Locus) -> f64 {
        certainty(case, std::slice::from_ref(locus))
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        explains(case, locus, false)
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let facts = case.facts(locus);
        if let Some((DependencyState::Down, item)) = facts.link {
            terms.add(item, -STRONG, "the link carries nothing at all");
        } else if let Some(one) = facts.bad(SignalRole::Latency).next() {
            terms.add(one.item, MODERATE, "calls on the link take longer");
        } else if let Some(item) = facts.fine(SignalRole::Latency) {
            terms.add(item, -STRONG, "calls on the link take as long as ever");
        } else if let Some(one) = facts.bad(SignalRole::Errors).next() {
            terms.add(one.item, -MODERATE, "calls on the link fail rather than wait");
        }
        weigh_ends(case, locus, terms);
    }
}

/// The links on which something is wrong, or that a violation names.
fn suspects(case: &Case<'_>) -> Vec<Locus> {
    case.at.keys().filter(|locus| matches!(locus, Locus::Edge(..))).cloned().collect()
}

fn explains<'p>(case: &Case<'p>, locus: &Locus, stops: bool) -> Explains<'p> {
    let reach = case.reach(locus);
    let caller = match locus {
        Locus::Edge(from, _) => Some(Locus::Component(from.clone())),
        _ => None,
    };
    Box::new(move |symptom| match symptom.nature {
        Nature::Accounts(DiscrepancyKind::Missing)
            if symptom.implicates.iter().any(|on| caller.as_ref().is_some_and(|caller| caller == *on)) =>
        {
            (0.4, "what does not arrive is not held")
        }
        Nature::Accounts(_) => (0.0, UNEXPLAINED),
        _ => reach.explains(symptom, stops),
    })
}

/// Whether the two ends, and the links beside this one, speak for the link or for an end of it.
fn weigh_ends<'p>(case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
    let Locus::Edge(from, to) = locus else { return };
    for (end, name) in [(from, "its caller"), (to, "its callee")] {
        if case.state(end) == Some(ComponentState::Down)
            && let Some((_, item)) = case.facts(&Locus::Component(end.clone())).state
        {
            terms.add(item, -DECISIVE, format!("{name} does not answer anybody"));
            return;
        }
    }
    for (item, weight, why) in callee_is_well(case, from, to) {
        terms.add(item, weight, why);
    }
    for link in out_links(case, from, Some(to)) {
        match link {
            Link::Sick(item, _) => {
                terms.add(item, -STRONG, "the caller sees other things it calls late too");
                break;
            }
            Link::Well(item) => {
                terms.add(item, WEAK, "the caller sees other things it calls as well as ever");
                break;
            }
            Link::Carries(_) | Link::Unknown => {}
        }
    }
    for (item, weight, why) in own(case, from) {
        terms.add(item, -weight, format!("of the caller: {why}"));
    }
}
