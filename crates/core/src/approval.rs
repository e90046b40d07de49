//! A person's decision on exactly one proposal. The seventh of the nine nouns: Observation → Evaluation → Violation →
//! Ticket → Diagnosis → Proposal → Approval → Execution → Verification.
//!
//! A policy's own decision is not an approval: it is in the proposal's [`RuleOutcome`](crate::RuleOutcome)s.

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Principal;

/// A person's decision on exactly one proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// The intent decided on.
    pub intent: String,
    /// Who decided.
    pub approver: Principal,
    /// What they were shown, by hash.
    pub bind_hash: String,
    /// What they decided.
    pub decision: Decision,
    /// Why, in their words. Never read by the operator.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may be carried out.
    Approve,
    /// It may not.
    Reject,
}
