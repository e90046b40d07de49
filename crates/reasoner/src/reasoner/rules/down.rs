//! A component does not answer; or most of what steers the system does not.

use std::collections::BTreeMap;

use operator_protocols::{Component, ComponentState, FaultClass, GroupId, Id, Locus};

use super::{Explains, Rule};
use crate::parameters::{DECISIVE, MODERATE, STRONG, WEAK};
use crate::reasoner::case::Case;
use crate::reasoner::links::{InLinks, works};
use crate::reasoner::reach::UNEXPLAINED;
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;

/// A component does not run, or does not answer at all.
pub(crate) struct ComponentDown;

impl Rule for ComponentDown {
    fn class(&self) -> FaultClass {
        FaultClass::ComponentDown
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        case.components
            .values()
            .filter(|component| component.state != ComponentState::Up || started_again(case, &component.id))
            .map(|component| Locus::Component(component.id.clone()))
            .collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let reach = case.reach(locus);
        Box::new(move |symptom| reach.explains(symptom, true))
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let Locus::Component(id) = locus else { return };
        let facts = case.facts(locus);
        let state = facts.state.map(|(_, item)| item);
        let healthy = facts.healthy.map(|(_, _, item)| item);
        match case.state(id) {
            Some(ComponentState::Down) => terms.note(state, DECISIVE, "it does not answer"),
            Some(ComponentState::Degraded) => terms.note(state, -STRONG, "it answers, if not fully"),
            Some(ComponentState::Up) => match facts.incarnation {
                Some(item) => {
                    terms.note(healthy.or(state), -STRONG, "it answers now");
                    terms.add(item, MODERATE, "it was started again, so it was down");
                }
                None => terms.note(healthy.or(state), -DECISIVE, "it answers"),
            },
            Some(ComponentState::Unknown) | None => {
                let heard = case.components.values().any(|one| one.state != ComponentState::Unknown);
                if let Some(item) = facts.silent.or(state) {
                    if heard {
                        terms.add(item, MODERATE, "nothing is heard of it");
                    } else {
                        terms.add(item, -MODERATE, "nothing is heard of anything: who looks is blind");
                    }
                }
                let links = InLinks::of(case, id, None);
                if links.callers >= 2 && links.sick.len() == links.callers {
                    terms.note(links.sick.first().map(|(item, _)| *item), STRONG, "none of its callers reaches it");
                }
                if let Some(item) = works(case, id) {
                    terms.add(item, -STRONG, "those it works with see it work as ever");
                }
            }
        }
        if let Some(item) = facts.alone {
            terms.add(item, WEAK, "it alone of its kind");
        }
    }
}

/// Whether a component is another start of itself than before.
fn started_again(case: &Case<'_>, id: &Id) -> bool {
    case.facts(&Locus::Component(id.clone())).incarnation.is_some()
}

/// The label, and its value, by which a subject marks the components that steer it.
const CONTROL_PLANE: (&str, &str) = ("plane", "control");

/// Most of the components that steer the system do not answer.
pub(crate) struct ControlPlaneDown;

/// The components that steer, by kind.
fn steering<'p>(case: &Case<'p>) -> BTreeMap<&'p str, Vec<&'p Component>> {
    let mut kinds: BTreeMap<&str, Vec<&Component>> = BTreeMap::new();
    for component in case.components.values() {
        if component.labels.get(CONTROL_PLANE.0).is_some_and(|plane| plane == CONTROL_PLANE.1) {
            kinds.entry(&component.kind).or_default().push(component);
        }
    }
    kinds
}

fn answers(component: &Component) -> bool {
    matches!(component.state, ComponentState::Up | ComponentState::Degraded)
}

impl Rule for ControlPlaneDown {
    fn class(&self) -> FaultClass {
        FaultClass::ControlPlaneDown
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        steering(case)
            .into_iter()
            .filter(|(_, members)| {
                members.len() >= 2 && members.iter().filter(|one| answers(one)).count() * 2 <= members.len()
            })
            .map(|(kind, _)| Locus::Group(GroupId::new(&case.pack.subject, kind)))
            .collect()
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let members: Vec<_> =
            members(case, locus).into_iter().map(|id| (id, case.reach(&Locus::Component(id.clone())))).collect();
        Box::new(move |symptom| {
            members
                .iter()
                .map(|(id, reach)| match (&symptom.on, symptom.nature) {
                    (Locus::Component(on), Nature::Down | Nature::Silent) if on == *id => {
                        (1.0, "it is one of those that steer the system")
                    }
                    _ => reach.explains(symptom, true),
                })
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .unwrap_or((0.0, UNEXPLAINED))
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let silent = members(case, locus).into_iter().find_map(|id| {
            let facts = case.facts(&Locus::Component(id.clone()));
            facts.state.map(|(_, item)| item)
        });
        terms.note(silent, DECISIVE, "half or more of those that steer the system do not answer");
    }
}

/// The components of a group of [`ControlPlaneDown`] that do not answer.
pub(crate) fn members<'p>(case: &Case<'p>, locus: &Locus) -> Vec<&'p Id> {
    let Locus::Group(group) = locus else { return Vec::new() };
    steering(case)
        .get(group.local.as_str())
        .into_iter()
        .flatten()
        .filter(|component| !answers(component))
        .map(|component| &component.id)
        .collect()
}
