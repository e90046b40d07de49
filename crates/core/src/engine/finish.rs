//! Writing what came of an attempt, and what that means for the tickets.

use operator_protocols::Timestamp;
use serde_json::json;

use super::Engine;
use super::propose::tried_as;
use crate::proposal::Proposal;
use crate::store::{Finish, Finished};
use crate::{AuditEvent, Execution, ExecutionState, TicketState};

impl Engine {
    /// Writes an outcome, and on success moves the execution and its tickets in memory.
    #[expect(clippy::too_many_arguments, reason = "one outcome has this many parts, and one caller each")]
    pub(super) async fn finish(
        &mut self,
        execution: &Execution,
        to: ExecutionState,
        reason: &str,
        deadline: Option<Timestamp>,
        response_sha256: Option<String>,
        kind: &str,
        at: Timestamp,
    ) {
        let id = &execution.proposal.id;
        let audit = AuditEvent::by_operator(
            at,
            kind,
            id,
            json!({
                "action": execution.proposal.action,
                "target": execution.proposal.target,
                "attempt": execution.attempt,
                "state": to,
                "reason": reason,
                "response_sha256": response_sha256,
            }),
        );
        let finish = Finish {
            intent: id.clone(),
            attempt: execution.attempt,
            epoch: self.epoch,
            from: execution.state,
            to,
            reason: reason.to_owned(),
            deadline,
            response_sha256,
            now: at,
            audit: audit.clone(),
        };
        match self.store.finish(finish).await {
            Ok(Finished::Applied { version }) => {
                let mut moved = execution.clone();
                moved.state = to;
                reason.clone_into(&mut moved.state_reason);
                moved.deadline = deadline;
                moved.updated_at = at;
                moved.done_at = (to == ExecutionState::Done).then_some(at);
                moved.version = version;
                self.state.set_stored_execution(moved.clone());
                self.tell(audit);
                self.after(&moved, at);
            }
            Ok(Finished::Stale { why }) => {
                tracing::warn!(intent = %id, %why, "an outcome came too late and changed nothing");
                self.stale = true;
            }
            Err(error) => {
                // The row still says what it said: it is reconciled by its class when the store works again.
                self.trouble.insert("store".to_owned(), error.to_string());
                self.stale = true;
            }
        }
    }

    /// What an outcome means for the tickets.
    pub(super) fn after(&mut self, execution: &Execution, at: Timestamp) {
        let proposal = &execution.proposal;
        let doing = format!("{} on {}", proposal.action, proposal.target);
        match execution.state {
            ExecutionState::Done => {
                self.remember_tried(proposal);
                for ticket in &proposal.tickets {
                    let reason = format!("{doing} is done: watching whether it helped");
                    self.state.set_ticket_state(ticket, TicketState::Verifying, &reason, at);
                }
            }
            ExecutionState::Failed => {
                self.remember_tried(proposal);
                self.failures.push((at, proposal.action.clone(), proposal.target.clone()));
                let reason = format!("{doing} failed: {}", execution.state_reason);
                self.give_back(proposal, &reason, at);
                self.start_over(proposal);
            }
            ExecutionState::Expired | ExecutionState::Cancelled => {
                let reason = format!("{doing} was not sent: {}", execution.state_reason);
                self.give_back(proposal, &reason, at);
                self.start_over(proposal);
            }
            ExecutionState::Unsettled => {
                self.failures.push((at, proposal.action.clone(), proposal.target.clone()));
                for ticket in &proposal.tickets {
                    let reason = format!("{doing}: {}", execution.state_reason);
                    self.state.set_ticket_state(ticket, TicketState::NeedsHuman, &reason, at);
                }
            }
            _ => {}
        }
    }

    pub(super) fn remember_tried(&mut self, proposal: &Proposal) {
        let Some(mut incident) = proposal.incident.as_ref().and_then(|id| self.state.incidents.get(id)).cloned() else {
            return;
        };
        if proposal.undo_of.is_none() {
            incident.tried.push(tried_as(&proposal.action, &proposal.target));
            self.state.put_incident(incident);
        }
    }

    /// The world has moved: what was confirmed must be confirmed anew.
    pub(super) fn start_over(&mut self, proposal: &Proposal) {
        if let Some(mut incident) = proposal.incident.as_ref().and_then(|id| self.state.incidents.get(id)).cloned() {
            incident.confirmations = 0;
            self.state.put_incident(incident);
        }
    }
}
