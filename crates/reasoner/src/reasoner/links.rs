//! The links into and out of a component, as evidence: which suffer, which are well, and whether all suffer at once.

use operator_protocols::{ComponentState, Id, Locus, SignalRole, Timestamp};

use super::case::Case;
use super::symptom::Nature;
use crate::EvidenceItem;

/// A link as its caller sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Link<'p> {
    /// It is slow, fails or carries nothing.
    Sick(&'p EvidenceItem, Timestamp),
    /// It carries, and a signal of it is at its baseline.
    Well(&'p EvidenceItem),
    /// It is said to carry; how well is not known.
    Carries(&'p EvidenceItem),
    /// Nothing is known of it.
    Unknown,
}

/// How a link is doing.
pub(crate) fn link<'p>(case: &Case<'p>, from: &Id, to: &Id) -> Link<'p> {
    let on = Locus::Edge(from.clone(), to.clone());
    let sick = case
        .symptoms_at(&on)
        .filter(|symptom| matches!(symptom.nature, Nature::Performance | Nature::Cut))
        .max_by(|a, b| a.weight.total_cmp(&b.weight));
    if let Some((symptom, item)) = sick.and_then(|symptom| Some((symptom, symptom.items.first()?))) {
        return Link::Sick(item, symptom.at);
    }
    match case.facts(&on).healthy {
        Some((_, roles, item))
            if [SignalRole::Latency, SignalRole::Errors, SignalRole::Availability]
                .iter()
                .any(|role| roles.contains(role)) =>
        {
            Link::Well(item)
        }
        Some((true, _, item)) => Link::Carries(item),
        _ => Link::Unknown,
    }
}

/// The links into a component from callers that answer.
#[derive(Debug, Default)]
pub(crate) struct InLinks<'p> {
    /// How many callers there are that answer.
    pub callers: usize,
    pub sick: Vec<(&'p EvidenceItem, Timestamp)>,
    pub well: Vec<&'p EvidenceItem>,
    pub carries: Vec<&'p EvidenceItem>,
    /// Callers that suffer although nothing is seen on the link.
    pub suffering_callers: Vec<(&'p EvidenceItem, Timestamp)>,
}

impl<'p> InLinks<'p> {
    /// Of `id`, leaving out the link from `except`.
    pub fn of(case: &Case<'p>, id: &Id, except: Option<&Id>) -> Self {
        let mut links = Self::default();
        for caller in case.callers_of(id).filter(|caller| Some(*caller) != except) {
            // A caller that does not answer sees nothing.
            if case.state(caller) == Some(ComponentState::Down) {
                continue;
            }
            links.callers += 1;
            match link(case, caller, id) {
                Link::Sick(item, at) => links.sick.push((item, at)),
                seen => {
                    match seen {
                        Link::Well(item) => links.well.push(item),
                        Link::Carries(item) => links.carries.push(item),
                        _ => {}
                    }
                    let on = Locus::Component(caller.clone());
                    let suffers = case.symptoms_at(&on).find(|symptom| symptom.nature == Nature::Performance);
                    if let Some((symptom, item)) = suffers.and_then(|symptom| Some((symptom, symptom.items.first()?))) {
                        links.suffering_callers.push((item, symptom.at));
                    }
                }
            }
        }
        links
    }
}

/// What others measure on a link to or from a component that cannot be read, and that is as ever: it works, whatever the
/// one who looks can see of it. A caller measures how long its calls take; who is called counts them.
pub(crate) fn works<'p>(case: &Case<'p>, id: &Id) -> Option<&'p EvidenceItem> {
    let answers = |other: &Id| case.state(other) != Some(ComponentState::Down);
    let seen = |from: &Id, to: &Id, roles: &[SignalRole]| {
        let facts = case.facts(&Locus::Edge(from.clone(), to.clone()));
        roles.iter().find_map(|role| facts.fine(*role)).filter(|_| facts.silent.is_none())
    };
    let callers: Vec<&Id> = case.callers_of(id).filter(|caller| answers(caller)).collect();
    let callees: Vec<&Id> = case.callees_of(id).filter(|callee| answers(callee)).collect();
    let links = callers.iter().map(|caller| (*caller, id)).chain(callees.iter().map(|callee| (id, *callee)));
    if links.into_iter().any(|(from, to)| matches!(link(case, from, to), Link::Sick(..))) {
        return None;
    }
    let called = callers.iter().find_map(|caller| seen(caller, id, &[SignalRole::Traffic, SignalRole::Latency]));
    called.or_else(|| callees.iter().find_map(|callee| seen(id, callee, &[SignalRole::Traffic])))
}

/// The links out of a component, leaving out the one to `except`.
pub(crate) fn out_links<'p>(case: &Case<'p>, id: &Id, except: Option<&Id>) -> Vec<Link<'p>> {
    case.callees_of(id).filter(|callee| Some(*callee) != except).map(|callee| link(case, id, callee)).collect()
}
