//! An incident that is over, as later ones are compared with it: by what its evidence looked like, not by words.

use std::collections::BTreeMap;

use operator_protocols::{ComponentState, DependencyState, FaultClass, Id, Locus, Timestamp};
use operator_reasoner::{EvidenceItem, EvidenceKind, EvidencePack, PastTicket};
use serde::{Deserialize, Serialize};

use crate::{Mark, MarkVerdict};

/// From this similarity on, two incidents looked alike.
const ALIKE: f64 = 0.6;
/// How many that looked alike are told.
const MOST_ALIKE: usize = 3;
/// The most features of one signature; the weightiest.
const FEATURES: usize = 64;
/// The longest name in a feature.
const NAME_CHARS: usize = 60;

/// An incident that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastCase {
    /// Its id.
    pub incident: String,
    /// The subject instance.
    pub subject: String,
    /// The kind of system.
    pub kind: String,
    /// When it ended.
    pub closed_at: Timestamp,
    /// Its tickets, the first of them.
    pub tickets: Vec<String>,
    /// The invariant of its first ticket.
    pub invariant: String,
    /// Where that did not hold.
    pub on: Locus,
    /// What its evidence looked like.
    pub signature: Signature,
    /// Its last diagnosis.
    pub diagnosis: String,
    /// Who made that.
    pub diagnoser: String,
    /// The cause it named; an unknown one, if it abstained.
    pub diagnosed: (FaultClass, Locus),
    /// The action after which everything was well, as was verified.
    pub fixed_by: Option<String>,
    /// What a person said of it.
    pub mark: Option<Mark>,
}

/// What evidence looked like: what kinds of signs there were, on what kinds of parts, and how these stood to the part
/// that was ticketed; each with its weight. No text, no number and no name of a part is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(BTreeMap<String, u32>);

impl PastCase {
    /// What the cause was, as far as it is known: what a person said, or what was diagnosed where acting on it helped.
    pub fn cause(&self) -> Option<(FaultClass, Locus)> {
        let diagnosed = (self.diagnosed.0 != FaultClass::Unknown).then(|| self.diagnosed.clone());
        match self.mark.as_ref().map(|mark| (mark.verdict, &mark.cause)) {
            Some((MarkVerdict::Wrong, cause)) => cause.clone(),
            Some((MarkVerdict::Right, _)) => diagnosed,
            Some((MarkVerdict::Withdrawn, _)) | None => diagnosed.filter(|_| self.fixed_by.is_some()),
        }
    }

    /// As evidence for an incident of `subject`. Of another instance only what helps is told, and not which it was.
    fn told_to(&self, subject: &str) -> PastTicket {
        let own = self.subject == subject;
        let at = |locus: Locus| if own { locus } else { Locus::Nothing };
        PastTicket {
            ticket: if own {
                self.tickets.first().cloned().unwrap_or_default()
            } else {
                format!("another {}", self.kind)
            },
            invariant: self.invariant.clone(),
            on: at(self.on.clone()),
            cause: self.cause().map(|(class, locus)| (class, at(locus))),
            fixed_by: self.fixed_by.clone(),
        }
    }
}

/// Those of `past` that looked most like `signature`, the most alike first; the incident itself is none of them.
pub(crate) fn alike<'p>(
    past: impl Iterator<Item = &'p PastCase>,
    signature: &Signature,
    subject: &str,
    incident: &str,
) -> Vec<PastTicket> {
    let mut found: Vec<(f64, &PastCase)> = past
        .filter(|case| case.incident != incident)
        .map(|case| (case.signature.similarity(signature), case))
        .filter(|(similarity, _)| *similarity >= ALIKE)
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then_with(|| (other.closed_at, &other.incident).cmp(&(one.closed_at, &one.incident)))
    });
    found.into_iter().take(MOST_ALIKE).map(|(_, case)| case.told_to(subject)).collect()
}

