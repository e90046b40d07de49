//! A component answers, slowly.

use operator_protocols::{ComponentState, FaultClass, Id, Locus, SignalRole};

use super::{Explains, Rule, certainty};
use crate::EvidenceItem;
use crate::parameters::{AT_ONCE, DECISIVE, LATE, MODERATE, STRONG, WEAK};
use crate::reasoner::case::Case;
use crate::reasoner::links::{InLinks, Link, out_links};
use crate::reasoner::own::{callee_is_well, own, sick_callee};
use crate::reasoner::reach::UNEXPLAINED;
use crate::reasoner::symptom::Nature;
use crate::reasoner::terms::Terms;
use operator_protocols::{DiscrepancyKind, Timestamp};

/// A component answers, slowly, or fails at what it is asked.
pub(crate) struct ComponentSlow;

impl Rule for ComponentSlow {
    fn class(&self) -> FaultClass {
        FaultClass::ComponentSlow
    }

    fn loci<'p>(&self, case: &Case<'p>) -> Vec<Locus> {
        suspects(case)
    }

    fn certainty(&self, case: &Case<'_>, locus: &Locus) -> f64 {
        let Locus::Component(id) = locus else { return 0.0 };
        let callers = case.callers_of(id);
        let around =
            callers.flat_map(|caller| [Locus::Component(caller.clone()), Locus::Edge(caller.clone(), id.clone())]);
        certainty(case, &std::iter::once(locus.clone()).chain(around).collect::<Vec<_>>())
    }

    fn explains<'p>(&self, case: &Case<'p>, locus: &Locus) -> Explains<'p> {
        let reach = case.reach(locus);
        Box::new(move |symptom| match symptom.nature {
            Nature::Accounts(DiscrepancyKind::Missing) if symptom.implicates.iter().any(|on| reach.covers(on)) => {
                (0.3, "what is written late may be lost")
            }
            Nature::Accounts(_) => (0.0, UNEXPLAINED),
            _ => reach.explains(symptom, false),
        })
    }

    fn weigh<'p>(&self, case: &Case<'p>, locus: &Locus, terms: &mut Terms<'p>) {
        let Locus::Component(id) = locus else { return };
        let facts = case.facts(locus);
        match (case.state(id), facts.state) {
            (Some(ComponentState::Down), Some((_, item))) => terms.add(item, -DECISIVE, "it does not answer at all"),
            (Some(ComponentState::Degraded), Some((_, item))) if !waits(case, id) => {
                terms.add(item, MODERATE, "it says itself that it is degraded, and nothing it calls suffers");
            }
            _ => {}
        }
        let callee = sick_callee(case, id);
        let signs = own(case, id);
        let only_waits = callee.is_some() && signs.iter().map(|(_, weight, _)| weight).sum::<f64>() < 0.0;
        let together = weigh_callers(case, id, only_waits, terms);
        if !together && !felt(case, id) {
            terms.note(None, -MODERATE, "nothing is seen to be wrong at this place or on a link into it");
        }
        for (item, weight, why) in signs {
            // What it answers quickly may be another kind of question than the one that waits; but more being asked of
            // all, or something it calls, makes all wait without its doing.
            let its_own = together && !case.surge() && callee.is_none();
            let weight = if its_own { weight.max(-WEAK) } else { weight };
            terms.add(item, weight, why);
        }
        if let Some(callee) = callee {
            for (item, weight, why) in callee_is_well(case, id, callee) {
                terms.add(item, weight, format!("of what it calls: {why}"));
            }
        }
        if let Some(one) = facts.bad(SignalRole::Saturation).next() {
            terms.add(one.item, WEAK, "it is busier than usual");
        }
        weigh_callees(case, id, terms);
        if let Some(item) = facts.alone {
            terms.add(item, WEAK, "it alone of its kind");
        }
        if let Some((item, late)) = late(case, locus)
            && late
        {
            terms.add(item, -MODERATE, "it began to suffer after those that depend on it");
        }
    }
}

/// Components that suffer, and those that somebody who suffers calls.
pub(crate) fn suspects(case: &Case<'_>) -> Vec<Locus> {
    let suffers = |on: &Locus| {
        case.symptoms_at(on).any(|symptom| matches!(symptom.nature, Nature::Performance | Nature::Down | Nature::Cut))
    };
    case.components
        .keys()
        .filter(|id| {
            suffers(&Locus::Component((**id).clone()))
                || case.callers_of(id).any(|caller| {
                    suffers(&Locus::Component(caller.clone())) || suffers(&Locus::Edge(caller.clone(), (**id).clone()))
                })
        })
        .map(|id| Locus::Component((*id).clone()))
        .collect()
}

