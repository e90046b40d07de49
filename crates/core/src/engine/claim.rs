//! The conditions of a claim: what it is charged to, what a refusal means, how much did not work lately.

use std::time::Duration;

use operator_protocols::{ActionLimits, Locus, Risk, Timestamp};

use super::Engine;
use crate::proposal::Proposal;
use crate::store::{BudgetCharge, ClaimError, Refusal};
use crate::{Execution, ExecutionState, TicketState};

const HOUR: Duration = Duration::from_secs(3600);

impl Engine {
    pub(super) fn claim_refused(&mut self, execution: &Execution, error: ClaimError, at: Timestamp) {
        let reason = error.to_string();
        match error {
            ClaimError::Store(error) => {
                self.trouble.insert("store".to_owned(), error.to_string());
                self.stale = true;
            }
            ClaimError::Refused(Refusal::LostLease { .. }) => {
                self.fenced = true;
                self.trouble.insert("lease".to_owned(), reason);
            }
            // These pass: it stays approved until it expires.
            ClaimError::Refused(
                Refusal::KillSwitch { .. } | Refusal::Slot { .. } | Refusal::InFlight { .. } | Refusal::Quorum { .. },
            ) => {
                if execution.state_reason != reason {
                    let mut waiting = execution.clone();
                    waiting.state_reason = reason;
                    waiting.updated_at = at;
                    self.state.put_execution(waiting);
                }
            }
            ClaimError::Refused(Refusal::Budget { .. }) if execution.state == ExecutionState::Approved => {
                self.end_unsent(execution, ExecutionState::Cancelled, &reason, at);
                for ticket in &execution.proposal.tickets {
                    self.state.set_ticket_state(ticket, TicketState::NeedsHuman, &reason, at);
                }
            }
            ClaimError::Refused(Refusal::Rejected(_)) if execution.state == ExecutionState::Approved => {
                self.end_unsent(execution, ExecutionState::Cancelled, &reason, at);
            }
            ClaimError::Refused(
                Refusal::Hash { .. } | Refusal::Expired(_) | Refusal::Policy { .. } | Refusal::Attempts(_),
            ) if execution.state == ExecutionState::Approved => {
                self.end_unsent(execution, ExecutionState::Expired, &reason, at);
                self.start_over(&execution.proposal);
            }
            // An unknown outcome that may not be sent again stays unknown until its deadline decides.
            ClaimError::Refused(_) => {
                tracing::warn!(intent = %execution.proposal.id, %reason, "a claim was refused");
                self.stale = execution.state == ExecutionState::Approved;
            }
        }
    }

    pub(super) fn charges(&self, proposal: &Proposal) -> Vec<BudgetCharge> {
        let budget = &self.settings.policy.budget;
        let own = self.actions.iter().find(|action| action.name == proposal.action).and_then(|action| action.limits);
        let ActionLimits { per_target_per_hour, per_subject_per_hour } = own.unwrap_or(ActionLimits {
            per_target_per_hour: budget.per_target_per_hour,
            per_subject_per_hour: budget.per_subject_per_hour,
        });
        let kind = own.map(|_| format!("/{}", proposal.action)).unwrap_or_default();
        vec![
            BudgetCharge { scope: format!("target:{}{kind}", proposal.slot()), window: HOUR, cap: per_target_per_hour },
            BudgetCharge {
                scope: format!("subject:{}{kind}", proposal.subject),
                window: HOUR,
                cap: per_subject_per_hour,
            },
            BudgetCharge { scope: "overall".to_owned(), window: HOUR, cap: budget.overall_per_hour },
        ]
    }

    /// How many actions of this kind or on this target did not work lately, and when the last one was.
    pub(super) fn recent_failures(&self, action: &str, target: &Locus, at: Timestamp) -> (u32, Option<Timestamp>) {
        let window = self.settings.policy.breaker.open_for;
        let recent = self.failures.iter().filter(|(when, _, _)| at.since(*when) < window);
        let count = |matching: &dyn Fn(&(Timestamp, String, Locus)) -> bool| {
            let matched: Vec<_> = recent.clone().filter(|failure| matching(failure)).map(|failure| failure.0).collect();
            (matched.len() as u32, matched.into_iter().max())
        };
        count(&|failure| failure.1 == action).max(count(&|failure| &failure.2 == target))
    }

    /// High-risk actions are approved by two people, neither of them the requester.
    pub(super) fn enough_approvals(risk: Risk, approvers: &[String], requested_by: &str) -> bool {
        let need = crate::policy::PolicySettings::quorum(risk) as usize;
        let others = approvers.iter().filter(|approver| need == 1 || approver.as_str() != requested_by);
        others.collect::<std::collections::BTreeSet<_>>().len() >= need
    }
}
