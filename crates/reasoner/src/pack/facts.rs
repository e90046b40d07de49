//! What was stated outright: violations, accounts that do not agree, states, incarnations, and what could not be read.

use std::collections::BTreeSet;

use operator_protocols::{
    ComponentState, DependencyState, Discrepancy, DiscrepancyKind, InvariantDefinition, Locus, Timestamp,
};

use super::Draft;
use super::states::States;
use super::window::Window;
use crate::parameters::{INCARNATION_REACH, ITEMS_PER_KIND, ITEMS_PER_MINOR_KIND, STATE_REACH};
use crate::text::{bounded, clean, number, quantity};
use crate::{EvidenceKind, PackInput, PastTicket, ViolationFact};

/// The violations, those of the incident first, and of those the gravest.
fn in_order<'a>(input: &PackInput<'a>, tickets: &BTreeSet<&String>) -> Vec<&'a ViolationFact> {
    let context = |one: &ViolationFact| !one.ticket.as_ref().is_some_and(|ticket| tickets.contains(ticket));
    let mut violations: Vec<_> = input.violations.iter().collect();
    violations.sort_by(|a, b| {
        (context(a), b.severity, a.first_seen, &a.invariant, &a.on).cmp(&(
            context(b),
            a.severity,
            b.first_seen,
            &b.invariant,
            &b.on,
        ))
    });
    violations.truncate(ITEMS_PER_KIND);
    violations
}

/// The definitions of what is violated, by name.
pub(crate) fn violated_invariants(input: &PackInput<'_>) -> Vec<InvariantDefinition> {
    let violated: BTreeSet<&str> = input.violations.iter().map(|violation| violation.invariant.as_str()).collect();
    let mut found: Vec<_> = input.invariants.iter().filter(|one| violated.contains(one.name.as_str())).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.truncate(ITEMS_PER_KIND);
    found.into_iter().cloned().collect()
}

pub(crate) fn violations(input: &PackInput<'_>, tickets: &BTreeSet<&String>) -> Vec<Draft> {
    in_order(input, tickets)
        .into_iter()
        .map(|violation| {
            let unit = input.invariants.iter().find(|one| one.name == violation.invariant).map_or("", |one| &one.unit);
            let mut violation = violation.clone();
            violation.finding.message = clean(&violation.finding.message);
            violation.finding.measured = finite(violation.finding.measured);
            violation.finding.threshold = finite(violation.finding.threshold);
            violation.finding.involves.truncate(ITEMS_PER_KIND);
            // Each of them is an item of its own.
            violation.finding.discrepancies.truncate(ITEMS_PER_KIND);
            for discrepancy in &mut violation.finding.discrepancies {
                tame(discrepancy);
            }
            Draft {
                at: violation.first_seen.min(input.now),
                on: violation.on.clone(),
                statement: format!(
                    "{} ({}) violated on {}: {}; measured {}, threshold {}",
                    bounded(&violation.invariant, 60),
                    violation.severity,
                    violation.on,
                    violation.finding.message,
                    quantity(violation.finding.measured, unit),
                    quantity(violation.finding.threshold, unit),
                ),
                kind: EvidenceKind::Violation(violation),
            }
        })
        .collect()
}

pub(crate) fn discrepancies(input: &PackInput<'_>, tickets: &BTreeSet<&String>) -> Vec<Draft> {
    let mut found: Vec<(&ViolationFact, &Discrepancy)> = in_order(input, tickets)
        .into_iter()
        .flat_map(|violation| violation.finding.discrepancies.iter().map(move |discrepancy| (violation, discrepancy)))
        .collect();
    let part = |discrepancy: &Discrepancy| finite(discrepancy.amount).abs();
    found.sort_by(|(va, a), (vb, b)| {
        part(b)
            .total_cmp(&part(a))
            .then_with(|| {
                (&a.what, &a.claimed_by, &a.held_by, a.kind).cmp(&(&b.what, &b.claimed_by, &b.held_by, b.kind))
            })
            .then_with(|| va.invariant.cmp(&vb.invariant))
    });
    found.dedup_by(|b, a| a.1 == b.1 && a.0.invariant == b.0.invariant);
    found.truncate(ITEMS_PER_KIND);
    found
        .into_iter()
        .map(|(violation, discrepancy)| {
            let mut discrepancy = discrepancy.clone();
            tame(&mut discrepancy);
            Draft {
                at: violation.first_seen.min(input.now),
                on: discrepancy.what.clone(),
                statement: sentence(&discrepancy),
                kind: EvidenceKind::Discrepancy { invariant: violation.invariant.clone(), discrepancy },
            }
        })
        .collect()
}

