//! The explanation of an incident. The fifth of the nine nouns: Observation → Evaluation → Violation → Ticket →
//! Diagnosis → Proposal → Approval → Execution → Verification.

use std::collections::BTreeMap;

use operator_protocols::{Does, FaultClass, Locus, Risk, Severity, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::{EvidenceId, EvidenceRef, Hypothesis};

/// The explanation of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The subject instance.
    pub subject: String,
    /// The incident explained.
    pub incident: String,
    /// Who explained it: `reasoner`, or a model's name.
    pub diagnoser: String,
    /// The version of the diagnoser's parameters or prompt.
    pub diagnoser_version: String,
    /// When the evidence was taken.
    pub made_at: Timestamp,
    /// What happened, in order.
    pub timeline: Vec<TimelineEntry>,
    /// The components, links and entities that are affected.
    pub affected: Vec<Locus>,
    /// The numbers that matter.
    pub readings: Vec<MetricReading>,
    /// The best explanation. Its class is `Unknown` when the evidence does not decide.
    pub primary: Hypothesis,
    /// How sure that is.
    pub confidence: Confidence,
    /// The other explanations, best first, and why they were not chosen.
    pub alternatives: Vec<Alternative>,
    /// How grave the incident is.
    pub severity: Severity,
    /// What should be done, in words; "wait and observe" is an answer.
    pub recommended_action: String,
    /// Commands to paste, to check by hand or to act.
    pub commands: Vec<String>,
    /// What may go wrong.
    pub risks: Vec<String>,
    /// What should be done, for the operator: in the order to try.
    pub recommended_actions: Vec<RecommendedAction>,
    /// What was missing, and what to look at next to decide.
    pub missing: Vec<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// The evidence.
    pub evidence: EvidenceId,
    /// What.
    pub text: String,
}

/// One number that matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricReading {
    /// The evidence.
    pub evidence: EvidenceId,
    /// What was measured.
    pub on: Locus,
    /// The signal or invariant.
    pub name: String,
    /// The value.
    pub value: f64,
    /// What it is held against: the baseline or the threshold.
    pub reference: f64,
    /// The unit.
    pub unit: String,
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// In a word: `high` (≥ 0.8), `medium` (≥ 0.5), `low`.
    pub word: String,
    /// As a probability.
    pub probability: f64,
}

/// An explanation that was considered and not chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The explanation.
    pub hypothesis: Hypothesis,
    /// Why it was not chosen.
    pub conclusion: String,
}

/// An action that follows from a hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecommendedAction {
    /// The action's name.
    pub action: String,
    /// What to aim it at.
    pub target: Locus,
    /// The parameters that follow from the evidence. Those that come from policy or the intent are filled in later.
    pub params: BTreeMap<String, Value>,
    /// The class of fault it is good against here.
    pub remedies: FaultClass,
    /// Whether it cures or contains.
    pub does: Does,
    /// What may go wrong by it.
    pub risk: Risk,
    /// Why, citing evidence.
    pub because: Vec<EvidenceRef>,
}

impl Diagnosis {
    /// Whether the evidence did not decide.
    pub fn abstained(&self) -> bool {
        self.primary.class == FaultClass::Unknown
    }
}
