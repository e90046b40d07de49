//! Asking for an explanation of an incident, and keeping count of how often it stays the same.

use std::time::Duration;

use operator_protocols::{Event, EventId, EventKind, Timestamp};
use operator_reasoner::{Diagnosis, EvidencePack, Inquiry, PackInput, Remembered, ViolationFact};
use serde_json::json;

use super::question::same_cause;
use super::{Engine, past};
use crate::past_case::alike;
use crate::{AuditEvent, Execution, ExecutionState, Signature, TicketState};

/// How often an incident that stays unexplained, or waits, is looked at anew.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(30);

impl Engine {
    /// Explains every incident that needs it.
    pub(super) async fn explain(&mut self, at: Timestamp) {
        for incident in self.state.open_incidents() {
            if self.needs_explaining(&incident, at) {
                self.explain_incident(&incident, at).await;
            }
        }
    }

    fn needs_explaining(&self, incident: &str, at: Timestamp) -> bool {
        let Some(row) = self.state.incidents.get(incident) else { return false };
        let tickets = self.state.tickets_of(incident);
        if tickets.iter().any(|ticket| ticket.state == TicketState::Open) {
            return true;
        }
        let waiting = tickets.iter().any(|ticket| ticket.state == TicketState::Diagnosed && !ticket.cleared);
        if !waiting || self.state.executions_of(incident).any(|execution| !execution.state.terminal()) {
            return false;
        }
        row.confirmations < self.settings.policy.confirmations
            || self.explained_at.get(incident).is_none_or(|&last| at.since(last) >= LOOK_AGAIN_EVERY)
    }

    pub(super) async fn explain_incident(&mut self, incident: &str, at: Timestamp) {
        let violations: Vec<_> = self
            .state
            .violations
            .values()
            .map(|violation| ViolationFact {
                ticket: violation.ticket.clone(),
                invariant: violation.invariant.clone(),
                on: violation.on.clone(),
                severity: violation.severity,
                finding: violation.finding.clone(),
                first_seen: violation.first_seen,
                last_seen: violation.last_seen,
            })
            .collect();
        let own_actions: Vec<_> = self.state.executions.values().filter_map(as_event).collect();
        let tickets = self.state.incidents.get(incident).map(|row| row.tickets.clone()).unwrap_or_default();
        let input = PackInput {
            subject: &self.state.subject,
            incident,
            now: at,
            history: &self.history,
            violations: &violations,
            invariants: self.checker.invariants(),
            actions: &self.actions,
            own_actions: &own_actions,
            similar: &[],
        };
        let pack = EvidencePack::build_for(&input, &tickets);
        let signature = Signature::of(&pack);
        let pack = pack.with_similar(&alike(self.state.past.values(), &signature, &self.state.subject, incident));
        self.explained_at.insert(incident.to_owned(), at);
        let past = Remembered::new(self.history.clone());
        let inquiry = Inquiry { pack: &pack, actions: &self.actions, investigation: &past, reasoned: None };
        match self.diagnoser.diagnose(inquiry).await {
            Ok(answer) => self.keep_diagnosis(incident, answer.diagnosis, &pack, at),
            Err(error) => {
                self.trouble.insert("diagnosis".to_owned(), error.to_string());
                for ticket in self.state.tickets_of(incident) {
                    if ticket.state == TicketState::Open {
                        let reason = format!("no explanation: {error}");
                        self.state.set_ticket_state(&ticket.id, TicketState::NeedsHuman, &reason, at);
                    }
                }
            }
        }
    }

    /// Keeps what the diagnoser of the loop says now, or the answer that stands in its place.
    fn keep_diagnosis(&mut self, incident: &str, fresh: Diagnosis, pack: &EvidencePack, at: Timestamp) {
        self.trouble.remove("diagnosis");
        self.ask(incident, &fresh, pack, at);
        let question = self.state.questions.get(incident).cloned();
        match question.as_deref().and_then(|question| question.standing.as_ref().map(|one| (question, one))) {
            Some((question, standing)) => {
                let now = standing.now(&fresh, pack, &self.actions);
                self.keep(incident, now, &question.pack, false, at);
            }
            None => self.keep(incident, fresh, pack, false, at),
        }
    }

