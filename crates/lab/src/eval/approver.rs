//! The person in a run: somebody who knows what is true, approves what is right and rejects everything else.

use operator_core::engine::Engine;
use operator_core::{Command, Execution, ExecutionState, Identity, Principal, Role, Ticket};
use operator_protocols::Timestamp;

use crate::scenario::{ActionVerdict, Truth};

/// The name under which decisions are recorded.
pub(super) const NAME: &str = "lab";

fn person() -> Principal {
    Principal { name: NAME.to_owned(), role: Role::Approver, identity: Identity::Token }
}

/// Holds the tickets about what is known and stays as it is, so that nothing is done about it.
pub(super) async fn hold_standing(engine: &mut Engine, tickets: &[Ticket], truth: &Truth, at: Timestamp) {
    for ticket in tickets.iter().filter(|ticket| truth.standing.contains(&ticket.invariant) && !ticket.hold) {
        let command = Command::Hold { ticket: ticket.id.clone(), hold: true };
        if let Err(error) = engine.command(&person(), command, at).await {
            tracing::warn!(ticket = %ticket.id, %error, "the ticket was not held");
        }
    }
}

/// Decides on everything that waits.
pub(super) async fn decide(engine: &mut Engine, waiting: &[Execution], truth: &Truth, at: Timestamp) {
    let who = person();
    for execution in waiting.iter().filter(|execution| execution.state == ExecutionState::AwaitingApproval) {
        let proposal = &execution.proposal;
        let verdict = truth.judge_action(&proposal.action, &proposal.target.to_text());
        let undoes = proposal.undo_of.is_some();
        let command = Command::Decide {
            intent: proposal.id.clone(),
            bind_hash: execution.bind_hash.clone(),
            approve: undoes || verdict == ActionVerdict::Right,
            reason: "decided by the scenario's ground truth".to_owned(),
        };
        if let Err(error) = engine.command(&who, command, at).await {
            tracing::warn!(intent = %proposal.id, %error, "the person's decision was not taken");
        }
    }
}
