//! The evidence pack as JSON data: the most relevant first, within a bound, with a count of all that was left out.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{ActionDefinition, ComponentState, DependencyState, Locus, Timestamp, Worse};
use operator_reasoner::{EvidenceId, EvidenceItem, EvidenceKind, EvidencePack, EvidenceRef, Hypothesis, bounded};
use serde::Serialize;

use crate::places::Places;

/// The longest text of one item, in characters.
const SAYS: usize = 240;
/// How many of the reasons for and against one explanation are shown, and how many where there is little room.
const REASONS: usize = 4;
const FEW_REASONS: usize = 2;
/// With less room than this, in bytes, there is little.
const LITTLE_ROOM: usize = 6_000;
/// The part of the room that the ranking may take beyond its first two, in percent.
const FOR_RANKING: usize = 45;
/// The part of the room that evidence may take, in percent; the rest is for components and links.
const FOR_EVIDENCE: usize = 85;

/// The pack as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    /// JSON.
    pub text: String,
    /// The items that are in it.
    pub ids: Vec<EvidenceId>,
    /// How many of the ranked explanations are.
    pub ranks: usize,
}

#[derive(Serialize)]
struct View {
    system: String,
    seconds_of_trouble: f64,
    invariants: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranking: Vec<Ranked>,
    evidence: Vec<Item>,
    components: Vec<Part>,
    calls: Vec<String>,
    left_out: LeftOut,
}

#[derive(Serialize)]
struct Ranked {
    rank: usize,
    class: &'static str,
    locus: String,
    p: f64,
    #[serde(rename = "for")]
    for_it: Vec<String>,
    against: Vec<String>,
    remedies: Vec<String>,
}

#[derive(Serialize)]
struct Item {
    id: String,
    on: String,
    t: f64,
    says: String,
}

#[derive(Serialize)]
struct Part {
    name: String,
    kind: String,
    state: &'static str,
}

#[derive(Serialize)]
struct LeftOut {
    ranking: usize,
    evidence: usize,
    components: usize,
    calls: usize,
}

/// The items, the most relevant first: those of the incident, those the ranking rests on, what was stated outright,
/// deviations by strength, and last what is as it should be.
pub(crate) fn by_relevance<'p>(pack: &'p EvidencePack, ranked: &[&Hypothesis]) -> Vec<&'p EvidenceItem> {
    let cited: BTreeSet<&EvidenceId> = ranked
        .iter()
        .take(3)
        .flat_map(|one| one.supporting.iter().take(REASONS).chain(one.contradicting.iter().take(REASONS)))
        .map(|one| &one.id)
        .collect();
    let mut items: Vec<(u8, f64, &EvidenceItem)> = pack
        .items
        .iter()
        .map(|item| {
            let (rank, strength) = relevance(pack, item);
            (if rank > 1 && cited.contains(&item.id) { 1 } else { rank }, strength, item)
        })
        .collect();
    // The order of the pack holds among equals.
    items.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal)));
    items.into_iter().map(|(_, _, item)| item).collect()
}

fn relevance(pack: &EvidencePack, item: &EvidenceItem) -> (u8, f64) {
    match &item.kind {
        EvidenceKind::Violation(violation) if pack.is_of_incident(violation) => (0, 0.0),
        EvidenceKind::Discrepancy { .. }
        | EvidenceKind::ComponentState { .. }
        | EvidenceKind::DependencyState { .. }
        | EvidenceKind::Incarnation { .. } => (2, 0.0),
        EvidenceKind::Event(_) | EvidenceKind::OwnAction(_) => (3, 0.0),
        EvidenceKind::Deviation { deviation, worse, .. } if *worse != Worse::Neither => (4, deviation.abs()),
        EvidenceKind::Saturated { .. } | EvidenceKind::Silent { .. } | EvidenceKind::Share { .. } => (5, 0.0),
        EvidenceKind::SelfExcess { .. }
        | EvidenceKind::Peers { .. }
        | EvidenceKind::LogTemplate { .. }
        | EvidenceKind::Deviation { .. } => (6, 0.0),
        EvidenceKind::SimilarTicket(_) | EvidenceKind::Unavailable { .. } | EvidenceKind::DetailChange { .. } => {
            (7, 0.0)
        }
        EvidenceKind::Violation(_) => (8, 0.0),
        EvidenceKind::Healthy { .. } => (9, 0.0),
    }
}

