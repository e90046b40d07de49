//! From a ranking to the diagnosis that people and programs read.

use std::collections::BTreeSet;

use operator_protocols::{ActionDefinition, ComponentState, Does, FaultClass, Locus, Severity, Worse};

use super::NAME;
use super::case::Case;
use super::ranking::{Ranking, Weighed};
use super::wording;
use crate::parameters::{
    ALTERNATIVES, CITATIONS, CONFIDENCE_HIGH, CONFIDENCE_MEDIUM, EVENT_REACH, READINGS, TIMELINE, VERSION,
};
use crate::text::bounded;
use crate::{
    Alternative, Confidence, Diagnosis, EvidenceItem, EvidenceKind, EvidenceRef, Hypothesis, MetricReading,
    RecommendedAction, TimelineEntry,
};

pub(crate) fn report(case: &Case<'_>, ranking: &Ranking<'_>, actions: &[ActionDefinition]) -> Diagnosis {
    let pack = case.pack;
    let primary = match ranking.causes.first() {
        Some(first) if ranking.decided => hypothesis(case, first),
        _ => undecided(case, ranking),
    };
    let recommended_actions = remedies(case, ranking, &primary, actions);
    let probability = if ranking.decided {
        primary.probability
    } else {
        ranking.causes.first().map_or(0.0, |first| first.probability)
    };
    Diagnosis {
        subject: pack.subject.clone(),
        incident: pack.incident.clone(),
        diagnoser: NAME.to_owned(),
        diagnoser_version: VERSION.to_owned(),
        made_at: pack.built_at,
        timeline: timeline(case),
        affected: affected(case),
        readings: readings(case),
        confidence: confidence(ranking.decided, probability),
        alternatives: alternatives(case, ranking),
        severity: case
            .violations
            .iter()
            .filter(|(violation, _)| pack.is_of_incident(violation))
            .map(|(violation, _)| violation.severity)
            .max()
            .unwrap_or(Severity::Info),
        recommended_action: in_words(&primary, &recommended_actions, actions),
        commands: commands(&pack.incident),
        risks: risks(case, &primary, &recommended_actions, actions),
        missing: missing(case, ranking),
        recommended_actions,
        primary,
    }
}

fn hypothesis(case: &Case<'_>, cause: &Weighed<'_>) -> Hypothesis {
    Hypothesis {
        class: cause.class,
        locus: cause.locus.clone(),
        statement: wording::statement(case, cause.class, &cause.locus),
        probability: cause.probability,
        score: cause.score,
        supporting: cause.terms.citations(true, CITATIONS),
        contradicting: cause.terms.citations(false, CITATIONS),
    }
}

/// What is said when the evidence does not decide: it cites what asks for an explanation.
fn undecided(case: &Case<'_>, ranking: &Ranking<'_>) -> Hypothesis {
    let mut symptoms: Vec<_> = case.symptoms.iter().collect();
    symptoms.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let supporting = symptoms
        .iter()
        .filter_map(|symptom| {
            let item = symptom.items.first()?;
            Some(EvidenceRef {
                id: item.id.clone(),
                because: "it asks for an explanation".to_owned(),
                weight: symptom.weight,
            })
        })
        .take(CITATIONS)
        .collect();
    let statement = match ranking.causes.as_slice() {
        [first, second, ..] if first.probability > ranking.something_else => format!(
            "the evidence does not decide between “{}” and “{}”",
            wording::statement(case, first.class, &first.locus),
            wording::statement(case, second.class, &second.locus)
        ),
        _ => "the evidence fits no known cause well enough".to_owned(),
    };
    Hypothesis {
        class: FaultClass::Unknown,
        locus: Locus::Nothing,
        statement,
        probability: ranking.something_else,
        score: 0.0,
        supporting,
        contradicting: Vec::new(),
    }
}

