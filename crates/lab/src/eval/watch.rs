//! What is noted of the loop while a run goes on.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_core::{ExecutionState, SubjectView, TicketState};
use operator_protocols::Timestamp;

use crate::scenario::Truth;
use crate::scorecard::{ActionTaken, DiagnosisGiven};

/// What was noted so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Tickets seen before the fault.
    pub before: BTreeSet<String>,
    pub false_tickets: Vec<String>,
    /// When the first ticket after the fault was opened.
    pub detected_at: Option<Timestamp>,
    /// The grace of the first ticket's invariant.
    pub grace: Option<Duration>,
    pub diagnosis: Option<DiagnosisGiven>,
    pub actions: Vec<ActionTaken>,
    pub contained: bool,
    pub recovered_at: Option<Timestamp>,
}

impl Watch {
    /// Notes what a cycle before the fault showed.
    pub fn before_fault(&mut self, view: &SubjectView, truth: &Truth) {
        for ticket in &view.tickets {
            if self.before.insert(ticket.id.clone()) && !truth.standing.contains(&ticket.invariant) {
                self.false_tickets.push(format!("before the fault: {}", ticket.finding.message));
            }
        }
    }

    /// Notes what a cycle after the fault showed.
    pub fn after_fault(&mut self, view: &SubjectView, truth: &Truth) {
        let new: Vec<_> = view.tickets.iter().filter(|ticket| !self.before.contains(&ticket.id)).collect();
        if !truth.ticket {
            // One that is over by itself leaves the view, and was told all the same.
            for ticket in &new {
                let what = format!("{} at {}: ", ticket.invariant, ticket.on);
                if !self.false_tickets.iter().any(|told| told.starts_with(&what)) {
                    self.false_tickets.push(what + &ticket.finding.message);
                }
            }
        }
        if self.detected_at.is_none()
            && let Some(first) = new.iter().min_by_key(|ticket| ticket.opened_at)
        {
            self.detected_at = Some(first.opened_at);
            self.grace = view
                .invariants
                .iter()
                .find(|definition| definition.name == first.invariant)
                .map(|definition| definition.grace);
        }
        self.note_diagnosis(view, truth);
        self.note_actions(view, truth);
        self.note_end(view, truth);
    }

    /// The diagnosis that stands when the first action is proposed is the one that is judged; until then, the latest.
    fn note_diagnosis(&mut self, view: &SubjectView, truth: &Truth) {
        let first = view.executions.iter().find(|execution| execution.proposal.undo_of.is_none());
        if first.is_some() && self.diagnosis.is_some() && !self.actions.is_empty() {
            return;
        }
        let incident = match first.and_then(|execution| execution.proposal.incident.clone()) {
            Some(incident) => Some(incident),
            None => view
                .incidents
                .iter()
                .filter(|incident| !incident.tickets.iter().all(|ticket| self.before.contains(ticket)))
                .map(|incident| incident.id.clone())
                .next(),
        };
        let Some(diagnosis) = incident.and_then(|incident| view.diagnoses.get(&incident)) else { return };
        let primary = &diagnosis.primary;
        let locus = primary.locus.to_text();
        let verdict = truth.judge_hypothesis(&locus, primary.class);
        self.diagnosis = Some(DiagnosisGiven {
            locus,
            class: primary.class.name().to_owned(),
            probability: primary.probability,
            locus_right: verdict.locus,
            class_right: verdict.class,
        });
    }

    fn note_actions(&mut self, view: &SubjectView, truth: &Truth) {
        self.actions = view
            .executions
            .iter()
            .filter(|execution| execution.proposal.undo_of.is_none())
            .map(|execution| {
                let target = execution.proposal.target.to_text();
                ActionTaken {
                    name: execution.proposal.action.clone(),
                    executed: execution.attempt > 0 && execution.state != ExecutionState::Expired,
                    verdict: truth.judge_action(&execution.proposal.action, &target),
                    target,
                }
            })
            .collect();
    }

    fn note_end(&mut self, view: &SubjectView, truth: &Truth) {
        let new: Vec<_> = view.tickets.iter().filter(|ticket| !self.before.contains(&ticket.id)).collect();
        self.contained |= new.iter().any(|ticket| ticket.state == TicketState::Contained);
        let over = !new.is_empty() && new.iter().all(|ticket| ticket.state == TicketState::Resolved);
        let calm = over && view.violations.iter().all(|violation| truth.standing.contains(&violation.invariant));
        if calm {
            self.recovered_at.get_or_insert(view.at);
        } else {
            self.recovered_at = None;
        }
    }
}
