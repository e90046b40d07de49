//! The durable record of carrying out a proposal, once. The eighth of the nine nouns: Observation → Evaluation →
//! Violation → Ticket → Diagnosis → Proposal → Approval → Execution → Verification.

use std::fmt;

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Proposal;

/// The durable record of carrying out a proposal: the intent's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// What is carried out. It never changes.
    pub proposal: Proposal,
    /// Its hash, as approvals name it.
    pub bind_hash: String,
    /// Where it stands.
    pub state: ExecutionState,
    /// Why it stands there, for people.
    pub state_reason: String,
    /// How many approvals are needed before it may be claimed.
    pub quorum: u32,
    /// Counts decisions: a claim that read an older count has not seen the latest.
    pub approvals_revision: u64,
    /// How many attempts were begun.
    pub attempt: u32,
    /// The epoch of the last claim.
    pub epoch: u64,
    /// Until when the last claim may be sent.
    pub send_by: Option<Timestamp>,
    /// When to stop waiting for a target that accepted, or for the quiesce time of an unknown outcome.
    pub deadline: Option<Timestamp>,
    /// When it was last polled or moved.
    pub updated_at: Timestamp,
    /// When its effect was known to have happened.
    pub done_at: Option<Timestamp>,
    /// Grows by one with every change of the row.
    pub version: u64,
}

/// One attempt at sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The intent.
    pub intent: String,
    /// Which one, from 1.
    pub attempt: u32,
    /// The epoch of its claim.
    pub epoch: u64,
    /// When it was claimed.
    pub began_at: Timestamp,
    /// When its outcome was written.
    pub ended_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<String>,
    /// The hash of the target's answer.
    pub response_sha256: Option<String>,
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionState {
    /// Shown, and the policy lets it go no further.
    Proposed,
    /// Waiting for a person.
    AwaitingApproval,
    /// It may be claimed.
    Approved,
    /// Claimed: it may have been sent.
    Dispatched,
    /// The target took it and works on it.
    Running,
    /// It may have happened or not.
    Unknown,
    /// It could not be found out; a person must say.
    Unsettled,
    /// It happened.
    Done,
    /// The target proved that nothing happened.
    Failed,
    /// Somebody, or a rule, called it off before it was sent.
    Cancelled,
    /// Its time passed, or the world moved, before it was sent.
    Expired,
    /// A person said what is true.
    SettledByHuman,
}

impl ExecutionState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Proposed,
        Self::AwaitingApproval,
        Self::Approved,
        Self::Dispatched,
        Self::Running,
        Self::Unknown,
        Self::Unsettled,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
        Self::SettledByHuman,
    ];

    /// The states that may follow this one.
    pub const fn next(self) -> &'static [Self] {
        use ExecutionState::{
            Approved, AwaitingApproval, Cancelled, Dispatched, Done, Expired, Failed, Running, SettledByHuman, Unknown,
            Unsettled,
        };
        match self {
            Self::Proposed => &[AwaitingApproval, Approved, Cancelled, Expired],
            AwaitingApproval => &[Approved, Cancelled, Expired],
            Approved => &[Dispatched, Cancelled, Expired],
            // Back to approved, or out, where the last look before sending said no: nothing was sent.
            Dispatched => &[Done, Failed, Running, Unknown, Unsettled, Approved, Expired, Cancelled],
            Running => &[Done, Failed, Unsettled],
            // Claimed again directly where the target promises that a repeat is harmless.
            Unknown => &[Done, Dispatched, Unsettled],
            Unsettled => &[SettledByHuman],
            Done | Failed | Cancelled | Expired | SettledByHuman => &[],
        }
    }

    /// Whether `to` may follow this state.
    pub fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// Whether nothing follows.
    pub const fn terminal(self) -> bool {
        self.next().is_empty()
    }

    /// Whether a request may still arrive at the target: such an execution holds its target's slot.
    pub const fn holds_slot(self) -> bool {
        matches!(self, Self::Dispatched | Self::Running | Self::Unknown | Self::Unsettled)
    }

    /// The name as stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Approved => "approved",
            Self::Dispatched => "dispatched",
            Self::Running => "running",
            Self::Unknown => "unknown",
            Self::Unsettled => "unsettled",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::SettledByHuman => "settled_by_human",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }
}

impl fmt::Display for ExecutionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::ExecutionState;

    #[test]
    fn what_holds_a_slot_is_never_terminal_and_leads_to_a_terminal_state() {
        for &state in ExecutionState::ALL {
            if state.holds_slot() {
                assert!(!state.terminal());
                assert!(state.next().iter().any(|next| next.terminal()), "{state} never ends");
            }
        }
    }

    #[test]
    fn only_a_claim_leads_to_dispatched() {
        let from: Vec<_> = ExecutionState::ALL
            .iter()
            .filter(|state| state.may_become(ExecutionState::Dispatched))
            .map(|state| state.name())
            .collect();
        assert_eq!(from, ["approved", "unknown"]);
    }
}
