//! Carrying an approved proposal out: claim, a last look, send, finish. Nothing is sent before its claim, and with it an
//! audit row, is durable.

use operator_protocols::{ActionClass, ExecutionToken, Guard, Holds, Sent, Timestamp};
use serde_json::json;

use super::Engine;
use crate::proposal::Proposal;
use crate::store::ClaimGate;
use crate::{AuditEvent, Execution, ExecutionState, canonical_json, sha256_hex};

impl Engine {
    /// Carries out what is approved, and ends what waited too long.
    pub(super) async fn act(&mut self, at: Timestamp) {
        self.expire(at);
        if !self.commit().await {
            return;
        }
        for execution in self.state.executions_in(&[ExecutionState::Approved]) {
            self.carry_out(&execution, execution.proposal.guard.clone(), true, at).await;
        }
    }

    /// Claims, looks once more, sends and writes what came of it. `guard` is what the request relies on; a repeat of an
    /// unknown outcome relies on the original and takes no second look, since the first may have changed the facts.
    pub(super) async fn carry_out(&mut self, execution: &Execution, guard: Guard, look_again: bool, at: Timestamp) {
        let proposal = &execution.proposal;
        let send_by = at.plus(self.settings.policy.send_time_limit);
        let gate = ClaimGate {
            intent: proposal.id.clone(),
            subject: self.state.subject.clone(),
            epoch: self.epoch,
            now: at,
            bind_hash: execution.bind_hash.clone(),
            policy_revision: self.policy_revision.clone(),
            approvers: self.settings.approvers.clone(),
            charges: self.charges(proposal),
            max_in_flight: self.settings.policy.budget.in_flight_per_subject,
            max_attempts: self.settings.policy.max_attempts,
            send_by,
            audit: AuditEvent::by_operator(
                at,
                "action.claimed",
                &proposal.id,
                json!({
                    "action": proposal.action,
                    "target": proposal.target,
                    "attempt": execution.attempt + 1,
                    "epoch": self.epoch,
                    "send_by": send_by,
                }),
            ),
        };
        let told = gate.audit.clone();
        let claimed = match self.store.claim(gate).await {
            Ok(claimed) => claimed,
            Err(error) => return self.claim_refused(execution, error, at),
        };
        self.tell(told);
        let mut claimed_execution = execution.clone();
        claimed_execution.state = ExecutionState::Dispatched;
        claimed_execution.attempt = claimed.attempt;
        claimed_execution.epoch = self.epoch;
        claimed_execution.version = claimed.version;
        claimed_execution.send_by = Some(send_by);
        claimed_execution.updated_at = at;
        self.state.set_stored_execution(claimed_execution.clone());
        let request = proposal.request();
        let guard = if look_again {
            let fresh = self.subject.guard(&request, at).await;
            if let Some((to, reason)) = self.last_look(&claimed_execution, &fresh).await {
                self.finish(&claimed_execution, to, &reason, None, None, "action.not_sent", at).await;
                return;
            }
            fresh
        } else {
            guard
        };
        let token = ExecutionToken::new(
            &proposal.id,
            claimed.attempt,
            self.epoch,
            send_by,
            self.settings.policy.send_time_limit,
        );
        let sent = self.subject.execute(&request, &guard, &token).await;
        self.sent(&claimed_execution, &sent, at).await;
    }

    /// The last look before sending: where the claim is moved to instead, and why, if it must not be sent.
    async fn last_look(&self, execution: &Execution, fresh: &Guard) -> Option<(ExecutionState, String)> {
        match self.store.kill_switch().await {
            Ok(states) => {
                let engaged = states.iter().any(|state| {
                    state.engaged
                        && match &state.scope {
                            crate::store::KillScope::Global => true,
                            crate::store::KillScope::Subject(name) => *name == self.state.subject,
                        }
                });
                if engaged {
                    return Some((ExecutionState::Cancelled, "the kill switch was engaged".to_owned()));
                }
            }
            Err(error) => {
                return Some((ExecutionState::Approved, format!("the kill switch could not be read: {error}")));
            }
        }
        match &fresh.holds {
            Holds::Yes => {}
            Holds::No(why) => return Some((ExecutionState::Expired, format!("the guard holds no more: {why}"))),
            Holds::Unknown(why) => {
                return Some((ExecutionState::Approved, format!("the guard could not be read: {why}")));
            }
        }
        (Proposal::guard_hash(fresh) != Proposal::guard_hash(&execution.proposal.guard))
            .then(|| (ExecutionState::Expired, "what it relies on has changed since it was proposed".to_owned()))
    }

    /// Writes what came of sending.
    pub(super) async fn sent(&mut self, execution: &Execution, sent: &Sent, at: Timestamp) {
        let response = Some(sha256_hex("operator/response/1", &canonical_json(sent)));
        let attempts_left = execution.attempt < self.settings.policy.max_attempts;
        let (to, reason, deadline) = match sent {
            Sent::NotSent(why) if attempts_left => (ExecutionState::Approved, format!("not sent: {why}"), None),
            Sent::NotSent(why) => {
                (ExecutionState::Failed, format!("not sent in {} attempts: {why}", execution.attempt), None)
            }
            Sent::NoEffect(proof) => (ExecutionState::Failed, format!("without effect: {proof}"), None),
            Sent::Done(receipt) => (ExecutionState::Done, receipt.summary.clone(), None),
            Sent::Accepted { deadline, .. } => {
                (ExecutionState::Running, "the target works on it".to_owned(), Some(*deadline))
            }
            Sent::Unknown(why) if execution.proposal.class == ActionClass::Blind => {
                (ExecutionState::Unsettled, format!("whether it happened cannot be found out: {why}"), None)
            }
            Sent::Unknown(why) => {
                let deadline = at.plus(self.settings.policy.quiesce);
                (ExecutionState::Unknown, format!("it may have happened: {why}"), Some(deadline))
            }
        };
        let kind = if matches!(sent, Sent::NotSent(_)) { "action.not_sent" } else { "action.finished" };
        self.finish(execution, to, &reason, deadline, response, kind, at).await;
    }
}
