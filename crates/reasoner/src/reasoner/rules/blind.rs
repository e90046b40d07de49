//! Causes that mislead the one who looks: clocks that do not agree, and a system that cannot be seen.

use operator_protocols::{FaultClass, Locus};

use super::{Explains, Rule};
use crate::parameters::{MODERATE, STRONG, WEAK};
use crate::reasoner::case::{Case, Deviation};
use crate::reasoner::links::works;
use crate::reasoner::reach::UNEXPLAINED;
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;

/// Clocks do not agree.
pub(crate) struct ClockSkew;
/// The system cannot be seen well enough to say.
pub(crate) struct MonitoringGap;

/// The deviation of a signal that is about a clock.
fn clock<'c, 'p>(case: &'c Case<'p>, locus: &Locus) -> Option<&'c Deviation<'p>> {
    case.facts(locus).deviations.iter().find(|one| one.is_about_a_clock())
}

impl Rule for ClockSkew {
    fn class(&self) -> FaultClass {
        FaultClass::ClockSkew
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        case.facts
            .keys()
            .filter(|locus| matches!(locus, Locus::Component(_)) && clock(case, locus).is_some())
            .map(|locus| (*locus).clone())
            .collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let (locus, reach) = (locus.clone(), case.reach(locus));
        Box::new(move |symptom| {
            if symptom.nature == Nature::Clock && symptom.on == locus {
                return (1.0, "the symptom is at this place");
            }
            let (explained, how) = reach.explains(symptom, false);
            (0.7 * explained, how)
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        if let Some(one) = clock(case, locus) {
            terms.add(one.item, STRONG + MODERATE, "its clock is off");
        }
    }
}

impl Rule for MonitoringGap {
    fn class(&self) -> FaultClass {
        FaultClass::MonitoringGap
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        let mut loci: Vec<Locus> = case
            .symptoms
            .iter()
            .filter(|symptom| symptom.nature == Nature::Silent)
            .map(|symptom| symptom.on.clone())
            .collect();
        if !case.unavailable.is_empty() || loci.len() > 1 {
            loci.push(Locus::Nothing);
        }
        loci
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let blind: Vec<Locus> = if *locus == Locus::Nothing {
            case.symptoms
                .iter()
                .filter(|symptom| symptom.nature == Nature::Silent)
                .map(|symptom| symptom.on.clone())
                .collect()
        } else {
            vec![locus.clone()]
        };
        // Where most of it is silent, no judgement of any of it is worth much.
        let silent = blind.iter().filter(|on| matches!(on, Locus::Component(_))).count();
        let mostly = *locus == Locus::Nothing && silent * 2 > case.components.len();
        Box::new(move |symptom| match symptom.nature {
            Nature::Silent if blind.contains(&symptom.on) => (1.0, "it cannot be seen"),
            Nature::Performance | Nature::Outcome if mostly => (0.7, "hardly anything can be seen"),
            Nature::Performance if blind.contains(&symptom.on) => (0.5, "it cannot be seen well"),
            Nature::Outcome => (0.3, "what it is about may not be visible"),
            _ => (0.0, UNEXPLAINED),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        if let Some(item) = case.unavailable.first() {
            terms.add(item, if *locus == Locus::Nothing { MODERATE } else { WEAK }, "something could not be read");
        }
        if let Some(item) = case.facts(locus).silent {
            terms.add(item, MODERATE, "its signals fell silent");
        }
        if let Some((true, _, item)) = case.facts(locus).healthy {
            terms.add(item, -MODERATE, "it answers");
        }
        if let Locus::Component(id) = locus
            && let Some(item) = works(case, id)
        {
            terms.add(item, STRONG, "those it works with see it work as ever");
        }
    }
}