    /// Keeps an explanation of an incident. `pack` is the evidence that it cites; `answered` says that it is an answer
    /// just taken, and not another look at the same.
    pub(super) fn keep(
        &mut self,
        incident: &str,
        diagnosis: Diagnosis,
        pack: &EvidencePack,
        answered: bool,
        at: Timestamp,
    ) {
        let Some(mut row) = self.state.incidents.get(incident).cloned() else { return };
        let before = self.state.diagnoses.get(incident).map(|(_, diagnosis)| diagnosis);
        let same = before.is_some_and(|before| same_cause(&before.primary, &diagnosis.primary));
        let by_the_same = before.is_some_and(|before| before.diagnoser == diagnosis.diagnoser);
        // The same again within what was confirmed already says nothing new and is not written again.
        let again = same && by_the_same && !answered;
        let news = !again || row.confirmations == 0;
        row.confirmations = match (same, answered) {
            _ if diagnosis.abstained() => 0,
            (true, false) => row.confirmations + 1,
            (true, true) => row.confirmations.max(1),
            (false, _) => 1,
        };
        let reason = if diagnosis.abstained() {
            "the evidence does not decide".to_owned()
        } else {
            format!("{} at {}", diagnosis.primary.class, diagnosis.primary.locus)
        };
        if news && !(again && diagnosis.abstained()) {
            let id = self.state.next_diagnosis_id();
            row.diagnosis = Some(id.clone());
            self.state.audit(AuditEvent::by_operator(at, "diagnosis.made", &id, told(&diagnosis, pack)));
            let evidence = past::worth_keeping(&diagnosis, pack);
            self.state.put_diagnosis(id, diagnosis, evidence);
        } else if let Some((_, kept)) = self.state.diagnoses.get_mut(incident) {
            // Kept in memory only: probabilities move a little with every cycle.
            *kept = diagnosis;
        }
        self.state.put_incident(row);
        for ticket in self.state.tickets_of(incident) {
            if ticket.state == TicketState::Open {
                self.state.set_ticket_state(&ticket.id, TicketState::Diagnosed, &reason, at);
            }
        }
    }
}

/// What the audit tells of a diagnosis.
fn told(diagnosis: &Diagnosis, pack: &EvidencePack) -> serde_json::Value {
    let evidence: Vec<_> = diagnosis
        .primary
        .supporting
        .iter()
        .map(|reference| {
            let statement = pack.item(&reference.id).map(|item| item.statement.as_str());
            json!({ "id": reference.id, "because": reference.because, "statement": statement })
        })
        .collect();
    let alternatives: Vec<_> = diagnosis
        .alternatives
        .iter()
        .take(5)
        .map(|alternative| {
            json!({
                "class": alternative.hypothesis.class,
                "locus": alternative.hypothesis.locus,
                "probability": alternative.hypothesis.probability,
                "conclusion": alternative.conclusion,
            })
        })
        .collect();
    json!({
        "incident": diagnosis.incident,
        "diagnoser": diagnosis.diagnoser,
        "diagnoser_version": diagnosis.diagnoser_version,
        "class": diagnosis.primary.class,
        "locus": diagnosis.primary.locus,
        "statement": diagnosis.primary.statement,
        "probability": diagnosis.primary.probability,
        "confidence": diagnosis.confidence.word,
        "evidence": evidence,
        "alternatives": alternatives,
        "abstained": diagnosis.abstained(),
        "recommended": diagnosis.recommended_action,
    })
}

/// What the operator did, as an event: it explains what follows from it.
fn as_event(execution: &Execution) -> Option<Event> {
    let happened = matches!(
        execution.state,
        ExecutionState::Done | ExecutionState::Running | ExecutionState::Unknown | ExecutionState::Unsettled
    );
    let proposal = &execution.proposal;
    happened.then(|| Event {
        id: EventId::new(&proposal.subject, &proposal.id),
        at: execution.done_at.unwrap_or(execution.updated_at),
        on: proposal.target.clone(),
        kind: EventKind::Action,
        change: None,
        message: format!("the operator carried out {} on {}", proposal.action, proposal.target),
    })
}
