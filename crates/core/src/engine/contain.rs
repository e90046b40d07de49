//! Taking a containment back when what it contained is well again.

use std::collections::BTreeMap;

use operator_protocols::{
    ComponentState, DependencyState, Does, Locus, Observation, SignalKind, SignalRole, Timestamp, Verdict, Worse,
};

use super::Engine;
use super::propose::Wanted;
use crate::proposal::RuleVerdict;
use crate::{Execution, ExecutionState, Ticket, TicketState};

/// How far a latency may be above its usual value and count as back: twice, and a millisecond for very small ones.
const BACK_TO_USUAL: f64 = 2.0;
const SMALL: f64 = 0.001;

impl Engine {
    /// Looks after every containment: takes it back when what it contained is well, and gives its tickets back when it
    /// no longer contains.
    pub(super) async fn look_after_containments(&mut self, at: Timestamp) {
        for execution in self.state.executions_in(&[ExecutionState::Done]) {
            let tickets: Vec<_> = execution
                .proposal
                .tickets
                .iter()
                .filter_map(|id| self.state.tickets.get(id))
                .filter(|ticket| ticket.state == TicketState::Contained)
                .cloned()
                .collect();
            if execution.proposal.does != Does::Contains || tickets.is_empty() {
                continue;
            }
            let undoing = self.state.executions.values().any(|other| {
                other.proposal.undo_of.as_ref() == Some(&execution.proposal.id) && !other.state.terminal()
            });
            if undoing {
                continue;
            }
            self.look_after(&execution, &tickets, at).await;
        }
    }

    async fn look_after(&mut self, execution: &Execution, tickets: &[Ticket], at: Timestamp) {
        let id = execution.proposal.id.clone();
        let target = &execution.proposal.target;
        if !self.idle(target, execution.proposal.created_at) {
            self.well_since.remove(&id);
            let violated = tickets.iter().any(|ticket| !ticket.cleared);
            let since = *self.flowing_since.entry(id).or_insert(at);
            if at.since(since) >= self.settings.interval * 2 {
                let (to, reason) = if violated {
                    (TicketState::Diagnosed, "the containment has ended, and it is not well")
                } else {
                    (TicketState::Resolved, "the containment has ended, and it is well")
                };
                for ticket in tickets {
                    self.state.set_ticket_state(&ticket.id, to, reason, at);
                }
            }
            return;
        }
        self.flowing_since.remove(&id);
        if !self.well(target, tickets) {
            self.well_since.remove(&id);
            return;
        }
        let since = *self.well_since.entry(id.clone()).or_insert(at);
        if at.since(since) < self.settings.interval * 2 {
            return;
        }
        self.take_back(execution, tickets, at).await;
    }

    /// Whether the contained part and its links are as they were before the trouble, measured without traffic.
    fn well(&self, target: &Locus, tickets: &[Ticket]) -> bool {
        let (Locus::Component(id), Some(now)) = (target, self.history.last()) else { return false };
        let up = now.component(id).is_some_and(|component| component.state != ComponentState::Down);
        let links_up = now
            .dependencies
            .iter()
            .filter(|dependency| &dependency.from == id)
            .all(|dependency| dependency.state == DependencyState::Up);
        let judged_well = tickets.iter().all(|ticket| {
            self.evaluations
                .iter()
                .find(|evaluation| evaluation.invariant == ticket.invariant && evaluation.on == ticket.on)
                .is_none_or(|evaluation| {
                    matches!(evaluation.verdict, Verdict::Ok | Verdict::Suppressed(_) | Verdict::Gone)
                })
        });
        let before = tickets.iter().map(|ticket| ticket.first_seen).min().unwrap_or(now.at);
        up && links_up && judged_well && self.latencies_as_usual(now, id, before)
    }

    fn latencies_as_usual(&self, now: &Observation, id: &operator_protocols::Id, before: Timestamp) -> bool {
        now.signals
            .iter()
            .filter(|signal| signal.role == SignalRole::Latency && signal.worse == Worse::Higher)
            .filter(|signal| matches!(signal.kind, SignalKind::Gauge))
            .filter(|signal| match &signal.on {
                Locus::Component(on) => on == id,
                Locus::Edge(from, _) => from == id,
                _ => false,
            })
            .all(|signal| {
                self.median_before(&signal.on, &signal.name, before)
                    .is_none_or(|usual| signal.value <= usual * BACK_TO_USUAL + SMALL)
            })
    }

    async fn take_back(&mut self, execution: &Execution, tickets: &[Ticket], at: Timestamp) {
        let proposal = &execution.proposal;
        let definitions = &self.actions;
        let inverse = definitions
            .iter()
            .find(|definition| definition.name == proposal.action)
            .and_then(|definition| definition.reversible_by.clone())
            .and_then(|name| definitions.iter().find(|definition| definition.name == name).cloned());
        let Some(inverse) = inverse else {
            self.call_a_person(tickets, "the containment has no inverse: a person must take it back", at);
            return;
        };
        let params: BTreeMap<_, _> = inverse
            .params
            .iter()
            .filter_map(|param| proposal.params.get(&param.name).map(|value| (param.name.clone(), value.clone())))
            .collect();
        let wanted = Wanted {
            action: inverse.name.clone(),
            target: proposal.target.clone(),
            params,
            remedies: proposal.remedies,
            does: Does::Cures,
            incident: proposal.incident.clone(),
            tickets: tickets.iter().map(|ticket| ticket.id.clone()).collect(),
            requested_by: "operator".to_owned(),
            undo_of: Some(proposal.id.clone()),
            probability: None,
            confirmations: None,
            redirected: false,
        };
        match self.judge_wanted(&wanted, at).await {
            Ok(judged) if judged.verdict != RuleVerdict::Deny => {
                self.adopt(judged, at);
            }
            Ok(judged) => {
                let against: Vec<_> = judged
                    .proposal
                    .rules
                    .iter()
                    .filter(|rule| rule.verdict == RuleVerdict::Deny)
                    .map(|rule| rule.because.as_str())
                    .collect();
                let reason = format!("it could be taken back, but {}", against.join(", "));
                for ticket in tickets {
                    self.state.set_ticket_state(&ticket.id, TicketState::Contained, &reason, at);
                }
            }
            Err(error) => self.call_a_person(tickets, &format!("it could not be taken back: {error}"), at),
        }
    }

    fn call_a_person(&mut self, tickets: &[Ticket], reason: &str, at: Timestamp) {
        for ticket in tickets {
            self.state.set_ticket_state(&ticket.id, TicketState::NeedsHuman, reason, at);
        }
    }
}
