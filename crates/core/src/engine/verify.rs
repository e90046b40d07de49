//! Watching whether an action helped and broke nothing else.

use std::time::Duration;

use operator_protocols::{Does, Locus, SignalRole, Timestamp};
use serde_json::json;

use super::Engine;
use super::grace::clear_after;
use crate::{AuditEvent, Execution, ExecutionState, Ticket, TicketState, Verification, VerificationOutcome, Violation};

/// Traffic below this share of what it was counts as none: health checks and the like remain.
const IDLE_SHARE: f64 = 0.05;

impl Engine {
    /// Judges every execution that is done and whose tickets wait for it.
    pub(super) fn verify(&mut self, at: Timestamp) {
        let done = self.state.executions_in(&[ExecutionState::Done]);
        for (i, execution) in done.iter().enumerate() {
            let tickets = self.watched(execution, &done[i + 1..]);
            if !tickets.is_empty() {
                self.verify_one(execution, &tickets, at);
            }
        }
    }

    /// The tickets that wait for this execution, and not for a later one.
    fn watched(&self, execution: &Execution, later: &[Execution]) -> Vec<Ticket> {
        let ids = &execution.proposal.tickets;
        ids.iter()
            .filter(|id| !later.iter().any(|later| later.proposal.tickets.contains(id)))
            .filter_map(|id| self.state.tickets.get(id))
            .filter(|ticket| ticket.state == TicketState::Verifying)
            .cloned()
            .collect()
    }

    fn verify_one(&mut self, execution: &Execution, tickets: &[Ticket], at: Timestamp) {
        let done_at = execution.done_at.unwrap_or(execution.updated_at);
        let settle = self.settle_time(&execution.proposal.action);
        let broken = self.broken_since(execution, done_at);
        if !broken.is_empty() {
            self.end_verification(execution, tickets, VerificationOutcome::BrokeSomething { broken }, at);
            return;
        }
        if at < done_at.plus(settle) {
            return;
        }
        let uncleared: Vec<_> = tickets.iter().filter(|ticket| !ticket.cleared).cloned().collect();
        let containing = execution.proposal.does == Does::Contains;
        if containing && self.contained(execution, &uncleared) {
            self.end_verification(execution, tickets, VerificationOutcome::Contained, at);
        } else if !containing && uncleared.is_empty() {
            self.end_verification(execution, tickets, VerificationOutcome::Cleared, at);
        } else if at >= done_at.plus(self.longest_wait(&uncleared, settle)) {
            let outcome = VerificationOutcome::NotCleared { tickets: uncleared.into_iter().map(|t| t.id).collect() };
            self.end_verification(execution, tickets, outcome, at);
        }
    }

    fn settle_time(&self, action: &str) -> Duration {
        self.actions.iter().find(|definition| definition.name == action).map_or(Duration::ZERO, |d| d.settle_time)
    }

    /// The symptom may outlive its cure: it is given the time it persists, and then the time it takes to clear.
    fn longest_wait(&self, tickets: &[Ticket], settle: Duration) -> Duration {
        tickets
            .iter()
            .map(|ticket| {
                let clear = self
                    .definitions
                    .get(&ticket.invariant)
                    .map_or(Duration::ZERO, |definition| clear_after(definition, self.settings.interval));
                ticket.finding.persists.unwrap_or(Duration::ZERO) + clear + self.settings.interval
            })
            .fold(settle, Duration::max)
    }

    /// Violations that began after the action, that are to be told, and that it may have caused.
    fn broken_since(&self, execution: &Execution, done_at: Timestamp) -> Vec<(String, Locus)> {
        let touched = &execution.proposal.blast_radius;
        let began_after = |violation: &&Violation| violation.first_seen > done_at && !violation.pending();
        let known = |violation: &&Violation| {
            violation.ticket.as_ref().is_some_and(|ticket| execution.proposal.tickets.contains(ticket))
        };
        self.state
            .violations
            .values()
            .filter(began_after)
            .filter(|violation| !known(violation) && touched.contains(&violation.on))
            .map(|violation| (violation.invariant.clone(), violation.on.clone()))
            .collect()
    }

