//! A change that was made is the cause.

use operator_protocols::{ComponentState, DependencyState, Event, EventId, EventKind, FaultClass, Locus};

use super::link::{LinkDown, LinkSlow};
use super::slow::ComponentSlow;
use super::{Explains, Rule};
use crate::parameters::{AT_ONCE, CHANGE_REACH, CHANGE_SHORTLY, DECISIVE, MODERATE, STRONG, WEAK};
use crate::reasoner::case::Case;
use crate::reasoner::reach::{Reach, UNEXPLAINED};
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;

/// A change that was made is the cause.
pub(crate) struct BadChange;

/// Whether a finding names the change.
fn named(case: &Case<'_>, id: &EventId) -> bool {
    case.violations.iter().any(|(violation, _)| {
        let is = |locus: &Locus| matches!(locus, Locus::Change(event) if event == id);
        is(&violation.on) || violation.finding.involves.iter().any(is)
    })
}

/// Whether an event may be a cause by its kind and its time: a change shortly before the trouble. That the operator
/// acts is explained by what it acted on; only a change of a setting by it can be a cause.
fn may_cause(case: &Case<'_>, event: &Event, own: bool) -> bool {
    let change = event.change.is_some() || (!own && matches!(event.kind, EventKind::ConfigChange | EventKind::Deploy));
    let onset = case.pack.onset;
    change && event.at <= onset.plus(AT_ONCE) && event.at >= onset.minus(CHANGE_REACH)
}

impl Rule for BadChange {
    fn class(&self) -> FaultClass {
        FaultClass::BadChange
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        let seen = case.events.iter().filter(|(id, (event, own, _))| may_cause(case, event, *own) || named(case, id));
        let told = case.violations.iter().flat_map(|(violation, _)| {
            violation.finding.involves.iter().chain(std::iter::once(&violation.on)).filter_map(|locus| match locus {
                Locus::Change(id) => Some(id),
                _ => None,
            })
        });
        seen.map(|(id, _)| *id).chain(told).map(|id| Locus::Change(id.clone())).collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let subject = subject(case, locus).cloned();
        let reach = subject.as_ref().map_or_else(Reach::nowhere, |on| case.reach(on));
        let locus = locus.clone();
        Box::new(move |symptom| {
            let names = |on: &Locus| *on == locus || Some(on) == subject.as_ref();
            if names(&symptom.on) || symptom.implicates.iter().any(|on| names(on)) {
                return match symptom.nature {
                    Nature::Accounts(_) => (0.6, "what was changed may make accounts disagree"),
                    Nature::Down => (0.7, "what was changed is what is wrong"),
                    _ => (1.0, "what was changed is what is wrong"),
                };
            }
            match (&subject, symptom.nature) {
                (_, Nature::Accounts(_)) => (0.1, UNEXPLAINED),
                (Some(Locus::Nothing | Locus::Group(_)), _) => (0.6, "the change was to all of it"),
                (Some(Locus::Component(_) | Locus::Edge(..)), _) => reach.explains(symptom, true),
                _ if symptom.nature == Nature::Outcome => (0.3, "it may follow from the change"),
                _ => (0.1, UNEXPLAINED),
            }
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let Locus::Change(id) = locus else { return };
        let naming = case
            .violations
            .iter()
            .find(|(violation, _)| violation.on == *locus || violation.finding.involves.contains(locus));
        if let Some((_, item)) = naming {
            terms.add(item, DECISIVE, "the finding names this change");
        }
        let Some((event, own, item)) = case.events.get(id) else { return };
        let before = case.pack.onset.since(event.at);
        let place = touches(case, &event.on);
        // How the change does it is what its subject's being slow, or cut off, would look like.
        match &event.on {
            Locus::Component(id) if case.state(id) != Some(ComponentState::Down) => {
                ComponentSlow.weigh(case, &event.on, terms);
            }
            Locus::Edge(..) if matches!(case.facts(&event.on).link, Some((DependencyState::Down, _))) => {
                LinkDown.weigh(case, &event.on, terms);
            }
            Locus::Edge(..) => LinkSlow.weigh(case, &event.on, terms),
            _ => {}
        }
        if event.at > case.pack.onset.plus(AT_ONCE) {
            if naming.is_none() {
                terms.add(item, -STRONG, "it came after the trouble began");
            }
        } else if before <= CHANGE_SHORTLY {
            let (weight, why) = if place {
                (STRONG, "shortly before the trouble began, where it began")
            } else {
                (WEAK, "shortly before the trouble began, elsewhere")
            };
            terms.add(item, weight, why);
        } else if before <= CHANGE_REACH && place {
            terms.add(item, WEAK, "before the trouble began, where it began");
        }
        if !place && naming.is_none() {
            terms.add(item, -MODERATE, "what was changed does not suffer");
        }
        if *own {
            terms.add(item, -MODERATE, "the operator did it on purpose");
        }
    }
}

/// What a change changed.
pub(crate) fn subject<'c>(case: &'c Case<'_>, locus: &Locus) -> Option<&'c Locus> {
    let Locus::Change(id) = locus else { return None };
    case.events.get(id).map(|(event, _, _)| &event.on)
}

/// Whether something is wrong at a place, or a finding names it.
fn touches(case: &Case<'_>, on: &Locus) -> bool {
    *on == Locus::Nothing
        || case.suffers(on)
        || case.violations.iter().any(|(violation, _)| violation.on == *on || violation.finding.involves.contains(on))
}