fn confidence(decided: bool, probability: f64) -> Confidence {
    let word = match probability {
        p if decided && p >= CONFIDENCE_HIGH => "high",
        p if decided && p >= CONFIDENCE_MEDIUM => "medium",
        _ => "low",
    };
    Confidence { word: word.to_owned(), probability }
}

fn alternatives(case: &Case<'_>, ranking: &Ranking<'_>) -> Vec<Alternative> {
    ranking
        .causes
        .iter()
        .enumerate()
        .skip(usize::from(ranking.decided))
        .take(ALTERNATIVES)
        .map(|(n, other)| Alternative {
            hypothesis: hypothesis(case, other),
            conclusion: if ranking.decided && n < ranking.together {
                "it is so as well: a failure of its own".to_owned()
            } else {
                wording::conclusion(other, ranking.decided)
            },
        })
        .collect()
}

/// The remedies of what was decided upon; of all that is down, where several things are.
fn remedies(
    case: &Case<'_>,
    ranking: &Ranking<'_>,
    primary: &Hypothesis,
    actions: &[ActionDefinition],
) -> Vec<RecommendedAction> {
    if !ranking.decided {
        return Vec::new();
    }
    let mut found = primary.remedies(case.pack, actions);
    for other in ranking.causes.iter().take(ranking.together).skip(1) {
        found.extend(hypothesis(case, other).remedies(case.pack, actions));
    }
    found
}

fn in_words(primary: &Hypothesis, recommended: &[RecommendedAction], actions: &[ActionDefinition]) -> String {
    match (primary.class, recommended.first()) {
        (FaultClass::NoFault, _) => "Nothing: wait and observe.".to_owned(),
        (FaultClass::Unknown, _) => "Wait and observe; look at what is missing before acting.".to_owned(),
        (_, None) => "Wait and observe: no known action is good against this.".to_owned(),
        (_, Some(first)) => {
            let what =
                actions.iter().find(|action| action.name == first.action).map_or("", |action| &action.description);
            let does = match first.does {
                Does::Cures => "removes the fault",
                Does::Contains => "keeps its effects in bounds; it must be taken back later",
            };
            format!(
                "{} on {}: {}. It {does}.",
                bounded(&first.action, 60),
                bounded(&first.target.to_string(), 120),
                bounded(what, 200).trim_end_matches('.')
            )
        }
    }
}

fn commands(incident: &str) -> Vec<String> {
    // What is pasted into a shell must not be able to say anything else there.
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if incident.is_empty() || incident.len() > 100 || incident.starts_with('-') || !incident.chars().all(harmless) {
        return vec!["operator incidents list".to_owned()];
    }
    vec![format!("operator incidents show {incident}"), format!("operator actions plan --incident {incident}")]
}

fn risks(
    case: &Case<'_>,
    primary: &Hypothesis,
    recommended: &[RecommendedAction],
    actions: &[ActionDefinition],
) -> Vec<String> {
    let mut risks = Vec::new();
    for one in recommended.iter().take(3) {
        let definition = actions.iter().find(|action| action.name == one.action);
        let back = match definition.and_then(|action| action.reversible_by.as_deref()) {
            Some(back) => format!("can be taken back by {}", bounded(back, 60)),
            None => "cannot be taken back".to_owned(),
        };
        risks.push(format!(
            "{} on {}: risk {}; {back}",
            bounded(&one.action, 60),
            bounded(&one.target.to_string(), 120),
            one.risk
        ));
    }
    let persists = case.violations.iter().filter_map(|(violation, _)| violation.finding.persists).max();
    if let Some(persists) = persists {
        risks.push(format!("the symptom outlives its cure by up to {} s", persists.as_secs()));
    }
    if !primary.contradicting.is_empty() && primary.class != FaultClass::Unknown {
        let ids: Vec<_> = primary.contradicting.iter().take(3).map(|one| one.id.to_string()).collect();
        risks.push(format!("not everything fits: {}", ids.join(", ")));
    }
    risks
}

