//! What the operator knows when it asks for an explanation.

use operator_protocols::{
    ActionDefinition, Event, FaultClass, Finding, History, InvariantDefinition, Locus, Severity, Timestamp,
};
use serde::{Deserialize, Serialize};

/// Everything an evidence pack is built from.
#[derive(Debug, Clone)]
pub struct PackInput<'a> {
    /// The subject instance.
    pub subject: &'a str,
    /// The incident to explain.
    pub incident: &'a str,
    /// The present.
    pub now: Timestamp,
    /// What was seen, the present observation included as the last.
    pub history: &'a History,
    /// The violations of the incident, and those that are under way elsewhere in the subject.
    pub violations: &'a [ViolationFact],
    /// The subject's invariants.
    pub invariants: &'a [InvariantDefinition],
    /// The subject's actions, from which recommendations are drawn.
    pub actions: &'a [ActionDefinition],
    /// What the operator itself did to the subject, as events of kind `Action`.
    pub own_actions: &'a [Event],
    /// Past tickets that looked alike and what fixed them.
    pub similar: &'a [PastTicket],
}

/// One violation, as the monitor holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViolationFact {
    /// The ticket opened for it, if any.
    pub ticket: Option<String>,
    /// The invariant.
    pub invariant: String,
    /// Where it is violated.
    pub on: Locus,
    /// How grave it is.
    pub severity: Severity,
    /// What exactly is wrong, as last judged.
    pub finding: Finding,
    /// Since when.
    pub first_seen: Timestamp,
    /// When it was last judged so.
    pub last_seen: Timestamp,
}

/// A past ticket and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastTicket {
    /// Its id.
    pub ticket: String,
    /// The invariant.
    pub invariant: String,
    /// Where.
    pub on: Locus,
    /// What was found to be the cause, if it was.
    pub cause: Option<(FaultClass, Locus)>,
    /// The action that fixed it, if one did.
    pub fixed_by: Option<String>,
}
