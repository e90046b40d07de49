//! Carrying an approved proposal out: claim, a last look, send, finish. Nothing is sent before its claim, and with it an
//! audit row, is durable.

use std::time::Duration;

use operator_protocols::{ActionClass, ActionLimits, ExecutionToken, Guard, Holds, Locus, Risk, Sent, Timestamp};
use serde_json::json;

use super::Engine;
use super::propose::tried_as;
use crate::proposal::Proposal;
use crate::store::{BudgetCharge, ClaimError, ClaimGate, Finish, Finished, Refusal};
use crate::{AuditEvent, Execution, ExecutionState, TicketState, canonical_json, sha256_hex};

const HOUR: Duration = Duration::from_secs(3600);

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

    fn expire(&mut self, at: Timestamp) {
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
    fn answered_by_itself(&self, execution: &Execution) -> bool {
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

    fn claim_refused(&mut self, execution: &Execution, error: ClaimError, at: Timestamp) {
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

    fn charges(&self, proposal: &Proposal) -> Vec<BudgetCharge> {
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
