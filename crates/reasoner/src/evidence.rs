//! The evidence pack: what of everything known bears on the case. Every item has an id, and a diagnosis may cite only
//! these ids.

use std::fmt;

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Discrepancy, Event, InvariantDefinition, Locus, LogLevel,
    Severity, SignalRole, Timestamp, Value, Worse,
};
use serde::{Deserialize, Serialize};

use crate::{PastTicket, ViolationFact};

/// The id of an evidence item within its pack: `E1`, `E2`, ….
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvidenceId(pub String);

impl EvidenceId {
    /// The id of the `n`-th item, counted from 1.
    pub fn nth(n: usize) -> Self {
        Self(format!("E{n}"))
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Everything that bears on one incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidencePack {
    /// The subject instance.
    pub subject: String,
    /// The incident.
    pub incident: String,
    /// When the pack was built.
    pub built_at: Timestamp,
    /// The earliest observation that went into it.
    pub from: Timestamp,
    /// How many observations went into it.
    pub observations: usize,
    /// When the trouble began, as far as can be told.
    pub onset: Timestamp,
    /// The tickets of the incident. Violations of other tickets are context: they need no explanation here. Empty, if
    /// all are of the incident.
    #[serde(default)]
    pub tickets: Vec<String>,
    /// The items, in the order of their ids.
    pub items: Vec<EvidenceItem>,
    /// The subject's components as last seen.
    pub components: Vec<Component>,
    /// The subject's dependencies as last seen.
    pub dependencies: Vec<Dependency>,
    /// The invariants that are violated, as the subject defines them.
    pub invariants: Vec<InvariantDefinition>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// Its id.
    pub id: EvidenceId,
    /// When it was so, or began to be.
    pub at: Timestamp,
    /// What it is about.
    pub on: Locus,
    /// What it says, for people; numbers in it are those of `kind`.
    pub statement: String,
    /// What it says, for programs.
    pub kind: EvidenceKind,
}

/// What a piece of evidence says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EvidenceKind {
    /// An invariant is violated.
    Violation(ViolationFact),
    /// Two accounts do not agree.
    Discrepancy {
        /// The violated invariant that carries it.
        invariant: String,
        /// The accounts.
        discrepancy: Discrepancy,
    },
    /// A component is in another state than it was, or than it should be.
    ComponentState {
        /// The state before the onset, if it was seen.
        before: Option<ComponentState>,
        /// The state now.
        now: ComponentState,
        /// The subject's own word for it.
        raw_state: String,
    },
    /// A component is another start of itself than before.
    Incarnation {
        /// Before.
        before: String,
        /// Now.
        now: String,
    },
    /// A link is in another state than it was, or than it should be.
    DependencyState {
        /// The state before the onset, if it was seen.
        before: Option<DependencyState>,
        /// The state now.
        now: DependencyState,
    },
    /// A signal left its baseline.
    Deviation {
        /// The signal.
        signal: String,
        /// What it stands for.
        role: SignalRole,
        /// Its unit.
        unit: String,
        /// Which direction is bad.
        worse: Worse,
        /// The median before the onset.
        baseline: f64,
        /// The value since.
        value: f64,
        /// How far it is from the baseline, in robust deviations; positive is the bad direction.
        deviation: f64,
    },
    /// A level that is close to full, whether it was so before or not.
    Saturated {
        /// The signal.
        signal: String,
        /// Its unit.
        unit: String,
        /// The level.
        value: f64,
        /// What full would be, in the same unit.
        full: f64,
    },
    /// How much of what a component takes too long for, or gets wrong, it causes itself: its excess less the excess of
    /// what it calls (flow conservation).
    SelfExcess {
        /// The signal whose excess over its baseline is split.
        signal: String,
        /// The unit of the excess: the signal's, times requests per second where those are known.
        unit: String,
        /// The component's excess.
        total: f64,
        /// The part that what it calls accounts for.
        of_callees: f64,
        /// The part that remains: what it causes itself; at least 0.
        own: f64,
    },
    /// How much of the traffic of the busiest component is that of one entity alone: measured at both by the same signal.
    Share {
        /// The signal.
        signal: String,
        /// Its unit.
        unit: String,
        /// At the entity.
        value: f64,
        /// At the component.
        of: f64,
        /// The component with the most of it.
        at: Locus,
    },
    /// Nothing of a component or link is read any more, of which signals were read before.
    Silent {
        /// How many signals.
        signals: u32,
        /// The first of them, by name.
        sample: String,
    },
    /// How a component or link stands among its peers.
    Peers {
        /// The signal compared.
        signal: String,
        /// How many peers deviate in the same way, this one included.
        deviating: u32,
        /// How many peers there are, this one included.
        peers: u32,
    },
    /// Something happened.
    Event(Event),
    /// The operator itself did something.
    OwnAction(Event),
    /// A kind of log line became more frequent.
    LogTemplate {
        /// The line with its variable parts replaced.
        template: String,
        /// Its gravest level.
        level: LogLevel,
        /// How often a minute before the onset.
        before_per_minute: f64,
        /// How often a minute since.
        now_per_minute: f64,
    },
    /// Something in the subject's free-form details changed.
    DetailChange {
        /// Where in the details.
        path: String,
        /// Before.
        before: Value,
        /// Now.
        now: Value,
    },
    /// Something could not be read.
    Unavailable {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// A past ticket looked alike.
    SimilarTicket(PastTicket),
    /// Something was looked at and found as it should be: what lets an alternative be ruled out.
    Healthy {
        /// What was looked at.
        what: String,
        /// How grave a change would have been.
        severity: Option<Severity>,
        /// Whether this says that the component answers, or that the link carries.
        up: bool,
        /// The roles of which at least one signal is at its baseline.
        roles: Vec<SignalRole>,
    },
}

impl EvidencePack {
    /// Whether a violation is of the incident that is to be explained.
    pub fn is_of_incident(&self, violation: &ViolationFact) -> bool {
        self.tickets.is_empty() || violation.ticket.as_ref().is_some_and(|ticket| self.tickets.contains(ticket))
    }

    /// The item called `id`.
    pub fn item(&self, id: &EvidenceId) -> Option<&EvidenceItem> {
        self.items.iter().find(|item| &item.id == id)
    }
}
