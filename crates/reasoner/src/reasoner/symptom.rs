//! What asks for an explanation. Evidence of one nature at one locus is one symptom, however many signals show it:
//! they are not independent.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{
    ComponentState, DependencyState, DiscrepancyKind, Locus, LogLevel, Severity, SignalRole, Timestamp, Worse,
};

use super::case::Case;
use super::load;
use crate::parameters::{
    CONTEXT, DEVIATION_NATS, DEVIATION_UNIT, FAILS, MODERATE, SYMPTOM_CRITICAL, SYMPTOM_FAINT, SYMPTOM_GRAVE,
    SYMPTOM_HINT, SYMPTOM_LINK, SYMPTOM_WARNING,
};
use crate::{EvidenceItem, EvidenceKind};

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nature {
    /// A component does not answer.
    Down,
    /// A link carries nothing.
    Cut,
    /// Slow, failing, degraded, full, or an invariant about it is violated.
    Performance,
    /// Nothing has been heard of it.
    Silent,
    /// An invariant about an entity or the whole is violated.
    Outcome,
    /// Accounts that do not agree.
    Accounts(DiscrepancyKind),
    /// More is asked of everything.
    Surge,
    /// A clock is off: nothing that is slow, full or cut makes it so.
    Clock,
}

/// Something that asks for an explanation.
#[derive(Debug, Clone)]
pub(crate) struct Symptom<'p> {
    pub on: Locus,
    pub nature: Nature,
    /// How much it asks for one, in nats.
    pub weight: f64,
    /// How much of it is that calls fail, not that they are late: the weight of the gravest such deviation.
    pub failing: f64,
    /// What shows it, the strongest first.
    pub items: Vec<&'p EvidenceItem>,
    /// Since when.
    pub at: Timestamp,
    /// What else the finding names: who claims, who holds, what is involved.
    pub implicates: BTreeSet<&'p Locus>,
    /// Whether an invariant is violated, as opposed to a number being unusual.
    pub violated: bool,
}

impl Symptom<'_> {
    /// Whether it is mostly that calls fail, not that they are late.
    pub fn fails(&self) -> bool {
        self.failing > 0.0 && self.failing >= FAILS * self.weight
    }
}

/// How much a deviation asks for an explanation.
pub(crate) fn weight_of(deviation: f64) -> f64 {
    (DEVIATION_NATS * (deviation.abs() / DEVIATION_UNIT).max(1.0).ln()).min(SYMPTOM_GRAVE)
}

/// How much a log template that became more frequent asks for one: an error that was never written before, more.
fn weight_of_log(item: &EvidenceItem) -> f64 {
    match item.kind {
        EvidenceKind::LogTemplate { level, before_per_minute, .. }
            if level >= LogLevel::Error && before_per_minute == 0.0 =>
        {
            SYMPTOM_WARNING
        }
        _ => SYMPTOM_HINT,
    }
}

#[derive(Default)]
struct Collected<'p> {
    by_place: BTreeMap<(Locus, Nature), Symptom<'p>>,
}

impl<'p> Collected<'p> {
    fn add(
        &mut self,
        on: &Locus,
        nature: Nature,
        weight: f64,
        item: &'p EvidenceItem,
        at: Timestamp,
    ) -> &mut Symptom<'p> {
        let symptom = self.by_place.entry((on.clone(), nature)).or_insert_with(|| Symptom {
            on: on.clone(),
            nature,
            weight: 0.0,
            failing: 0.0,
            items: Vec::new(),
            at,
            implicates: BTreeSet::new(),
            violated: false,
        });
        if weight > symptom.weight {
            symptom.weight = weight;
            symptom.items.insert(0, item);
        } else {
            symptom.items.push(item);
        }
        symptom.at = symptom.at.min(at);
        symptom
    }
}

