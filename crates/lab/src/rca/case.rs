//! One case, and what the reasoner answers to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Finding, History, Id, InvariantDefinition, Locus,
    Observation, Severity, Signal, Timestamp,
};
use operator_reasoner::{EvidencePack, Methods, PackInput, Reasoner, Remembered, ViolationFact};
use serde::Serialize;

use super::Half;

/// The name under which a recorded system stands.
pub(super) const SUBJECT: &str = "recorded";

/// One case: what was seen, what was alerted, and, where the data says it, whose fault it was.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name in the data set.
    pub id: String,
    /// The part of the data set it belongs to, for separate figures: what was alerted on, or the kind of system.
    pub part: String,
    /// The half of the data set it belongs to.
    pub half: Half,
    /// What was seen, oldest first.
    pub(super) observations: Vec<Arc<Observation>>,
    /// Where the alert was raised.
    pub(super) target: Locus,
    /// What it was about.
    pub(super) alert: String,
    /// When.
    pub(super) alerted_at: Timestamp,
    /// The service at fault; an empty name where nothing is wrong; none where the data does not say.
    pub truth: Option<String>,
}

/// A service, and how likely it is the one at fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranked {
    /// The service.
    pub service: String,
    /// From 0 to 1.
    pub score: f64,
}

/// What the reasoner answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The case.
    pub id: String,
    /// Whether it says that the evidence does not decide.
    pub abstained: bool,
    /// The services, most likely first; of two as likely, the one whose name comes first.
    pub ranking: Vec<Ranked>,
}

/// The answers to every case of a folder, as they are written to a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Answers {
    /// In the order of the manifest.
    pub cases: Vec<Answer>,
}

impl Case {
    fn history(&self) -> History {
        let mut history = History::new();
        for observation in &self.observations {
            history.push(Arc::clone(observation), Duration::MAX);
        }
        history
    }

    /// What was seen, to be looked at.
    pub fn past(&self) -> Remembered {
        Remembered::new(self.history())
    }

    /// The evidence, as the operator would collect it.
    pub fn pack(&self) -> EvidencePack {
        self.pack_with(Methods::all())
    }

    fn pack_with(&self, methods: Methods) -> EvidencePack {
        let history = self.history();
        let now = self.observations.last().map_or(self.alerted_at, |last| last.at);
        let violation = ViolationFact {
            ticket: None,
            invariant: self.alert.clone(),
            on: self.target.clone(),
            severity: Severity::Critical,
            finding: Finding::new(format!("{} of {} is out of bounds", self.alert, self.target), 1.0, 0.0),
            first_seen: self.alerted_at,
            last_seen: now,
        };
        let invariant = InvariantDefinition {
            name: self.alert.clone(),
            description: format!("{} is within bounds", self.alert),
            severity: Severity::Critical,
            threshold: None,
            unit: "1".to_owned(),
            grace: Duration::ZERO,
            clear_after: None,
            minimum_traffic: None,
        };
        let input = PackInput {
            subject: SUBJECT,
            incident: &self.id,
            now,
            history: &history,
            violations: &[violation],
            invariants: &[invariant],
            actions: &[],
            own_actions: &[],
            similar: &[],
        };
        EvidencePack::build_with(&input, &[], methods)
    }

    /// Asks the reasoner, with its one frozen set of parameters.
    pub fn answer(&self, reasoner: &Reasoner) -> Answer {
        self.answer_with(reasoner, Methods::all())
    }

    /// The same with some methods only, to measure what the others pay.
    pub fn answer_with(&self, reasoner: &Reasoner, methods: Methods) -> Answer {
        let ranked = reasoner.rank_with(&self.pack_with(methods), methods);
        let mut services: BTreeMap<String, f64> = BTreeMap::new();
        for place in &ranked.places {
            for (service, share) in services_of(&place.locus) {
                *services.entry(service.to_owned()).or_default() += share * place.probability;
            }
        }
        let mut ranking: Vec<Ranked> = services.into_iter().map(|(service, score)| Ranked { service, score }).collect();
        ranking.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.service.cmp(&b.service)));
        Answer { id: self.id.clone(), abstained: ranked.abstained, ranking }
    }
}

/// Whose fault a fault at this place is. These data sets know services only: a sick link counts for the service called,
/// where somebody would look first.
fn services_of(locus: &Locus) -> Vec<(&str, f64)> {
    match locus {
        Locus::Component(id) => vec![(&id.local, 1.0)],
        Locus::Edge(from, to) => vec![(&to.local, 0.75), (&from.local, 0.25)],
        _ => Vec::new(),
    }
}

/// A component of a recorded system, which says nothing of its own state.
pub(super) fn component(name: &str) -> Component {
    Component {
        id: Id::new(SUBJECT, name),
        kind: "service".to_owned(),
        address: None,
        state: ComponentState::Up,
        raw_state: "recorded".to_owned(),
        version: None,
        labels: BTreeMap::new(),
    }
}

/// A call of one recorded service to another.
pub(super) fn dependency(from: &str, to: &str) -> Dependency {
    Dependency {
        from: Id::new(SUBJECT, from),
        to: Id::new(SUBJECT, to),
        kind: "call".to_owned(),
        state: DependencyState::Unknown,
    }
}

/// What a column stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    pub(super) name: String,
    pub(super) role: operator_protocols::SignalRole,
    pub(super) unit: &'static str,
    pub(super) worse: operator_protocols::Worse,
    /// What a cell is multiplied by.
    pub(super) scale: f64,
}

impl Meaning {
    /// A reading.
    pub(super) fn signal(&self, on: Locus, value: f64, at: Timestamp) -> Signal {
        Signal {
            on,
            name: self.name.clone(),
            role: self.role,
            value: value * self.scale,
            unit: self.unit.to_owned(),
            observed_at: at,
            kind: operator_protocols::SignalKind::Gauge,
            worse: self.worse,
        }
    }
}