/// Whether anything is wrong at a component itself or on a link into it.
fn felt(case: &Case<'_>, id: &Id) -> bool {
    case.suffers(&Locus::Component(id.clone()))
        || case.callers_of(id).any(|caller| case.suffers(&Locus::Edge(caller.clone(), id.clone())))
}

/// What the callers of a component see; whether all of them suffer together. `only_waits` is whether it merely waits for
/// what it calls.
fn weigh_callers<'p>(case: &Case<'p>, id: &Id, only_waits: bool, terms: &mut Terms<'p>) -> bool {
    let links = InLinks::of(case, id, None);
    // More being asked of all would do the same, and so does what it waits for.
    let elsewhere = only_waits || case.surge();
    let suffering = links.sick.len() + links.suffering_callers.len();
    if links.callers >= 2 && links.sick.len() == links.callers {
        let weight = match (elsewhere, at_once(&links.sick)) {
            (true, _) => WEAK,
            (false, true) => STRONG + WEAK,
            (false, false) => STRONG,
        };
        terms.note(first(&links.sick), weight, format!("all {} links into it suffer together", links.callers));
        return true;
    }
    if links.callers >= 2 && suffering == links.callers {
        let seen = first(&links.sick).or_else(|| first(&links.suffering_callers));
        let unseen = links.well.len() == links.callers;
        let weight = if unseen || elsewhere { WEAK } else { MODERATE };
        terms.note(seen, weight, format!("all {} callers of it suffer together", links.callers));
        return true;
    }
    match (links.well.first(), links.sick.first()) {
        (Some(item), Some(_)) => terms.add(item, -STRONG, "another caller reaches it as well as ever"),
        (Some(item), None) => terms.add(item, -MODERATE, "its callers reach it as well as ever"),
        (None, Some((sick, _))) => {
            terms.add(sick, MODERATE, "calls on a link into it take longer");
            if let Some(item) = links.carries.first() {
                terms.add(item, -WEAK, "another caller's link carries");
            }
            weigh_only_caller(case, id, terms);
        }
        _ => {}
    }
    false
}

/// That its only caller merely waits speaks for the component as much as for the link between them.
fn weigh_only_caller<'p>(case: &Case<'p>, id: &Id, terms: &mut Terms<'p>) {
    let mut callers = case.callers_of(id);
    let (Some(caller), None) = (callers.next(), callers.next()) else { return };
    for (item, weight, why) in own(case, caller) {
        terms.add(item, -weight, format!("of its caller: {why}"));
    }
}

fn first<'p>(links: &[(&'p EvidenceItem, Timestamp)]) -> Option<&'p EvidenceItem> {
    links.first().map(|(item, _)| *item)
}

fn at_once(links: &[(&EvidenceItem, Timestamp)]) -> bool {
    let times = links.iter().map(|(_, at)| *at);
    match (times.clone().min(), times.max()) {
        (Some(first), Some(last)) => last.since(first) <= AT_ONCE,
        _ => false,
    }
}

/// Whether what a component calls suffers alike: if it is slow itself, it sees all of it late.
fn weigh_callees<'p>(case: &Case<'p>, id: &Id, terms: &mut Terms<'p>) {
    let links = out_links(case, id, None);
    if links.len() < 2 {
        return;
    }
    let sick = links.iter().filter_map(|link| match link {
        Link::Sick(item, _) => Some(*item),
        _ => None,
    });
    let well = links.iter().find_map(|link| match link {
        Link::Well(item) => Some(*item),
        _ => None,
    });
    let count = sick.clone().count();
    if count == links.len() {
        terms.note(sick.clone().next(), MODERATE, "it sees everything it calls late");
    } else if count > 0
        && let Some(item) = well
    {
        terms.add(item, -MODERATE, "it sees other things it calls as well as ever");
    }
}

/// Whether a place began to suffer clearly later than a caller of it that suffers.
pub(crate) fn late<'p>(case: &Case<'p>, locus: &Locus) -> Option<(&'p EvidenceItem, bool)> {
    let Locus::Component(id) = locus else { return None };
    let own = case.symptoms_at(locus).min_by_key(|symptom| symptom.at)?;
    let earliest = case.callers_of(id).filter_map(|caller| case.began(&Locus::Component(caller.clone()))).min()?;
    Some((own.items.first()?, own.at.since(earliest) > LATE))
}

/// Whether something that it calls, or a link to it, suffers: then it may only wait.
pub(crate) fn waits(case: &Case<'_>, id: &Id) -> bool {
    case.callees_of(id).any(|callee| {
        matches!(crate::reasoner::links::link(case, id, callee), Link::Sick(..))
            || case.suffers(&Locus::Component(callee.clone()))
    })
}