fn tame(discrepancy: &mut Discrepancy) {
    discrepancy.amount = finite(discrepancy.amount);
    discrepancy.of = finite(discrepancy.of);
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

fn sentence(discrepancy: &Discrepancy) -> String {
    let Discrepancy { what, claimed_by, held_by, kind, amount, of, agree, peers } = discrepancy;
    let by = claimed_by.as_ref().map_or_else(|| "no known author".to_owned(), ToString::to_string);
    let (amount, of) = (number(*amount), number(*of));
    let tail = if *peers > 1 { format!("; {agree} of {peers} claimants agree") } else { String::new() };
    match kind {
        DiscrepancyKind::Missing => {
            format!("{by} claims {amount} of {of} on {what} that {held_by} does not hold{tail}")
        }
        DiscrepancyKind::Unclaimed => format!("{held_by} holds {amount} of {of} on {what} that no known author claims"),
        DiscrepancyKind::Differs => {
            format!("{by} and {held_by} do not say the same about {what}: they differ by {amount} of {of}{tail}")
        }
    }
}

pub(crate) fn component_states(states: &States<'_>, window: &Window) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = states
        .components
        .values()
        .filter_map(|component| {
            let (now, before) = states.component_runs.get(&component.id)?.now()?;
            let recent = now.since >= window.start.minus(STATE_REACH);
            if component.state == ComponentState::Up && !(recent && before.is_some()) {
                return None;
            }
            let raw_state = bounded(&component.raw_state, 60);
            let was = before.map_or_else(String::new, |before| format!(", before {before:?}"));
            Some(Draft {
                at: now.since,
                on: Locus::Component(component.id.clone()),
                statement: format!("{} is {:?} ({raw_state}){was}", component.id, component.state),
                kind: EvidenceKind::ComponentState { before, now: component.state, raw_state },
            })
        })
        .collect();
    drafts.sort_by_key(|draft| match draft.kind {
        EvidenceKind::ComponentState { now: ComponentState::Down, .. } => 0,
        EvidenceKind::ComponentState { now: ComponentState::Degraded, .. } => 1,
        EvidenceKind::ComponentState { now: ComponentState::Unknown, .. } => 2,
        _ => 3,
    });
    drafts.truncate(ITEMS_PER_KIND);
    drafts
}

pub(crate) fn incarnations(states: &States<'_>, window: &Window) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = states
        .incarnations
        .iter()
        .filter_map(|(id, runs)| {
            let (now, _) = runs.now()?;
            let before = bounded(runs.other_since(window.start.minus(INCARNATION_REACH))?, 60);
            let (at, now) = (now.since, bounded(now.state, 60));
            Some(Draft {
                at,
                on: Locus::Component((*id).clone()),
                statement: format!("{id} started again: incarnation {now}, before {before}"),
                kind: EvidenceKind::Incarnation { before, now },
            })
        })
        .collect();
    drafts.truncate(ITEMS_PER_KIND);
    drafts
}

pub(crate) fn dependency_states(states: &States<'_>, window: &Window) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = states
        .dependencies
        .iter()
        .filter_map(|(key, dependency)| {
            let (now, before) = states.dependency_runs.get(key)?.now()?;
            let recent = now.since >= window.start.minus(STATE_REACH);
            // A link of which nobody ever could tell is no news.
            let news = recent && before.is_some();
            if dependency.state != DependencyState::Down && !news {
                return None;
            }
            let on = Locus::Edge(dependency.from.clone(), dependency.to.clone());
            let was = before.map_or_else(String::new, |before| format!(", before {before:?}"));
            let what = match dependency.state {
                DependencyState::Up => "carries again",
                DependencyState::Down => "carries nothing",
                DependencyState::Unknown => "could not be told",
            };
            Some(Draft {
                at: now.since,
                statement: format!("the link {on} ({}) {what}{was}", bounded(&dependency.kind, 60)),
                on,
                kind: EvidenceKind::DependencyState { before, now: dependency.state },
            })
        })
        .collect();
    drafts.sort_by_key(|draft| match draft.kind {
        EvidenceKind::DependencyState { now: DependencyState::Down, .. } => 0,
        EvidenceKind::DependencyState { now: DependencyState::Unknown, .. } => 1,
        _ => 2,
    });
    drafts.truncate(ITEMS_PER_KIND);
    drafts
}

pub(crate) fn unavailable(input: &PackInput<'_>) -> Vec<Draft> {
    let Some(last) = input.history.last() else { return Vec::new() };
    let mut unread: Vec<_> = last.unavailable.iter().collect();
    unread.sort_by(|a, b| (&a.what, &a.why).cmp(&(&b.what, &b.why)));
    unread.dedup();
    unread.truncate(ITEMS_PER_MINOR_KIND);
    unread
        .into_iter()
        .map(|unread| {
            let (what, why) = (clean(&unread.what), clean(&unread.why));
            Draft {
                at: last.at,
                on: Locus::Nothing,
                statement: format!("{what} could not be read: {why}"),
                kind: EvidenceKind::Unavailable { what, why },
            }
        })
        .collect()
}

pub(crate) fn similar(input: &PackInput<'_>) -> Vec<Draft> {
    similar_to(input.similar, input.now)
}

/// Past tickets that looked alike, as told at `now`.
pub(crate) fn similar_to(similar: &[PastTicket], now: Timestamp) -> Vec<Draft> {
    similar
        .iter()
        .take(ITEMS_PER_MINOR_KIND)
        .map(|past| {
            let PastTicket { ticket, invariant, on, cause, fixed_by } = past;
            let cause =
                cause.as_ref().map_or_else(String::new, |(class, locus)| format!(", caused by {class} of {locus}"));
            let fixed =
                fixed_by.as_ref().map_or_else(String::new, |action| format!(", fixed by {}", bounded(action, 60)));
            Draft {
                at: now,
                on: on.clone(),
                statement: format!(
                    "ticket {} looked alike: {} on {on}{cause}{fixed}",
                    bounded(ticket, 60),
                    bounded(invariant, 60)
                ),
                kind: EvidenceKind::SimilarTicket(past.clone()),
            }
        })
        .collect()
}
