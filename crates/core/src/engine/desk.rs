//! What the loop lays out for an agent to read, anew after every cycle and command. Reading it changes nothing and
//! holds up nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use operator_protocols::{ActionDefinition, History, ProbeDefinition, Severity, Timestamp};

use super::Engine;
use super::question::{Question, QuestionStatus};
use crate::CommandError;
use crate::agent::{CaseFile, CaseSummary};

/// What the loop lays out for an agent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Desk {
    pub subject: String,
    /// By incident.
    pub cases: BTreeMap<String, Case>,
    pub actions: Arc<Vec<ActionDefinition>>,
    pub probes: Arc<Vec<ProbeDefinition>>,
    pub history: History,
}

/// One incident that was asked about.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    question: Arc<Question>,
    severity: Severity,
    opened_at: Timestamp,
}

impl Desk {
    /// The incidents that wait for an answer, in the order in which they were opened.
    pub fn open_cases(&self) -> Vec<CaseSummary> {
        let open = self.cases.iter().filter(|(_, case)| case.question.status == QuestionStatus::Open);
        let mut cases: Vec<_> = open
            .map(|(incident, case)| CaseSummary {
                subject: self.subject.clone(),
                incident: incident.clone(),
                severity: case.severity,
                opened_at: case.opened_at,
                question: case.question.hash.clone(),
            })
            .collect();
        cases.sort_by(|a, b| (a.opened_at, &a.incident).cmp(&(b.opened_at, &b.incident)));
        cases
    }

    /// One incident with everything that a diagnoser is given.
    pub fn case(&self, incident: &str) -> Result<CaseFile, CommandError> {
        let suffix = format!("-{incident}");
        let found = self.cases.get(incident).or_else(|| {
            let mut matching = self.cases.iter().filter(|(id, _)| id.ends_with(&suffix));
            matching.next().map(|(_, case)| case)
        });
        let case = found.ok_or_else(|| CommandError::NotFound {
            what: format!("incident {}", incident.chars().take(80).collect::<String>()),
            why: "no such incident is open and asked about".to_owned(),
        })?;
        Ok(CaseFile {
            question: case.question.hash.clone(),
            open: case.question.status == QuestionStatus::Open,
            pack: case.question.pack.clone(),
            actions: self.actions.as_ref().clone(),
            probes: self.probes.as_ref().clone(),
            reasoned: case.question.reasoned.clone(),
        })
    }
}

impl Engine {
    pub(super) fn lay_out(&self) {
        let case = |(incident, question): (&String, &Arc<Question>)| {
            let row = self.state.incidents.get(incident)?;
            let tickets = row.tickets.iter().filter_map(|id| self.state.tickets.get(id));
            let severity = tickets.map(|ticket| ticket.severity).max()?;
            let case = Case { question: Arc::clone(question), severity, opened_at: row.opened_at };
            Some((incident.clone(), case))
        };
        self.desk.send_replace(Arc::new(Desk {
            subject: self.state.subject.clone(),
            cases: self.state.questions.iter().filter_map(case).collect(),
            actions: Arc::clone(&self.offered),
            probes: Arc::clone(&self.probes),
            history: self.history.clone(),
        }));
    }
}