fn missing(case: &Case<'_>, ranking: &Ranking<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    if !ranking.decided {
        match ranking.causes.as_slice() {
            [first, second, ..] => missing.push(wording::separating(first, second)),
            _ => missing.push("any observation of the subject".to_owned()),
        }
    }
    if case.pack.observations < crate::parameters::BASELINE_SAMPLES {
        missing.push(format!("a healthy past to compare with: there are {} observations", case.pack.observations));
    }
    let blind: Vec<&EvidenceItem> = case
        .components
        .values()
        .filter(|component| component.state == ComponentState::Unknown)
        .filter_map(|component| case.facts(&Locus::Component(component.id.clone())).state.map(|(_, item)| item))
        .collect();
    for item in blind.into_iter().chain(case.unavailable.iter().copied()).take(8) {
        missing.push(format!("{} ({})", item.statement, item.id));
    }
    missing
}

/// Where something is wrong, in order.
fn affected(case: &Case<'_>) -> Vec<Locus> {
    let mut seen: BTreeSet<&Locus> = case.symptoms.iter().map(|symptom| &symptom.on).collect();
    seen.extend(case.violations.iter().map(|(violation, _)| &violation.on));
    seen.remove(&Locus::Nothing);
    seen.into_iter().take(crate::parameters::ITEMS_PER_KIND).cloned().collect()
}

/// What happened, in order: what begins or changes, not what merely is.
fn timeline(case: &Case<'_>) -> Vec<TimelineEntry> {
    let from = case.pack.onset.minus(EVENT_REACH);
    let happened = |item: &&EvidenceItem| {
        item.at >= from
            && match &item.kind {
                EvidenceKind::Violation(_)
                | EvidenceKind::Incarnation { .. }
                | EvidenceKind::Event(_)
                | EvidenceKind::OwnAction(_) => true,
                EvidenceKind::ComponentState { before, .. } => before.is_some(),
                EvidenceKind::DependencyState { before, .. } => before.is_some(),
                EvidenceKind::Deviation { deviation, worse, .. } => *deviation > 0.0 && *worse != Worse::Neither,
                _ => false,
            }
    };
    // The items of each kind come most telling first: what is too much of them is cut at the end of each.
    let mut items: Vec<&EvidenceItem> = case.pack.items.iter().filter(happened).collect();
    if items.len() > TIMELINE {
        items.sort_by_key(|item| match item.kind {
            EvidenceKind::Violation(_) => 0,
            EvidenceKind::ComponentState { .. } | EvidenceKind::OwnAction(_) => 1,
            EvidenceKind::Event(_) | EvidenceKind::Incarnation { .. } | EvidenceKind::DependencyState { .. } => 2,
            _ => 3,
        });
        items.truncate(TIMELINE);
    }
    let place = |item: &EvidenceItem| case.pack.items.iter().position(|other| other.id == item.id);
    items.sort_by_key(|item| (item.at, place(item)));
    items
        .into_iter()
        .map(|item| TimelineEntry { at: item.at, evidence: item.id.clone(), text: item.statement.clone() })
        .collect()
}

fn readings(case: &Case<'_>) -> Vec<MetricReading> {
    let unit_of = |name: &str| {
        case.pack.invariants.iter().find(|one| one.name == name).map_or_else(String::new, |one| one.unit.clone())
    };
    let of = |item: &EvidenceItem| match &item.kind {
        EvidenceKind::Violation(violation) => Some(MetricReading {
            evidence: item.id.clone(),
            on: item.on.clone(),
            name: violation.invariant.clone(),
            value: violation.finding.measured,
            reference: violation.finding.threshold,
            unit: unit_of(&violation.invariant),
        }),
        EvidenceKind::Deviation { signal, unit, baseline, value, .. } => Some(MetricReading {
            evidence: item.id.clone(),
            on: item.on.clone(),
            name: signal.clone(),
            value: *value,
            reference: *baseline,
            unit: unit.clone(),
        }),
        _ => None,
    };
    case.pack.items.iter().filter_map(of).take(READINGS).collect()
}
