//! Evidence that an action worked and broke nothing else, or that it did not. The last of the nine nouns: Observation →
//! Evaluation → Violation → Ticket → Diagnosis → Proposal → Approval → Execution → Verification.

use operator_protocols::{Locus, Timestamp};
use serde::{Deserialize, Serialize};

/// What was seen after an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The execution.
    pub intent: String,
    /// The tickets that were watched.
    pub tickets: Vec<String>,
    /// When watching began: when the effect was known to have happened.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: VerificationOutcome,
    /// What it rests on, for people.
    pub evidence: Vec<String>,
}

/// How a verification ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationOutcome {
    /// Every ticket's violation is over, and nothing within the blast radius broke.
    Cleared,
    /// A containment did its work.
    Contained,
    /// The violation is still there.
    NotCleared {
        /// The tickets whose violation is still there.
        tickets: Vec<String>,
    },
    /// Something that the action may have touched broke meanwhile.
    BrokeSomething {
        /// What broke: invariant and locus.
        broken: Vec<(String, Locus)>,
    },
}
