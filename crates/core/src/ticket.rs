//! A violation somebody has to care about. The fourth of the nine nouns: Observation → Evaluation → Violation →
//! Ticket → Diagnosis → Proposal → Approval → Execution → Verification.

use std::fmt;

use operator_protocols::{Finding, Locus, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// A violation somebody has to care about: at most one open for each (subject, invariant, locus).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id, `SUBJECT-T1`.
    pub id: String,
    /// The subject instance.
    pub subject: String,
    /// The invariant.
    pub invariant: String,
    /// Where it does not hold.
    pub on: Locus,
    /// How grave it is.
    pub severity: Severity,
    /// Where its handling stands.
    pub state: TicketState,
    /// Why it stands there, for people.
    pub state_reason: String,
    /// What is wrong, as last judged.
    pub finding: Finding,
    /// Since when it is wrong.
    pub first_seen: Timestamp,
    /// When it was last judged wrong.
    pub last_seen: Timestamp,
    /// When the ticket was opened: first_seen plus grace, by the cycle that noticed.
    pub opened_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// How many times it came back (flapping), the first time included.
    pub occurrences: u32,
    /// The numbers on its locus when it was opened.
    pub snapshot: Vec<MetricSnapshot>,
    /// The incident it is part of.
    pub incident: String,
    /// Never to be resolved by the operator.
    pub hold: bool,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
    /// Whether the violation is over for now (it was judged ok for its `clear_after`).
    pub cleared: bool,
}

/// A number at the time of the violation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSnapshot {
    /// What it was measured on.
    pub on: Locus,
    /// The signal.
    pub signal: String,
    /// The value.
    pub value: f64,
    /// The unit.
    pub unit: String,
}

/// Where the handling of a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Nobody has explained it yet.
    Open,
    /// It is explained; nothing is being done (nothing needs to be, or nothing may be).
    Diagnosed,
    /// An action is proposed, approved or under way.
    Acting,
    /// An action was carried out; whether it worked is being watched.
    Verifying,
    /// A containment did its work: nothing flows to the sick part. It is undone when the sick part is well.
    Contained,
    /// A person is needed.
    NeedsHuman,
    /// It is over.
    Resolved,
}

impl TicketState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Open,
        Self::Diagnosed,
        Self::Acting,
        Self::Verifying,
        Self::Contained,
        Self::NeedsHuman,
        Self::Resolved,
    ];

    /// The states that may follow this one. Every state but `Resolved` has a way to `Resolved`, because a violation
    /// may end by itself; a resolved ticket is opened again when its violation comes back soon.
    pub const fn next(self) -> &'static [Self] {
        use TicketState::{Acting, Contained, Diagnosed, NeedsHuman, Open, Resolved, Verifying};
        match self {
            Open => &[Diagnosed, NeedsHuman, Resolved],
            // Back from a new diagnosis that does not decide, too.
            Diagnosed => &[Open, Acting, NeedsHuman, Resolved],
            // Back where a proposal was rejected, expired or cancelled, or the target proved it did nothing.
            Acting => &[Diagnosed, Verifying, NeedsHuman, Resolved],
            // Back where the action did not help and another hypothesis is next.
            Verifying => &[Diagnosed, Acting, Contained, NeedsHuman, Resolved],
            // The undo of a containment is an action; a containment that ended early leaves the violation standing.
            Contained => &[Diagnosed, Acting, Verifying, NeedsHuman, Resolved],
            // A person hands it back, or it ended by itself.
            NeedsHuman => &[Diagnosed, Acting, Resolved],
            Resolved => &[Open],
        }
    }

    /// Whether `to` may follow this state.
    pub fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }
}

impl fmt::Display for TicketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Diagnosed => "diagnosed",
            Self::Acting => "acting",
            Self::Verifying => "verifying",
            Self::Contained => "contained",
            Self::NeedsHuman => "needs_human",
            Self::Resolved => "resolved",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TicketState;

    #[test]
    fn every_state_leads_to_resolved_in_one_step_and_no_state_is_a_dead_end() {
        for &state in TicketState::ALL {
            assert!(!state.next().is_empty(), "{state} is a dead end");
            assert!(state == TicketState::Resolved || state.may_become(TicketState::Resolved), "{state}");
            assert!(!state.may_become(state), "{state} becomes itself");
        }
    }

    #[test]
    fn every_state_but_the_first_is_reached_from_another() {
        for &state in TicketState::ALL {
            assert!(TicketState::ALL.iter().any(|from| from.may_become(state)), "{state} is never reached");
        }
    }
}
