//! Whether more is asked than usual, of everything or of one component.

use std::collections::BTreeSet;

use operator_protocols::{Id, Locus, SignalRole};

use super::case::{Case, Deviation};
use crate::EvidenceItem;
use crate::parameters::{SURGE_FACTOR, SURGE_SHARE};

/// A surge of traffic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surge<'p> {
    /// The strongest sign of it.
    pub item: &'p EvidenceItem,
}

/// The deviation that shows more traffic at a locus.
pub(crate) fn more_traffic<'c, 'p>(case: &'c Case<'p>, locus: &Locus) -> Option<&'c Deviation<'p>> {
    case.facts(locus)
        .deviations
        .iter()
        .filter(|one| {
            one.role == SignalRole::Traffic && one.value > one.baseline && one.value >= SURGE_FACTOR * one.baseline
        })
        .max_by(|a, b| a.deviation.total_cmp(&b.deviation))
}

/// Whether it is known how much is asked at a locus.
fn is_measured(case: &Case<'_>, locus: &Locus) -> bool {
    let facts = case.facts(locus);
    facts.fine(SignalRole::Traffic).is_some() || facts.deviations.iter().any(|one| one.role == SignalRole::Traffic)
}

/// The components that a surge reaches: down the calls from where requests enter, but not along a link that carries as
/// much as ever. How much all callers together ask of a component says less: some may ask less for being busy.
fn reached<'p>(case: &Case<'p>) -> BTreeSet<&'p Id> {
    let mut reached: BTreeSet<&Id> = entries(case).collect();
    let mut queue: Vec<&Id> = reached.iter().copied().collect();
    while let Some(id) = queue.pop() {
        for callee in case.callees_of(id) {
            let link = Locus::Edge(id.clone(), callee.clone());
            if case.facts(&link).fine(SignalRole::Traffic).is_none() && reached.insert(callee) {
                queue.push(callee);
            }
        }
    }
    reached
}

/// The components that are full, or fuller than usual, and that a surge reaches.
pub(crate) fn overfull<'p>(case: &Case<'p>) -> BTreeSet<&'p Id> {
    if !case.surge() {
        return BTreeSet::new();
    }
    let filled = |id: &Id| {
        let facts = case.facts(&Locus::Component(id.clone()));
        facts.saturated.is_some() || facts.bad(SignalRole::Saturation).next().is_some()
    };
    reached(case).into_iter().filter(|id| filled(id)).collect()
}

/// The entities that make up much of the traffic of a component, of those that the symptoms name; the item that says so.
pub(crate) fn dominating<'c, 'p>(case: &'c Case<'p>) -> impl Iterator<Item = (&'p Locus, &'p EvidenceItem)> + 'c {
    let named = |on: &Locus| case.symptoms.iter().any(|symptom| symptom.implicates.contains(on));
    case.facts.iter().filter_map(move |(on, facts)| Some((*on, facts.dominates?)).filter(|(on, _)| named(on)))
}

/// More traffic where requests enter: of all of it together, or of nearly all components that nobody calls.
pub(crate) fn surge<'p>(case: &Case<'p>) -> Option<Surge<'p>> {
    more_traffic(case, &Locus::Nothing)
        .map(|one| Surge { item: one.item })
        .or_else(|| among(case, entries(case).map(|id| Locus::Component(id.clone()))).flatten())
}

/// The components that nobody calls.
fn entries<'c, 'p>(case: &'c Case<'p>) -> impl Iterator<Item = &'p Id> + 'c {
    case.components.keys().copied().filter(|id| case.callers_of(id).next().is_none())
}

/// `None`, if none of the loci measures its traffic; `Some(None)`, if there is no surge.
fn among<'p>(case: &Case<'p>, loci: impl Iterator<Item = Locus>) -> Option<Option<Surge<'p>>> {
    let (mut more, mut known) = (0_usize, 0_usize);
    let mut strongest: Option<&Deviation<'p>> = None;
    for locus in loci {
        if let Some(one) = more_traffic(case, &locus) {
            more += 1;
            known += 1;
            if strongest.is_none_or(|before| one.deviation > before.deviation) {
                strongest = Some(one);
            }
        } else if is_measured(case, &locus) {
            known += 1;
        }
    }
    if known == 0 {
        return None;
    }
    // Counts are far below 2^52.
    let enough = more as f64 >= SURGE_SHARE * known as f64;
    Some(strongest.filter(|_| enough).map(|one| Surge { item: one.item }))
}