/// Seconds from the onset, to a tenth.
pub(crate) fn seconds(pack: &EvidencePack, at: Timestamp) -> f64 {
    let millis = at.as_millis().saturating_sub(pack.onset.as_millis());
    (millis as f64 / 100.0).round() / 10.0
}

/// The word for a state.
pub(crate) fn state(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Up => "up",
        ComponentState::Degraded => "degraded",
        ComponentState::Down => "down",
        ComponentState::Unknown => "unknown",
    }
}

/// The pack in at most about `room` bytes.
pub(crate) fn render(
    pack: &EvidencePack,
    actions: &[ActionDefinition],
    ranked: &[&Hypothesis],
    order: &[&EvidenceItem],
    places: &Places,
    room: usize,
) -> Shown {
    let reasons = if room < LITTLE_ROOM { FEW_REASONS } else { REASONS };
    let mut view = View {
        system: bounded(&pack.subject, 80),
        seconds_of_trouble: seconds(pack, pack.built_at),
        invariants: pack
            .invariants
            .iter()
            .take(8)
            .map(|one| (bounded(&one.name, 60), bounded(&one.description, 160)))
            .collect(),
        ranking: ranked.iter().enumerate().map(|(n, one)| entry(n, one, pack, actions, places, reasons)).collect(),
        evidence: Vec::new(),
        components: Vec::new(),
        calls: Vec::new(),
        left_out: LeftOut { ranking: 0, evidence: 0, components: 0, calls: 0 },
    };
    while view.ranking.len() > 2 && size(&view.ranking) > room * FOR_RANKING / 100 {
        view.ranking.pop();
    }
    let mut used = size(&view);
    let mut ids = Vec::new();
    for item in order {
        let shown = Item {
            id: item.id.0.clone(),
            on: places.name(&item.on),
            t: seconds(pack, item.at),
            says: bounded(&item.statement, SAYS),
        };
        let cost = size(&shown) + 1;
        // What the incident is about is shown in any case.
        if used + cost > room * FOR_EVIDENCE / 100 && !ids.is_empty() {
            continue;
        }
        used += cost;
        ids.push(item.id.clone());
        view.evidence.push(shown);
    }
    let mut fits = |cost: usize| {
        let fits = used + cost <= room;
        used += if fits { cost } else { 0 };
        fits
    };
    // Who can be named comes first.
    let mut components: Vec<_> = pack.components.iter().collect();
    components.sort_by_key(|one| places.locus(&places.name(&Locus::Component(one.id.clone()))).is_none());
    for component in components {
        let part = Part {
            name: places.name(&Locus::Component(component.id.clone())),
            kind: bounded(&component.kind, 40),
            state: state(component.state),
        };
        if fits(size(&part) + 1) {
            view.components.push(part);
        }
    }
    for link in &pack.dependencies {
        let down = if link.state == DependencyState::Down { " (down)" } else { "" };
        let call = format!("{}{down}", places.name(&Locus::Edge(link.from.clone(), link.to.clone())));
        if fits(size(&call) + 1) {
            view.calls.push(call);
        }
    }
    view.left_out = LeftOut {
        ranking: ranked.len() - view.ranking.len(),
        evidence: pack.items.len() - view.evidence.len(),
        components: pack.components.len() - view.components.len(),
        calls: pack.dependencies.len() - view.calls.len(),
    };
    let ranks = view.ranking.len();
    Shown { text: serde_json::to_string(&view).unwrap_or_default(), ids, ranks }
}

fn entry(
    n: usize,
    one: &Hypothesis,
    pack: &EvidencePack,
    actions: &[ActionDefinition],
    places: &Places,
    most: usize,
) -> Ranked {
    let reasons = |list: &[EvidenceRef]| {
        list.iter().take(most).map(|one| format!("{}: {}", one.id, bounded(&one.because, 100))).collect()
    };
    let mut remedies: Vec<String> = Vec::new();
    for remedy in one.remedies(pack, actions) {
        if !remedies.contains(&remedy.action) && remedies.len() < 4 {
            remedies.push(remedy.action);
        }
    }
    Ranked {
        rank: n + 1,
        class: one.class.name(),
        locus: places.name(&one.locus),
        p: (one.probability * 1000.0).round() / 1000.0,
        for_it: reasons(&one.supporting),
        against: reasons(&one.contradicting),
        remedies,
    }
}

fn size(of: &impl Serialize) -> usize {
    serde_json::to_string(of).map_or(0, |text| text.len())
}
