//! Nothing is wrong, or nothing but that more is asked.

use operator_protocols::{FaultClass, Locus, SignalRole};

use super::{Explains, Rule};
use crate::parameters::{MODERATE, STRONG, SYMPTOM_CRITICAL};
use crate::reasoner::case::Case;
use crate::reasoner::load;
use crate::reasoner::reach::UNEXPLAINED;
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
            .collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
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
        Box::new(move |symptom| match symptom.nature {
            Nature::Surge => (1.0, "more is asked of everything"),
            Nature::Performance if everywhere => {
                // Much asked makes slow; it makes failing only where it is too much.
                let explained = if failing.contains(&symptom.on) { 0.8 } else { 1.0 };
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
        } else if let Some(one) = load::more_traffic(case, locus) {
            terms.add(one.item, STRONG, "more is asked of it");
        }
    }
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
            Nature::Performance | Nature::Silent if !symptom.violated => (0.3, "an unusual number is not yet a fault"),
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
