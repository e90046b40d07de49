//! What the loop holds in memory of its subject, and which of it has changed since it was last written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::Timestamp;
use operator_reasoner::{Deliberation, Diagnosis, EvidencePack};

use super::question::Question;
use crate::store::{Counters, CycleCommit, Snapshot};
use crate::{
    AuditEvent, Execution, ExecutionState, Incident, Mark, PastCase, Ticket, TicketState, Verification, Violation,
};

/// How many incidents that are over are remembered to compare with, the latest.
pub(super) const PAST_KEPT: usize = 100;

/// What the loop holds in memory, and what of it is not written yet.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub subject: String,
    pub install_id: String,
    pub counters: Counters,
    /// By fingerprint.
    pub violations: BTreeMap<String, Violation>,
    pub tickets: BTreeMap<String, Ticket>,
    pub incidents: BTreeMap<String, Incident>,
    /// The latest of each incident, with its id.
    pub diagnoses: BTreeMap<String, (String, Diagnosis)>,
    pub executions: BTreeMap<String, Execution>,
    /// The latest of each execution.
    pub verifications: BTreeMap<String, Verification>,
    /// What was asked of an agent, by incident.
    pub questions: BTreeMap<String, Arc<Question>>,
    /// How the latest answer about an incident was reached, without the bodies of its calls.
    pub deliberations: BTreeMap<String, Deliberation>,
    /// Incidents that are over, by id: what later ones are compared with. Those of other instances of the kind too.
    pub past: BTreeMap<String, PastCase>,
    /// What a person said last of each incident that is not forgotten.
    pub marks: BTreeMap<String, Mark>,
    changes: Changes,
}

#[derive(Debug, Clone, Default)]
struct Changes {
    violations: BTreeSet<String>,
    violations_over: BTreeSet<String>,
    tickets: BTreeSet<String>,
    incidents: BTreeSet<String>,
    executions: BTreeSet<String>,
    diagnoses: Vec<(String, Diagnosis)>,
    evidence: Vec<(String, EvidencePack)>,
    deliberations: Vec<(String, Timestamp, Deliberation)>,
    past: BTreeSet<String>,
    marks: Vec<Mark>,
    verifications: Vec<Verification>,
    audit: Vec<AuditEvent>,
}

impl State {
    pub fn new(subject: &str, install_id: &str, snapshot: Snapshot) -> Self {
        Self {
            subject: subject.to_owned(),
            install_id: install_id.to_owned(),
            counters: snapshot.counters,
            violations: snapshot.violations.into_iter().map(|v| (v.fingerprint(), v)).collect(),
            tickets: snapshot.tickets.into_iter().map(|t| (t.id.clone(), t)).collect(),
            incidents: snapshot.incidents.into_iter().map(|i| (i.id.clone(), i)).collect(),
            diagnoses: snapshot
                .diagnoses
                .into_iter()
                .map(|(id, diagnosis)| (diagnosis.incident.clone(), (id, diagnosis)))
                .collect(),
            executions: snapshot.executions.into_iter().map(|e| (e.proposal.id.clone(), e)).collect(),
            verifications: BTreeMap::new(),
            questions: snapshot
                .questions
                .into_iter()
                .map(|question| (question.incident.clone(), Arc::new(question)))
                .collect(),
            deliberations: BTreeMap::new(),
            past: snapshot.past.into_iter().map(|case| (case.incident.clone(), case)).collect(),
            marks: snapshot.marks.into_iter().map(|mark| (mark.incident.clone(), mark)).collect(),
            changes: Changes::default(),
        }
    }

