//! The gate an action passes before it is sent, and what is written when its outcome is known.

use std::time::Duration;

use operator_protocols::Timestamp;

use crate::store::{KillScope, StoreError};
use crate::{AuditEvent, ExecutionState};

/// Everything that must hold for a claim. The store checks it within the claim's transaction, against what is stored.
#[derive(Debug, Clone)]
pub struct ClaimGate {
    /// The intent.
    pub intent: String,
    /// The subject instance.
    pub subject: String,
    /// The epoch of the claimer's lease.
    pub epoch: u64,
    /// The present.
    pub now: Timestamp,
    /// The hash the intent must still have.
    pub bind_hash: String,
    /// The policy's revision, which must be the one it was proposed under.
    pub policy_revision: String,
    /// The names of those who may approve now. Decisions of others do not count, nor does the requester's own, where
    /// more than one is needed.
    pub approvers: Vec<String>,
    /// Counts that must stay within their caps; each is charged by one.
    pub charges: Vec<BudgetCharge>,
    /// How many claims may hold slots in the subject at once.
    pub max_in_flight: u32,
    /// How many attempts it may have in all: a repeat of an unknown one is one more.
    pub max_attempts: u32,
    /// Until when it may be sent.
    pub send_by: Timestamp,
    /// The row that stands in the audit before anything is sent.
    pub audit: AuditEvent,
}

/// One count and its cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetCharge {
    /// What is counted: `target:…`, `subject:…`, `overall`.
    pub scope: String,
    /// The length of the window; windows begin at whole multiples of it.
    pub window: Duration,
    /// The most there may be in one window.
    pub cap: u32,
}

/// A claim that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The version of the intent's row now.
    pub version: u64,
}

/// Why a claim was not granted.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// A condition of the gate does not hold. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed. Nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another process took over.
    #[error("the lease is at epoch {actual}, not {held}")]
    LostLease {
        /// The claimer's.
        held: u64,
        /// The lease's.
        actual: u64,
    },
    /// The kill switch is engaged.
    #[error("the kill switch is engaged ({scope})")]
    KillSwitch {
        /// Which one.
        scope: KillScope,
    },
    /// There is no such intent.
    #[error("there is no intent {0}")]
    NoSuchIntent(String),
    /// Its state is not one that can be claimed.
    #[error("it is {0}, which cannot be claimed")]
    State(ExecutionState),
    /// What it is has changed.
    #[error("its hash is {actual}, not {expected}")]
    Hash {
        /// As the claimer believed.
        expected: String,
        /// As stored.
        actual: String,
    },
    /// Its time has passed.
    #[error("it expired at {0}")]
    Expired(Timestamp),
    /// The policy is another than the one it was proposed under.
    #[error("the policy is at revision {actual}, it was proposed under {expected}")]
    Policy {
        /// As proposed.
        expected: String,
        /// As it is.
        actual: String,
    },
    /// Too few valid approvals.
    #[error("{have} of {need} approvals")]
    Quorum {
        /// Those that count now.
        have: u32,
        /// Those needed.
        need: u32,
    },
    /// Somebody who may has rejected it.
    #[error("{0} rejected it")]
    Rejected(String),
    /// A budget is used up.
    #[error("the budget of {scope} is used up: {cap} in {}s", window.as_secs())]
    Budget {
        /// Which.
        scope: String,
        /// Its cap.
        cap: u32,
        /// Its window.
        window: Duration,
    },
    /// Another intent is in flight on the target.
    #[error("{holder} is in flight on the same target")]
    Slot {
        /// The other.
        holder: String,
    },
    /// Enough is in flight in the subject.
    #[error("{in_flight} actions are in flight in the subject, the most is {cap}")]
    InFlight {
        /// How many are.
        in_flight: u32,
        /// The most.
        cap: u32,
    },
    /// It was attempted often enough.
    #[error("it was attempted {0} times")]
    Attempts(u32),
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The intent.
    pub intent: String,
    /// The attempt.
    pub attempt: u32,
    /// The epoch of its claim, which must be the lease's.
    pub epoch: u64,
    /// The state the intent must be in: dispatched, running or unknown.
    pub from: ExecutionState,
    /// The state it moves to.
    pub to: ExecutionState,
    /// Why, for people.
    pub reason: String,
    /// When to stop waiting, where it moves to running or unknown.
    pub deadline: Option<Timestamp>,
    /// The hash of the target's answer.
    pub response_sha256: Option<String>,
    /// The present.
    pub now: Timestamp,
    /// The audit row.
    pub audit: AuditEvent,
}

/// Whether a finish changed the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// It did; the row has this version now.
    Applied {
        /// The version.
        version: u64,
    },
    /// It came too late; it was kept as evidence in the audit.
    Stale {
        /// Why.
        why: String,
    },
}
