//! What somebody decides about an action.

use operator_protocols::Timestamp;
use serde_json::json;

use super::Engine;
use crate::store::ExecutionFilter;
use crate::{Approval, CommandError, Decision, Execution, ExecutionState, Principal, Role, TicketState};

impl Engine {
    /// The execution of that id, or of that part of an id (`A1`).
    pub(super) fn execution(&self, id: &str) -> Result<Execution, CommandError> {
        let matches = |execution: &&Execution| {
            let full = &execution.proposal.id;
            full == id || full.contains(&format!("-{id}-"))
        };
        self.state.executions.values().find(matches).cloned().ok_or_else(|| CommandError::NotFound {
            what: format!("action {id}"),
            why: "no such action is waiting, under way or was lately".to_owned(),
        })
    }

    pub(super) async fn decide(
        &mut self,
        who: &Principal,
        intent: &str,
        bind_hash: &str,
        approve: bool,
        reason: String,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let execution = self.execution(intent)?;
        let id = execution.proposal.id.clone();
        if execution.state != ExecutionState::AwaitingApproval {
            return Err(CommandError::refused(format!("{id} is {}, not waiting for approval", execution.state)));
        }
        if execution.bind_hash != bind_hash {
            return Err(CommandError::refused(format!(
                "{id} has the hash {}, the decision is on {bind_hash}: look at it again",
                execution.bind_hash
            )));
        }
        if !self.settings.approvers.contains(&who.name) {
            return Err(CommandError::Forbidden { who: who.name.clone(), has: who.role, needs: Role::Approver });
        }
        if !self.commit().await {
            return Err(CommandError::store("what changed before could not be written".to_owned()));
        }
        let decision = if approve { Decision::Approve } else { Decision::Reject };
        let kind = if approve { "action.approved" } else { "action.rejected" };
        let event = Self::by(who, at, kind, &id, json!({ "by": who.name, "reason": reason, "bind_hash": bind_hash }));
        let approval = Approval {
            intent: id.clone(),
            approver: who.clone(),
            bind_hash: bind_hash.to_owned(),
            decision,
            reason: reason.clone(),
            at,
            expires_at: execution.proposal.expires_at,
        };
        self.store.decide(self.epoch, approval, event.clone()).await.map_err(CommandError::store)?;
        self.tell(event);
        self.read_execution(&id).await?;
        let execution = self.execution(&id)?;
        if !approve {
            let reason = format!("{} rejected it: {reason}", who.name);
            self.end_unsent(&execution, ExecutionState::Cancelled, &reason, at);
            return Ok(format!("{id} is rejected"));
        }
        let decisions = self.store.approvals(&id).await.map_err(CommandError::store)?;
        let approvers: Vec<_> = decisions
            .iter()
            .filter(|approval| approval.decision == Decision::Approve && approval.bind_hash == execution.bind_hash)
            .filter(|approval| self.settings.approvers.contains(&approval.approver.name))
            .map(|approval| approval.approver.name.clone())
            .collect();
        let proposal = &execution.proposal;
        if !Self::enough_approvals(proposal.risk, &approvers, &proposal.requested_by) {
            return Ok(format!("{id} is approved by {}; {} are needed", approvers.join(", "), execution.quorum));
        }
        let mut approved = execution.clone();
        approved.state = ExecutionState::Approved;
        approved.state_reason = format!("approved by {}", approvers.join(", "));
        approved.updated_at = at;
        self.state.put_execution(approved);
        Ok(format!("{id} is approved and will be carried out in the next cycle"))
    }

    /// Takes the stored row of an execution into memory.
    pub(super) async fn read_execution(&mut self, id: &str) -> Result<(), CommandError> {
        let filter = ExecutionFilter { id: Some(id.to_owned()), ..ExecutionFilter::default() };
        let stored = self.store.executions(&filter).await.map_err(CommandError::store)?;
        for execution in stored.into_iter().filter(|execution| execution.proposal.id == id) {
            self.state.set_stored_execution(execution);
        }
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        who: &Principal,
        intent: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let execution = self.execution(intent)?;
        let id = execution.proposal.id.clone();
        if !execution.state.may_become(ExecutionState::Cancelled) || execution.state.holds_slot() {
            return Err(CommandError::refused(format!("{id} is {} and cannot be called off", execution.state)));
        }
        self.end_unsent(&execution, ExecutionState::Cancelled, &format!("{}: {reason}", who.name), at);
        for ticket in &execution.proposal.tickets {
            let reason = format!("{} called {} off: {reason}", who.name, execution.proposal.action);
            self.state.set_ticket_state(ticket, TicketState::NeedsHuman, &reason, at);
        }
        Ok(format!("{id} is cancelled"))
    }

    pub(super) fn settle(
        &mut self,
        who: &Principal,
        intent: &str,
        happened: bool,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let execution = self.execution(intent)?;
        let id = execution.proposal.id.clone();
        if execution.state != ExecutionState::Unsettled {
            return Err(CommandError::refused(format!("{id} is {}, not unsettled", execution.state)));
        }
        let mut settled = execution.clone();
        settled.state = ExecutionState::SettledByHuman;
        let word = if happened { "it happened" } else { "it did not happen" };
        settled.state_reason = format!("{}: {word}: {reason}", who.name);
        settled.updated_at = at;
        self.state.put_execution(settled);
        let body = json!({ "happened": happened, "reason": reason });
        self.state.audit(Self::by(who, at, "action.settled", &id, body));
        if happened {
            self.remember_tried(&execution.proposal);
        }
        self.start_over(&execution.proposal);
        for ticket in &execution.proposal.tickets {
            let to = match self.state.tickets.get(ticket) {
                Some(ticket) if ticket.cleared && !ticket.hold => TicketState::Resolved,
                _ => TicketState::Diagnosed,
            };
            self.state.set_ticket_state(ticket, to, &format!("{} settled {id}: {word}", who.name), at);
        }
        Ok(format!("{id} is settled: {word}"))
    }
}
