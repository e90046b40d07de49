//! An invariant that does not hold at a locus. The third of the nine nouns: Observation → Evaluation → Violation →
//! Ticket → Diagnosis → Proposal → Approval → Execution → Verification.

use operator_protocols::{Finding, Locus, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// A violated evaluation and how long it has been so. Within the grace period it is *pending*: known, and nobody is
/// told; it is kept in the store, so that grace survives a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// The subject instance.
    pub subject: String,
    /// The invariant.
    pub invariant: String,
    /// Where it does not hold.
    pub on: Locus,
    /// How grave it is.
    pub severity: Severity,
    /// What exactly is wrong, as last judged.
    pub finding: Finding,
    /// Since when.
    pub first_seen: Timestamp,
    /// When it was last judged so.
    pub last_seen: Timestamp,
    /// Since when it has been judged ok without a break, while it is not over yet.
    pub ok_since: Option<Timestamp>,
    /// The ticket opened for it, once the grace period was over.
    pub ticket: Option<String>,
}

impl Violation {
    /// What makes it the same violation again: one open ticket per (subject, this).
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.invariant, &self.on)
    }

    /// Whether the grace period is still running.
    pub fn pending(&self) -> bool {
        self.ticket.is_none()
    }
}

/// The identity of a violation or ticket within its subject. Nothing that a model or a log wrote takes part in it.
pub fn fingerprint(invariant: &str, on: &Locus) -> String {
    format!("{invariant}@{}", on.to_text())
}
