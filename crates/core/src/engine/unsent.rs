//! Ending what was not sent: its time passed, what it was for is over, or it may not be.

use operator_protocols::Timestamp;
use serde_json::json;

use super::Engine;
use crate::proposal::Proposal;
use crate::{AuditEvent, Execution, ExecutionState, TicketState};

impl Engine {
    pub(super) fn expire(&mut self, at: Timestamp) {
        let waiting = [ExecutionState::Proposed, ExecutionState::AwaitingApproval, ExecutionState::Approved];
        for execution in self.state.executions_in(&waiting) {
            if at >= execution.proposal.expires_at {
                self.end_unsent(
                    &execution,
                    ExecutionState::Expired,
                    "nobody decided, or it could not be sent, in time",
                    at,
                );
            } else if self.answered_by_itself(&execution) {
                self.end_unsent(&execution, ExecutionState::Cancelled, "what it was to resolve is over", at);
            }
        }
    }

    /// Whether everything a waiting proposal was made for is over.
    pub(super) fn answered_by_itself(&self, execution: &Execution) -> bool {
        let tickets = &execution.proposal.tickets;
        execution.proposal.undo_of.is_none()
            && !tickets.is_empty()
            && tickets
                .iter()
                .filter_map(|id| self.state.tickets.get(id))
                .all(|ticket| ticket.cleared || ticket.state == TicketState::Resolved)
    }

    /// Ends an execution that was not sent, and gives its tickets back.
    pub(super) fn end_unsent(&mut self, execution: &Execution, to: ExecutionState, reason: &str, at: Timestamp) {
        let mut ended = execution.clone();
        ended.state = to;
        reason.clone_into(&mut ended.state_reason);
        ended.updated_at = at;
        let id = ended.proposal.id.clone();
        self.state.put_execution(ended);
        let kind = format!("action.{to}");
        self.state.audit(AuditEvent::by_operator(at, &kind, &id, json!({ "reason": reason })));
        self.give_back(
            &execution.proposal,
            &format!("{} was not carried out: {reason}", execution.proposal.action),
            at,
        );
    }

    /// Gives tickets back whose action came to nothing: those whose violation is over are resolved.
    pub(super) fn give_back(&mut self, proposal: &Proposal, reason: &str, at: Timestamp) {
        for id in &proposal.tickets {
            let Some(ticket) = self.state.tickets.get(id) else { continue };
            if ticket.state != TicketState::Acting {
                continue;
            }
            let to = if ticket.cleared && !ticket.hold {
                TicketState::Resolved
            } else if proposal.undo_of.is_some() {
                // An undo that was not carried out leaves the containment in place: a person should know.
                TicketState::NeedsHuman
            } else {
                TicketState::Diagnosed
            };
            let reason = if to == TicketState::Resolved { "its violation is over" } else { reason };
            self.state.set_ticket_state(id, to, reason, at);
        }
    }
}
