//! A resource is full.

use operator_protocols::{ComponentState, DiscrepancyKind, FaultClass, Locus, SignalRole};

use super::{Explains, Rule};
use crate::EvidenceItem;
use crate::pack::robust::full;
use crate::parameters::{DECISIVE, MODERATE, ONSET_GUARD, STRONG, WEAK};
use crate::reasoner::accounts::Pattern;
use crate::reasoner::case::Case;
use crate::reasoner::reach::UNEXPLAINED;
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;

/// A component has no room left.
pub(crate) struct CapacityExhaustion;

impl Rule for CapacityExhaustion {
    fn class(&self) -> FaultClass {
        FaultClass::CapacityExhaustion
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        case.facts
            .iter()
            .filter(|(locus, facts)| {
                matches!(locus, Locus::Component(_))
                    && (facts.saturated.is_some() || facts.bad(SignalRole::Saturation).next().is_some())
            })
            .map(|(locus, _)| (*locus).clone())
            .collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let (locus, reach) = (locus.clone(), case.reach(locus));
        let loses = case.accounts.missing.get(&locus).is_some_and(|missing| missing.pattern() != Pattern::Some);
        let what: Vec<Locus> = case
            .accounts
            .missing
            .get(&locus)
            .map(|missing| missing.what.iter().map(|what| (*what).clone()).collect())
            .unwrap_or_default();
        Box::new(move |symptom| match symptom.nature {
            Nature::Accounts(DiscrepancyKind::Missing) if symptom.on == locus && loses => {
                (1.0, "what does not fit is not held")
            }
            Nature::Accounts(_) => (0.0, UNEXPLAINED),
            Nature::Outcome if what.contains(&symptom.on) => (0.9, "the finding names the same thing"),
            _ => reach.explains(symptom, false),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let facts = case.facts(locus);
        let risen = facts.bad(SignalRole::Saturation).next();
        // A level that is a part of a whole and has grown, while all that is done takes as long as ever, is itself what is
        // short: it need not have refused anything yet.
        let short = facts.bad(SignalRole::Saturation).find(|one| full(one.unit).is_some());
        let short = short.filter(|_| facts.fine(SignalRole::Latency).is_some());
        // A surge that reaches it would fill it too, and make it refuse.
        let surge = matches!(locus, Locus::Component(id) if case.overfull.contains(id));
        let unless_surge = |weight: f64| if surge { weight.min(WEAK) } else { weight };
        match (facts.saturated, risen) {
            (Some(item), Some(_)) => terms.add(item, unless_surge(STRONG), "it has become nearly full"),
            (Some(item), None) if is_new(case, item) => {
                terms.add(item, unless_surge(STRONG), "it is nearly full since the trouble began");
            }
            (Some(item), None) => {
                terms.add(item, unless_surge(MODERATE), "it is nearly full, and was not seen to become so");
            }
            (None, Some(_)) if let Some(one) = short => {
                terms.add(one.item, unless_surge(MODERATE), "it is fuller than usual, and as quick as ever");
            }
            (None, Some(one)) => terms.add(one.item, WEAK, "it is fuller than usual"),
            (None, None) => {}
        }
        let missing = case.accounts.missing.get(locus).filter(|missing| missing.pattern() != Pattern::Some);
        if let Some((_, item)) = missing.and_then(|missing| missing.all.first()) {
            let weight = if facts.saturated.is_some() { DECISIVE } else { MODERATE };
            terms.add(item, weight, "it does not hold what all claim to have given it");
            if let Some(item) = facts.incarnation {
                terms.add(item, -STRONG, "it started again, which may have lost it");
            }
        } else if let Some(item) = refuses(case, locus) {
            terms.add(item, unless_surge(STRONG), "it refuses, or fails at, what it is asked");
        } else if let Some(item) =
            facts.state.filter(|(state, _)| *state == ComponentState::Degraded).map(|(_, item)| item)
            && facts.saturated.is_some_and(|full| risen.is_some() || is_new(case, full))
        {
            terms.add(item, unless_surge(MODERATE), "it is full, and says itself that it is degraded");
        } else if short.is_none() {
            terms.note(None, -STRONG, "what is full refuses; it refuses nothing");
        }
        if let Some(item) = facts.alone {
            terms.add(item, WEAK, "it alone of its kind");
        }
    }
}

/// Whether a level that is nearly full was first read when the trouble began, while other things were read before: the
/// limit that it has reached is as new as the trouble. In a history that begins with the trouble nothing can be called new.
fn is_new(case: &Case<'_>, level: &EvidenceItem) -> bool {
    level.at > case.pack.from.plus(ONSET_GUARD) && level.at.plus(ONSET_GUARD) >= case.pack.onset
}

/// Errors at the component, or on a link into it.
fn refuses<'p>(case: &Case<'p>, locus: &Locus) -> Option<&'p EvidenceItem> {
    let Locus::Component(id) = locus else { return None };
    let into = case.callers_of(id).map(|caller| Locus::Edge(caller.clone(), id.clone()));
    std::iter::once(locus.clone())
        .chain(into)
        .find_map(|on| case.facts(&on).bad(SignalRole::Errors).next().map(|one| one.item))
}
