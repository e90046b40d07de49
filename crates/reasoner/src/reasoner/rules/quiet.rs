//! Nothing is wrong, or nothing but that more is asked.

use std::collections::BTreeSet;

use operator_protocols::{FaultClass, Locus, SignalRole};

use super::{Explains, Rule};
use crate::parameters::{MODERATE, STRONG, SYMPTOM_CRITICAL};
use crate::reasoner::case::Case;
use crate::reasoner::load;
use crate::reasoner::reach::{Reach, UNEXPLAINED};
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;

/// More is asked than usual.
pub(crate) struct LoadSurge;
/// Nothing is wrong.
pub(crate) struct NoFault;

impl Rule for LoadSurge {
    fn class(&self) -> FaultClass {
        FaultClass::LoadSurge
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        if load::surge(case).is_some() {
            return vec![Locus::Nothing];
        }
        case.components
            .keys()
            .map(|id| Locus::Component((*id).clone()))
            .filter(|on| load::more_traffic(case, on).is_some() && case.suffers(on))
            .chain(load::dominating(case).map(|(on, _)| on.clone()))
            .collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        if matches!(locus, Locus::Entity(_)) {
            return of_entity(case, locus);
        }
        let reach = case.reach(locus);
        let everywhere = *locus == Locus::Nothing;
        let suffering: Vec<Locus> = case
            .components
            .keys()
            .map(|id| Locus::Component((*id).clone()))
            .filter(|on| everywhere && case.suffers(on))
            .collect();
        let failing: Vec<Locus> = case
            .facts
            .iter()
            .filter(|(_, facts)| {
                facts.bad(SignalRole::Errors).chain(facts.bad(SignalRole::Availability)).next().is_some()
            })
            .map(|(on, _)| (*on).clone())
            .collect();
        let overfull = Reach::of_components(case, case.overfull.iter().copied());
        Box::new(move |symptom| match symptom.nature {
            Nature::Surge => (1.0, "more is asked of everything"),
            Nature::Performance if everywhere => {
                // Much asked makes slow; it makes failing only where it is too much, and for whoever depends on that.
                let too_much = overfull.covers(&symptom.on);
                let explained = if failing.contains(&symptom.on) && !too_much { 0.8 } else { 1.0 };
                (explained, "more is asked of it")
            }
            Nature::Performance | Nature::Outcome if !everywhere => reach.explains(symptom, false),
            // What many places suffer from together is told of all of them, and names some.
            Nature::Outcome if symptom.implicates.iter().any(|on| suffering.contains(on)) => {
                (0.8, "the finding names places of which more is asked")
            }
            Nature::Outcome => (0.4, "it may follow from more being asked"),
            _ => (0.0, UNEXPLAINED),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        if let Some(surge) = load::surge(case) {
            terms.add(surge.item, STRONG, "more is asked where requests enter");
        } else if let Some(item) = case.facts(locus).dominates {
            terms.add(item, STRONG, "it is much of all that a component is asked");
        } else if let Some(one) = load::more_traffic(case, locus) {
            terms.add(one.item, STRONG, "more is asked of it");
            let alone = load::dominating(case)
                .find(|(on, _)| case.symptoms_at(locus).any(|symptom| symptom.implicates.contains(on)));
            if let Some((_, item)) = alone {
                terms.add(item, -MODERATE, "much of it is one thing alone");
            }
        }
    }
}

/// One thing is asked for so much that those who bear it suffer: they are where findings name it, and whom these name
/// with it.
fn of_entity<'p>(case: &Case<'p>, locus: &Locus) -> Explains<'p> {
    let named = case.symptoms.iter().filter(|symptom| symptom.implicates.contains(locus));
    let bearing: BTreeSet<Locus> = named
        .flat_map(|symptom| symptom.implicates.iter().copied().chain([&symptom.on]))
        .filter(|on| matches!(on, Locus::Component(_)))
        .cloned()
        .collect();
    let locus = locus.clone();
    Box::new(move |symptom| match symptom.nature {
        Nature::Performance | Nature::Outcome if symptom.implicates.contains(&locus) => (1.0, "the finding names it"),
        Nature::Performance if bearing.contains(&symptom.on) => (0.9, "it is borne there"),
        Nature::Outcome if symptom.implicates.iter().any(|on| bearing.contains(*on)) => {
            (0.8, "the finding names places where it is borne")
        }
        _ => (0.0, UNEXPLAINED),
    })
}

impl Rule for NoFault {
    fn class(&self) -> FaultClass {
        FaultClass::NoFault
    }

    fn loci<'p>(&self, _case: &Case<'p>) -> Vec<Locus> {
        vec![Locus::Nothing]
    }

    fn explains<'p>(&self, _case: &Case<'p>, _locus: &Locus) -> Explains<'p> {
        Box::new(|symptom| match symptom.nature {
            Nature::Surge => (0.3, "load comes and goes"),
            // Of many numbers some are unusual at any time.
            Nature::Performance | Nature::Silent | Nature::Clock if !symptom.violated => {
                (0.3, "an unusual number is not yet a fault")
            }
            _ => (0.0, UNEXPLAINED),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, _locus: &Locus, terms: &mut Terms<'p>) {
        if case.violations.is_empty() {
            terms.note(case.holds, STRONG, "no invariant is violated");
        } else {
            let gravest = case.violations.first().map(|(_, item)| *item);
            terms.note(gravest, -(SYMPTOM_CRITICAL + MODERATE), "an invariant is violated");
        }
    }
}