    /// What would be loaded if the loop began now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            counters: self.counters,
            violations: self.violations.values().cloned().collect(),
            tickets: self.tickets.values().cloned().collect(),
            incidents: self.incidents.values().cloned().collect(),
            diagnoses: self.diagnoses.values().cloned().collect(),
            executions: self.executions.values().cloned().collect(),
            questions: self.questions.values().map(|question| question.as_ref().clone()).collect(),
            past: self.past.values().cloned().collect(),
            explained_at: BTreeMap::new(),
            marks: self.marks.values().cloned().collect(),
        }
    }

    pub fn next_ticket_id(&mut self) -> String {
        self.counters.tickets += 1;
        format!("{}-T{}", self.subject, self.counters.tickets)
    }

    pub fn next_incident_id(&mut self) -> String {
        self.counters.incidents += 1;
        format!("{}-I{}", self.subject, self.counters.incidents)
    }

    pub fn next_diagnosis_id(&mut self) -> String {
        self.counters.diagnoses += 1;
        format!("{}-D{}", self.subject, self.counters.diagnoses)
    }

    /// Unique for ever, also beside another installation's: it is the idempotency key at the target.
    pub fn next_intent_id(&mut self) -> String {
        self.counters.intents += 1;
        format!("{}-A{}-{}", self.subject, self.counters.intents, self.install_id)
    }

    pub fn audit(&mut self, event: AuditEvent) {
        self.changes.audit.push(event);
    }

    pub fn put_violation(&mut self, violation: Violation) {
        let fingerprint = violation.fingerprint();
        self.changes.violations_over.remove(&fingerprint);
        self.changes.violations.insert(fingerprint.clone());
        self.violations.insert(fingerprint, violation);
    }

    pub fn end_violation(&mut self, fingerprint: &str) -> Option<Violation> {
        let ended = self.violations.remove(fingerprint)?;
        self.changes.violations.remove(fingerprint);
        self.changes.violations_over.insert(fingerprint.to_owned());
        Some(ended)
    }

    pub fn put_ticket(&mut self, ticket: Ticket) {
        self.changes.tickets.insert(ticket.id.clone());
        self.tickets.insert(ticket.id.clone(), ticket);
    }

    pub fn put_incident(&mut self, incident: Incident) {
        self.changes.incidents.insert(incident.id.clone());
        self.incidents.insert(incident.id.clone(), incident);
    }

    /// Changes an incident in place: one of ten thousand tickets is not copied ten thousand times.
    pub fn change_incident(&mut self, id: &str, change: impl FnOnce(&mut Incident)) {
        if let Some(incident) = self.incidents.get_mut(id) {
            change(incident);
            self.changes.incidents.insert(id.to_owned());
        }
    }

    /// A new diagnosis with the evidence that it rests on.
    pub fn put_diagnosis(&mut self, id: String, diagnosis: Diagnosis, evidence: EvidencePack) {
        self.changes.evidence.push((id.clone(), evidence));
        self.changes.diagnoses.push((id.clone(), diagnosis.clone()));
        self.diagnoses.insert(diagnosis.incident.clone(), (id, diagnosis));
    }

    /// How an answer was reached, while this diagnosis stood.
    pub fn put_deliberation(&mut self, diagnosis: &str, at: Timestamp, deliberation: Deliberation) {
        self.changes.deliberations.push((diagnosis.to_owned(), at, deliberation));
    }

    /// An incident that is over, or of which something was said since. The oldest are forgotten here, not in the store.
    pub fn put_past(&mut self, case: PastCase) {
        self.changes.past.insert(case.incident.clone());
        self.past.insert(case.incident.clone(), case);
        while self.past.len() > PAST_KEPT {
            let unchanged = self.past.values().filter(|case| !self.changes.past.contains(&case.incident));
            let oldest =
                unchanged.min_by_key(|case| (case.closed_at, &case.incident)).map(|case| case.incident.clone());
            let Some(oldest) = oldest else { return };
            self.past.remove(&oldest);
        }
    }

    pub fn put_mark(&mut self, mark: Mark) {
        if self.incidents.contains_key(&mark.incident) {
            self.marks.insert(mark.incident.clone(), mark.clone());
        }
        self.changes.marks.push(mark);
    }

    /// A new execution, or a changed one; its version is set when it is written.
    pub fn put_execution(&mut self, execution: Execution) {
        self.changes.executions.insert(execution.proposal.id.clone());
        self.executions.insert(execution.proposal.id.clone(), execution);
    }

    /// An execution as the store has it now: nothing to write.
    pub fn set_stored_execution(&mut self, execution: Execution) {
        self.changes.executions.remove(&execution.proposal.id);
        self.executions.insert(execution.proposal.id.clone(), execution);
    }

    pub fn put_verification(&mut self, verification: Verification) {
        self.changes.verifications.push(verification.clone());
        self.verifications.insert(verification.intent.clone(), verification);
    }

    /// Moves a ticket to another state; a move that no table allows is not made, and said in the log.
    pub fn set_ticket_state(&mut self, id: &str, to: TicketState, reason: &str, at: Timestamp) {
        let Some(ticket) = self.tickets.get(id) else { return };
        let from = ticket.state;
        if from == to {
            if ticket.state_reason != reason {
                let mut ticket = ticket.clone();
                reason.clone_into(&mut ticket.state_reason);
                self.put_ticket(ticket);
            }
            return;
        }
        if !from.may_become(to) {
            tracing::error!(ticket = id, %from, %to, reason, "a ticket must not make this move; it stays");
            return;
        }
        let mut ticket = ticket.clone();
        ticket.state = to;
        reason.clone_into(&mut ticket.state_reason);
        ticket.resolved_at = (to == TicketState::Resolved).then_some(at);
        self.put_ticket(ticket);
        let body = serde_json::json!({ "from": from, "to": to, "reason": reason });
        self.audit(AuditEvent::by_operator(at, "ticket.state", id, body));
    }

    /// The tickets of an incident, in the order they were opened.
    pub fn tickets_of(&self, incident: &str) -> Vec<Ticket> {
        self.incidents
            .get(incident)
            .map(|incident| incident.tickets.iter().filter_map(|id| self.tickets.get(id)).cloned().collect())
            .unwrap_or_default()
    }

    /// The executions of an incident, in the order they were proposed.
    pub fn executions_of<'a>(&'a self, incident: &'a str) -> impl Iterator<Item = &'a Execution> {
        let mut executions: Vec<_> = self
            .executions
            .values()
            .filter(|execution| execution.proposal.incident.as_deref() == Some(incident))
            .collect();
        executions.sort_by_key(|execution| (execution.proposal.created_at, intent_number(&execution.proposal.id)));
        executions.into_iter()
    }

    /// The open incidents, oldest first.
    pub fn open_incidents(&self) -> Vec<String> {
        let mut open: Vec<_> =
            self.incidents.values().filter(|i| i.closed_at.is_none()).map(|i| (i.opened_at, i.id.clone())).collect();
        open.sort();
        open.into_iter().map(|(_, id)| id).collect()
    }

    pub fn unwritten(&self) -> bool {
        let changes = &self.changes;
        !(changes.violations.is_empty()
            && changes.violations_over.is_empty()
            && changes.tickets.is_empty()
            && changes.incidents.is_empty()
            && changes.executions.is_empty()
            && changes.diagnoses.is_empty()
            && changes.deliberations.is_empty()
            && changes.past.is_empty()
            && changes.marks.is_empty()
            && changes.verifications.is_empty()
            && changes.audit.is_empty())
    }

    /// What is to be written.
    pub fn commit(&self) -> CycleCommit {
        let changes = &self.changes;
        CycleCommit {
            subject: self.subject.clone(),
            counters: self.counters,
            violations: changes.violations.iter().filter_map(|f| self.violations.get(f)).cloned().collect(),
            violations_over: changes.violations_over.iter().cloned().collect(),
            tickets: changes.tickets.iter().filter_map(|id| self.tickets.get(id)).cloned().collect(),
            incidents: changes.incidents.iter().filter_map(|id| self.incidents.get(id)).cloned().collect(),
            diagnoses: changes.diagnoses.clone(),
            evidence: changes.evidence.clone(),
            deliberations: changes.deliberations.clone(),
            past: changes.past.iter().filter_map(|id| self.past.get(id)).cloned().collect(),
            marks: changes.marks.clone(),
            executions: changes
                .executions
                .iter()
                .filter_map(|id| self.executions.get(id))
                .map(|execution| Execution { version: execution.version + 1, ..execution.clone() })
                .collect(),
            verifications: changes.verifications.clone(),
            audit: changes.audit.clone(),
        }
    }

    /// The commit was written: nothing is unwritten any more. Gives the audit events, to be told.
    pub fn written(&mut self) -> Vec<AuditEvent> {
        for id in &self.changes.executions {
            if let Some(execution) = self.executions.get_mut(id) {
                execution.version += 1;
            }
        }
        std::mem::take(&mut self.changes).audit
    }

    /// Forgets what is over and can no longer come back.
    pub fn forget(&mut self, at: Timestamp, reopen_within: Duration) {
        if self.unwritten() {
            return;
        }
        let old = |when: Option<Timestamp>| when.is_some_and(|when| at.since(when) > reopen_within);
        let gone: Vec<_> = self.incidents.values().filter(|i| old(i.closed_at)).cloned().collect();
        for incident in gone {
            self.incidents.remove(&incident.id);
            self.diagnoses.remove(&incident.id);
            self.questions.remove(&incident.id);
            self.deliberations.remove(&incident.id);
            self.marks.remove(&incident.id);
            for ticket in &incident.tickets {
                self.tickets.remove(ticket);
            }
        }
        let incidents = &self.incidents;
        self.executions.retain(|_, execution| {
            !execution.state.terminal()
                || execution.proposal.incident.as_ref().is_some_and(|incident| incidents.contains_key(incident))
                || at.since(execution.updated_at) <= reopen_within
        });
        let executions = &self.executions;
        self.verifications.retain(|intent, _| executions.contains_key(intent));
    }

    /// Executions that are in `states`, oldest first.
    pub fn executions_in(&self, states: &[ExecutionState]) -> Vec<Execution> {
        let mut found: Vec<_> =
            self.executions.values().filter(|execution| states.contains(&execution.state)).cloned().collect();
        found.sort_by_key(|execution| (execution.proposal.created_at, intent_number(&execution.proposal.id)));
        found
    }
}

/// The number in an intent's id, so that the tenth comes after the ninth.
pub(crate) fn intent_number(id: &str) -> u64 {
    id.rsplit('-').nth(1).and_then(|part| part.strip_prefix('A')).and_then(|n| n.parse().ok()).unwrap_or(0)
}
