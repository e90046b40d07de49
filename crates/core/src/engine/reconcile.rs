//! Finding out what became of what may have been sent, by what its class promises; never by sending blindly again.

use std::collections::BTreeMap;

use operator_protocols::{ActionClass, Effect, Timestamp};
use serde_json::json;

use super::Engine;
use crate::{AuditEvent, Execution, ExecutionState, TicketState};

impl Engine {
    /// Looks after every execution whose request may still arrive.
    pub(super) async fn reconcile(&mut self, at: Timestamp) {
        self.catch_up(at);
        self.adopt_dispatched(at);
        if !self.commit().await {
            return;
        }
        for execution in self.state.executions_in(&[ExecutionState::Unknown, ExecutionState::Running]) {
            self.reconcile_one(&execution, at).await;
        }
    }

    /// An outcome is written before what it means for its tickets. Where a process ended in between, its tickets are still
    /// with an action that is over: what it means is made up for.
    fn catch_up(&mut self, at: Timestamp) {
        let acting = self.state.tickets.values().filter(|ticket| ticket.state == TicketState::Acting);
        let over: BTreeMap<_, _> = acting
            .filter_map(|ticket| self.latest_for(&ticket.id))
            .filter(|execution| execution.state.terminal() || execution.state == ExecutionState::Unsettled)
            .map(|execution| (execution.proposal.id.clone(), execution.clone()))
            .collect();
        for execution in over.values() {
            self.after(execution, at);
        }
    }

    /// The execution that was proposed last for a ticket.
    fn latest_for(&self, ticket: &str) -> Option<&Execution> {
        let of_ticket = |execution: &&Execution| execution.proposal.tickets.iter().any(|id| id == ticket);
        let order = |execution: &&Execution| {
            (execution.proposal.created_at, super::state::intent_number(&execution.proposal.id))
        };
        self.state.executions.values().filter(of_ticket).max_by_key(order)
    }

    /// A dispatched execution at the beginning of a cycle is one whose outcome was never written: the process that sent
    /// it, or was about to, is gone.
    fn adopt_dispatched(&mut self, at: Timestamp) {
        for execution in self.state.executions_in(&[ExecutionState::Dispatched]) {
            let blind = execution.proposal.class == ActionClass::Blind;
            let mut adopted = execution.clone();
            adopted.state = if blind { ExecutionState::Unsettled } else { ExecutionState::Unknown };
            adopted.state_reason = "the operator stopped before the outcome was written".to_owned();
            adopted.epoch = self.epoch;
            adopted.deadline = Some(at.plus(self.settings.policy.quiesce));
            adopted.updated_at = at;
            let body = json!({ "state": adopted.state, "reason": adopted.state_reason, "epoch": self.epoch });
            let id = adopted.proposal.id.clone();
            self.state.put_execution(adopted);
            self.state.audit(AuditEvent::by_operator(at, "action.reconciled", id, body));
        }
        // Unknown and running ones of an earlier epoch become ours, so that what is found out can be written.
        for execution in self.state.executions_in(&[ExecutionState::Unknown, ExecutionState::Running]) {
            if execution.epoch != self.epoch {
                let mut adopted = execution.clone();
                adopted.epoch = self.epoch;
                adopted.updated_at = at;
                self.state.put_execution(adopted);
            }
        }
    }

    async fn reconcile_one(&mut self, execution: &Execution, at: Timestamp) {
        let effect = self.subject.effect(&execution.proposal.request(), at).await;
        let waited_long_enough = execution.deadline.is_none_or(|deadline| at >= deadline);
        match effect {
            Effect::Happened(receipt) => {
                let reason = format!("it happened: {}", receipt.summary);
                self.finish(execution, ExecutionState::Done, &reason, None, None, "action.reconciled", at).await;
            }
            Effect::UnderWay { .. } if !waited_long_enough => {}
            Effect::Absent if execution.state == ExecutionState::Unknown && !waited_long_enough => {
                self.send_again(execution, at).await;
            }
            Effect::Absent | Effect::Unknown(_) | Effect::UnderWay { .. } if waited_long_enough => {
                let reason = match effect {
                    Effect::Absent => "it is not there, and a late request may still arrive".to_owned(),
                    Effect::Unknown(why) => format!("whether it happened could not be found out: {why}"),
                    _ => "it was not finished by its deadline".to_owned(),
                };
                self.finish(execution, ExecutionState::Unsettled, &reason, None, None, "action.reconciled", at).await;
            }
            _ => {}
        }
    }

    /// A repeat is harmless where the target knows it by its key or refuses it by its precondition.
    async fn send_again(&mut self, execution: &Execution, at: Timestamp) {
        let harmless = matches!(execution.proposal.class, ActionClass::Keyed | ActionClass::Cas);
        if harmless && execution.attempt < self.settings.policy.max_attempts {
            self.carry_out(execution, execution.proposal.guard.clone(), false, at).await;
        }
    }
}