    /// Whether a containment did its work: what is still violated is about the contained part or its links, and nothing
    /// flows to it.
    fn contained(&self, execution: &Execution, uncleared: &[Ticket]) -> bool {
        let Locus::Component(target) = &execution.proposal.target else { return uncleared.is_empty() };
        let about_it = |on: &Locus| on.components().contains(&target);
        let all_about_it =
            uncleared.iter().all(|ticket| about_it(&ticket.on) || ticket.finding.involves.iter().any(about_it));
        all_about_it && self.idle(&execution.proposal.target, execution.proposal.created_at)
    }

    /// Whether nothing flows to `on`, compared with what did before `before`.
    pub(super) fn idle(&self, on: &Locus, before: Timestamp) -> bool {
        let Some(last) = self.history.last() else { return false };
        let traffic: Vec<_> = last
            .signals
            .iter()
            .filter(|signal| &signal.on == on && signal.role == SignalRole::Traffic)
            .filter(|signal| matches!(signal.kind, operator_protocols::SignalKind::Gauge))
            .collect();
        traffic.iter().all(|signal| {
            let usual = self.median_before(on, &signal.name, before).unwrap_or(0.0);
            signal.value <= (usual * IDLE_SHARE).max(f64::EPSILON)
        })
    }

    pub(super) fn median_before(&self, on: &Locus, signal: &str, before: Timestamp) -> Option<f64> {
        let mut past: Vec<_> =
            self.history.series(on, signal).filter(|(when, _)| *when < before).map(|(_, value)| value).collect();
        past.sort_by(f64::total_cmp);
        past.get(past.len() / 2).copied()
    }

    fn end_verification(
        &mut self,
        execution: &Execution,
        tickets: &[Ticket],
        outcome: VerificationOutcome,
        at: Timestamp,
    ) {
        let proposal = &execution.proposal;
        let doing = format!("{} on {}", proposal.action, proposal.target);
        let evidence: Vec<_> = tickets
            .iter()
            .map(|ticket| {
                let word = if ticket.cleared { "holds again" } else { "is still violated" };
                format!("{} at {} {word}", ticket.invariant, ticket.on)
            })
            .collect();
        for ticket in tickets {
            let (to, reason) = match &outcome {
                VerificationOutcome::Cleared if ticket.hold => continue,
                VerificationOutcome::Cleared => (TicketState::Resolved, format!("{doing} helped")),
                VerificationOutcome::Contained => (
                    TicketState::Contained,
                    format!("{doing} keeps it in bounds; it is taken back when the cause is gone"),
                ),
                VerificationOutcome::NotCleared { .. } if ticket.cleared && !ticket.hold => {
                    (TicketState::Resolved, "its violation is over".to_owned())
                }
                VerificationOutcome::NotCleared { .. } => (TicketState::Diagnosed, format!("{doing} did not help")),
                VerificationOutcome::BrokeSomething { broken } => {
                    let what: Vec<_> = broken.iter().map(|(invariant, on)| format!("{invariant} at {on}")).collect();
                    (TicketState::NeedsHuman, format!("after {doing}, {} is violated", what.join(", ")))
                }
            };
            self.state.set_ticket_state(&ticket.id, to, &reason, at);
        }
        if matches!(outcome, VerificationOutcome::NotCleared { .. } | VerificationOutcome::BrokeSomething { .. }) {
            self.failures.push((at, proposal.action.clone(), proposal.target.clone()));
            self.start_over(proposal);
        }
        let verification = Verification {
            intent: proposal.id.clone(),
            tickets: tickets.iter().map(|ticket| ticket.id.clone()).collect(),
            began_at: execution.done_at.unwrap_or(execution.updated_at),
            ended_at: at,
            outcome,
            evidence,
        };
        let body = json!({
            "action": proposal.action,
            "target": proposal.target,
            "outcome": verification.outcome,
            "tickets": verification.tickets,
            "evidence": verification.evidence,
        });
        self.state.audit(AuditEvent::by_operator(at, "verification.ended", &proposal.id, body));
        self.state.put_verification(verification);
    }
}