impl Signature {
    /// That of an incident's evidence.
    pub fn of(pack: &EvidencePack) -> Self {
        let ticketed: Vec<&Locus> = pack
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                EvidenceKind::Violation(violation) if pack.is_of_incident(violation) => Some(&violation.on),
                _ => None,
            })
            .collect();
        let mut features: Vec<(u32, String)> = pack
            .items
            .iter()
            .filter_map(|item| {
                let (weight, what) = sign(pack, item)?;
                let part = kind_of(pack, &item.on);
                Some((weight, format!("{what} on {part} {}", relation(&item.on, &ticketed))))
            })
            .collect();
        features.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        features.dedup();
        features.truncate(FEATURES);
        Self(features.into_iter().map(|(weight, feature)| (feature, weight)).collect())
    }

    /// How alike two are, from 0 to 1: the weight of what they share in the weight of what either has.
    pub fn similarity(&self, other: &Self) -> f64 {
        let (mut shared, mut all) = (0_u32, 0_u32);
        for (feature, &weight) in &self.0 {
            let theirs = other.0.get(feature).copied().unwrap_or(0);
            shared += weight.min(theirs);
            all += weight.max(theirs);
        }
        all +=
            other.0.iter().filter(|(feature, _)| !self.0.contains_key(*feature)).map(|(_, weight)| weight).sum::<u32>();
        if all == 0 { 0.0 } else { f64::from(shared) / f64::from(all) }
    }
}

fn name(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect()
}

/// What an item is a sign of, and how much it weighs; none, if it says nothing of what kind of trouble it is.
fn sign(pack: &EvidencePack, item: &EvidenceItem) -> Option<(u32, String)> {
    Some(match &item.kind {
        EvidenceKind::Violation(violation) if pack.is_of_incident(violation) => {
            (6, format!("violated {}", name(&violation.invariant)))
        }
        EvidenceKind::Violation(violation) => (1, format!("context {}", name(&violation.invariant))),
        EvidenceKind::Discrepancy { discrepancy, .. } => (6, format!("discrepancy {:?}", discrepancy.kind)),
        EvidenceKind::ComponentState { now: ComponentState::Up, .. } => (1, "back up".to_owned()),
        EvidenceKind::ComponentState { now, .. } => (6, format!("state {now:?}")),
        EvidenceKind::Incarnation { .. } => (4, "started again".to_owned()),
        EvidenceKind::DependencyState { now: DependencyState::Up, .. } => (1, "link back up".to_owned()),
        EvidenceKind::DependencyState { now, .. } => (6, format!("link {now:?}")),
        EvidenceKind::Deviation { role, deviation, .. } => {
            (2, format!("{role:?} {}", if *deviation > 0.0 { "worse" } else { "better" }))
        }
        EvidenceKind::Saturated { .. } => (4, "nearly full".to_owned()),
        EvidenceKind::SelfExcess { own, total, .. } => {
            (2, format!("excess {}", if own * 2.0 >= *total { "its own" } else { "of what it calls" }))
        }
        EvidenceKind::Share { .. } => (2, "most traffic is that of one".to_owned()),
        EvidenceKind::Silent { .. } => (2, "silent".to_owned()),
        EvidenceKind::Peers { deviating, peers, .. } => {
            let among = if *deviating == 1 {
                "alone"
            } else if deviating == peers {
                "all"
            } else {
                "some"
            };
            (1, format!("deviates {among}"))
        }
        EvidenceKind::Event(event) => (4, format!("event {:?}", event.kind)),
        EvidenceKind::LogTemplate { level, .. } => (1, format!("logs {level:?}")),
        EvidenceKind::Unavailable { .. } => (1, "unread".to_owned()),
        EvidenceKind::OwnAction(_)
        | EvidenceKind::DetailChange { .. }
        | EvidenceKind::SimilarTicket(_)
        | EvidenceKind::Healthy { .. } => return None,
    })
}

fn kind_of(pack: &EvidencePack, locus: &Locus) -> String {
    let component = |id: &Id| {
        let found = pack.components.iter().find(|component| component.id == *id);
        found.map_or_else(|| "unseen".to_owned(), |component| name(&component.kind))
    };
    match locus {
        Locus::Component(id) => component(id),
        Locus::Edge(from, to) => format!("{}→{}", component(from), component(to)),
        Locus::Group(_) => "group".to_owned(),
        Locus::Entity(entity) => format!("entity {}", name(&entity.kind)),
        Locus::Change(_) => "change".to_owned(),
        Locus::Nothing => "nothing".to_owned(),
    }
}

/// How a place stands to those that are ticketed.
fn relation(on: &Locus, ticketed: &[&Locus]) -> &'static str {
    if ticketed.contains(&on) {
        return "itself";
    }
    let parts = on.components();
    let touches = ticketed.iter().any(|ticketed| ticketed.components().iter().any(|part| parts.contains(part)));
    if touches { "beside" } else { "elsewhere" }
}