/// Everything in a case that asks for an explanation, in the order of (locus, nature).
pub(crate) fn symptoms<'p>(case: &Case<'p>) -> Vec<Symptom<'p>> {
    let mut found = Collected::default();
    for (on, facts) in &case.facts {
        if let Some((state, item)) = facts.state {
            match state {
                ComponentState::Down => {
                    found.add(on, Nature::Down, SYMPTOM_GRAVE, item, item.at);
                }
                ComponentState::Degraded => {
                    found.add(on, Nature::Performance, SYMPTOM_WARNING, item, item.at);
                }
                ComponentState::Unknown => {
                    found.add(on, Nature::Silent, SYMPTOM_FAINT, item, item.at);
                }
                ComponentState::Up => {}
            }
        }
        if let Some((DependencyState::Down, item)) = facts.link {
            found.add(on, Nature::Cut, SYMPTOM_LINK, item, item.at);
        }
        if let Some(item) = facts.silent {
            found.add(on, Nature::Silent, SYMPTOM_FAINT, item, item.at);
        }
        if !matches!(on, Locus::Component(_) | Locus::Edge(..)) {
            continue;
        }
        for one in &facts.deviations {
            if one.deviation > 0.0 && one.worse != Worse::Neither && one.role != SignalRole::Traffic {
                let weight = weight_of(one.deviation);
                let nature = if one.is_about_a_clock() { Nature::Clock } else { Nature::Performance };
                let symptom = found.add(on, nature, weight, one.item, one.item.at);
                if case.failing_or_late && matches!(one.role, SignalRole::Availability | SignalRole::Errors) {
                    symptom.failing = symptom.failing.max(weight);
                }
            }
        }
        if let Some(item) = facts.saturated.filter(|_| facts.bad(SignalRole::Saturation).next().is_some()) {
            found.add(on, Nature::Performance, SYMPTOM_HINT, item, item.at);
        }
        // More ordinary news tells of what is asked, not of trouble.
        let grave = |item: &EvidenceItem| matches!(item.kind, EvidenceKind::LogTemplate { level, .. } if level >= LogLevel::Warn);
        for item in facts.logs.iter().filter(|item| grave(item)) {
            found.add(on, Nature::Performance, weight_of_log(item), item, item.at);
        }
    }
    for (violation, item) in &case.violations {
        let weight = match violation.severity {
            Severity::Critical => SYMPTOM_CRITICAL,
            Severity::Warning => SYMPTOM_WARNING,
            Severity::Info => SYMPTOM_FAINT,
        };
        if !violation.finding.discrepancies.is_empty() {
            // The accounts themselves ask for the explanation, below.
            continue;
        }
        let nature = match &violation.on {
            Locus::Component(id) if case.state(id) == Some(ComponentState::Down) => Nature::Down,
            Locus::Edge(..) if matches!(case.facts(&violation.on).link, Some((DependencyState::Down, _))) => {
                Nature::Cut
            }
            Locus::Component(_) | Locus::Edge(..) => Nature::Performance,
            _ => Nature::Outcome,
        };
        let symptom = found.add(&violation.on, nature, weight, item, item.at);
        symptom.implicates.extend(&violation.finding.involves);
        symptom.violated = true;
    }
    for item in &case.pack.items {
        let EvidenceKind::Discrepancy { discrepancy, .. } = &item.kind else { continue };
        let on = match discrepancy.kind {
            DiscrepancyKind::Unclaimed => &discrepancy.what,
            DiscrepancyKind::Missing => &discrepancy.held_by,
            DiscrepancyKind::Differs => discrepancy.claimed_by.as_ref().unwrap_or(&discrepancy.held_by),
        };
        let symptom = found.add(on, Nature::Accounts(discrepancy.kind), SYMPTOM_GRAVE, item, item.at);
        symptom.violated = true;
        symptom.implicates.extend([&discrepancy.what, &discrepancy.held_by]);
        symptom.implicates.extend(&discrepancy.claimed_by);
    }
    if let Some(surge) = load::surge(case) {
        found.add(&Locus::Nothing, Nature::Surge, MODERATE, surge.item, surge.item.at);
    }
    let mut symptoms: Vec<_> = found.by_place.into_values().collect();
    for symptom in &mut symptoms {
        if of_another_incident(case, symptom) {
            symptom.weight *= CONTEXT;
            symptom.violated = false;
        }
    }
    symptoms
}

/// Whether a symptom is at a place, on a link of a place, or made of accounts, of which only other incidents have
/// tickets.
fn of_another_incident(case: &Case<'_>, symptom: &Symptom<'_>) -> bool {
    let mut theirs = false;
    for (violation, _) in &case.violations {
        let carries = symptom.items.iter().any(|item| match &item.kind {
            EvidenceKind::Discrepancy { discrepancy, invariant } => {
                violation.invariant == *invariant && violation.finding.discrepancies.contains(discrepancy)
            }
            _ => false,
        });
        let beside = matches!((&symptom.on, &violation.on), (Locus::Edge(from, to), Locus::Component(id)) if from == id || to == id);
        if carries || beside || violation.on == symptom.on {
            if case.pack.is_of_incident(violation) {
                return false;
            }
            theirs = true;
        }
    }
    theirs
}
