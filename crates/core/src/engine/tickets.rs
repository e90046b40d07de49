//! From violations to tickets, and from tickets to incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use operator_protocols::{Dependency, Id, Locus, Observation, Timestamp};
use serde_json::json;

use super::grace::GraceOutcome;
use super::question::Question;
use super::settings::EngineSettings;
use super::state::State;
use crate::{AuditEvent, Incident, MetricSnapshot, Ticket, TicketState, Violation};

/// The most numbers a ticket keeps of the time it was opened.
const SNAPSHOT_SIGNALS: usize = 50;

/// Applies one cycle's outcome: violations are kept, tickets opened, reopened, refreshed and cleared.
pub(crate) fn apply(state: &mut State, outcome: GraceOutcome, now: &Observation, settings: &EngineSettings) {
    let at = now.at;
    for violation in outcome.changed {
        refresh(state, &violation);
        state.put_violation(violation);
    }
    if !outcome.due.is_empty() {
        let mut opening = Opening::of(state, now, settings);
        for fingerprint in outcome.due {
            opening.open(state, &fingerprint, now);
        }
    }
    for (fingerprint, why) in outcome.over {
        if let Some(ticket) = state.end_violation(&fingerprint).and_then(|violation| violation.ticket) {
            clear(state, &ticket, why, at);
        }
    }
}

/// Carries what was judged over to the violation's ticket.
fn refresh(state: &mut State, violation: &Violation) {
    let Some(ticket) = violation.ticket.as_ref().and_then(|id| state.tickets.get(id)) else { return };
    if violation.ok_since.is_some() {
        return;
    }
    // The numbers move with every cycle; the row is written when what it says to people changes.
    if ticket.finding.message != violation.finding.message || ticket.cleared {
        let mut ticket = ticket.clone();
        ticket.finding = violation.finding.clone();
        ticket.last_seen = violation.last_seen;
        ticket.cleared = false;
        state.put_ticket(ticket);
    }
}

/// What one cycle's openings have in common, looked up once: ten thousand may be due at the same time.
struct Opening {
    parts: ConnectedParts,
    /// The latest ticket of each fingerprint that is open or was lately.
    again: BTreeMap<String, String>,
    /// The open incidents whose tickets began within the window, oldest first, with what those touch.
    incidents: Vec<(String, Touching)>,
}

impl Opening {
    fn of(state: &State, now: &Observation, settings: &EngineSettings) -> Self {
        let parts = ConnectedParts::of(&now.dependencies);
        let mut again: BTreeMap<String, &Ticket> = BTreeMap::new();
        for ticket in state.tickets.values() {
            let lately = ticket.resolved_at.is_none_or(|when| now.at.since(when) <= settings.reopen_within);
            let key = crate::violation::fingerprint(&ticket.invariant, &ticket.on);
            if lately && again.get(&key).is_none_or(|other| other.opened_at <= ticket.opened_at) {
                again.insert(key, ticket);
            }
        }
        let again = again.into_iter().map(|(key, ticket)| (key, ticket.id.clone())).collect();
        let mut incidents = Vec::new();
        for id in state.open_incidents() {
            let recent = state.incidents[&id]
                .tickets
                .iter()
                .filter_map(|id| state.tickets.get(id))
                .filter(|ticket| now.at.since(ticket.opened_at) <= settings.incident_window)
                .map(|ticket| parts.of_violation(&ticket.on, &ticket.finding));
            if let Some(touching) = recent.reduce(Touching::join) {
                incidents.push((id, touching));
            }
        }
        Self { parts, again, incidents }
    }

    fn open(&mut self, state: &mut State, fingerprint: &str, now: &Observation) {
        let Some(violation) = state.violations.get(fingerprint).cloned() else { return };
        let id = match self.again.get(fingerprint).cloned() {
            Some(id) => {
                reopen(state, &id, &violation, now.at);
                id
            }
            None => self.open_new(state, &violation, now),
        };
        state.put_violation(Violation { ticket: Some(id), ..violation });
    }

    fn open_new(&mut self, state: &mut State, violation: &Violation, now: &Observation) -> String {
        let incident = self.incident_for(state, violation, now.at);
        let id = open_ticket(state, violation, &incident, now);
        // What was confirmed of the story so far was confirmed without this.
        state.change_incident(&incident, |incident| {
            incident.tickets.push(id.clone());
            incident.confirmations = 0;
        });
        id
    }

    /// The open incident that a violation belongs to: one whose tickets began within the window, on loci that depend on
    /// each other; a new one, if there is none.
    fn incident_for(&mut self, state: &mut State, violation: &Violation, at: Timestamp) -> String {
        let touched = self.parts.of_violation(&violation.on, &violation.finding);
        if let Some((id, touching)) = self.incidents.iter_mut().find(|(_, touching)| touching.meets(&touched)) {
            let before = std::mem::replace(touching, Touching::Everything);
            *touching = before.join(touched);
            return id.clone();
        }
        let id = state.next_incident_id();
        state.audit(AuditEvent::by_operator(at, "incident.opened", &id, json!({})));
        state.put_incident(Incident {
            id: id.clone(),
            subject: state.subject.clone(),
            opened_at: at,
            closed_at: None,
            tickets: Vec::new(),
            diagnosis: None,
            confirmations: 0,
            tried: Vec::new(),
        });
        self.incidents.push((id.clone(), touched));
        id
    }
}

/// A ticket of the same violation that is not resolved, or was lately: it is the same story again.
fn reopen(state: &mut State, id: &str, violation: &Violation, at: Timestamp) {
    let Some(mut ticket) = state.tickets.get(id).cloned() else { return };
    ticket.finding = violation.finding.clone();
    ticket.last_seen = at;
    ticket.cleared = false;
    ticket.occurrences += 1;
    let (incident, occurrences) = (ticket.incident.clone(), ticket.occurrences);
    let was_resolved = ticket.state == TicketState::Resolved;
    state.put_ticket(ticket);
    let body = json!({ "occurrences": occurrences, "message": violation.finding.message });
    state.audit(AuditEvent::by_operator(at, "ticket.reopened", id, body));
    if was_resolved {
        state.set_ticket_state(id, TicketState::Open, "its violation came back", at);
        state.change_incident(&incident, |incident| {
            incident.closed_at = None;
            incident.confirmations = 0;
        });
    }
}

fn open_ticket(state: &mut State, violation: &Violation, incident: &str, now: &Observation) -> String {
    let at = now.at;
    let id = state.next_ticket_id();
    let snapshot = now
        .signals
        .iter()
        .filter(|signal| signal.on == violation.on)
        .take(SNAPSHOT_SIGNALS)
        .map(|signal| MetricSnapshot {
            on: signal.on.clone(),
            signal: signal.name.clone(),
            value: signal.value,
            unit: signal.unit.clone(),
        })
        .collect();
    state.put_ticket(Ticket {
        id: id.clone(),
        subject: state.subject.clone(),
        invariant: violation.invariant.clone(),
        on: violation.on.clone(),
        severity: violation.severity,
        state: TicketState::Open,
        state_reason: "its grace period is over".to_owned(),
        finding: violation.finding.clone(),
        first_seen: violation.first_seen,
        last_seen: violation.last_seen,
        opened_at: at,
        resolved_at: None,
        occurrences: 1,
        snapshot,
        incident: incident.to_owned(),
        hold: false,
        acknowledged_by: None,
        cleared: false,
    });
    let body = json!({
        "invariant": violation.invariant,
        "on": violation.on,
        "severity": violation.severity,
        "message": violation.finding.message,
        "incident": incident,
        "first_seen": violation.first_seen,
    });
    state.audit(AuditEvent::by_operator(at, "ticket.opened", &id, body));
    id
}

fn clear(state: &mut State, id: &str, why: &str, at: Timestamp) {
    let Some(mut ticket) = state.tickets.get(id).cloned() else { return };
    ticket.cleared = true;
    let (ticket_state, hold) = (ticket.state, ticket.hold);
    state.put_ticket(ticket);
    state.audit(AuditEvent::by_operator(at, "ticket.cleared", id, json!({ "why": why })));
    let untouched = matches!(ticket_state, TicketState::Open | TicketState::Diagnosed | TicketState::NeedsHuman);
    if untouched && !hold {
        state.set_ticket_state(id, TicketState::Resolved, why, at);
    }
}

/// Closes incidents whose tickets are all resolved. Gives them with what was last asked about them.
pub(crate) fn close_incidents(state: &mut State, at: Timestamp) -> Vec<(String, Option<Arc<Question>>)> {
    let mut closed = Vec::new();
    for id in state.open_incidents() {
        let tickets = state.tickets_of(&id);
        if tickets.iter().all(|ticket| ticket.state == TicketState::Resolved) {
            let Some(mut incident) = state.incidents.get(&id).cloned() else { continue };
            incident.closed_at = Some(at);
            // What was tried helped, or was not needed: if the story begins again, it may be tried again.
            incident.tried.clear();
            state.put_incident(incident);
            let asked = state.questions.remove(&id);
            state.audit(AuditEvent::by_operator(at, "incident.closed", &id, json!({ "tickets": tickets.len() })));
            closed.push((id, asked));
        }
    }
    closed
}

/// Which components hang together by dependencies.
pub(crate) struct ConnectedParts(BTreeMap<Id, usize>);

/// Which parts something touches.
enum Touching {
    /// What belongs to no component in particular touches everything.
    Everything,
    Parts(BTreeSet<usize>),
}

impl Touching {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Parts(mine), Self::Parts(others)) => !mine.is_disjoint(others),
            _ => true,
        }
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Parts(mut mine), Self::Parts(others)) => {
                mine.extend(others);
                Self::Parts(mine)
            }
            _ => Self::Everything,
        }
    }
}

impl ConnectedParts {
    pub(crate) fn of(dependencies: &[Dependency]) -> Self {
        let mut neighbours: BTreeMap<&Id, Vec<&Id>> = BTreeMap::new();
        for dependency in dependencies {
            neighbours.entry(&dependency.from).or_default().push(&dependency.to);
            neighbours.entry(&dependency.to).or_default().push(&dependency.from);
        }
        let mut parts = BTreeMap::new();
        for (part, &start) in neighbours.keys().enumerate() {
            let mut pending = vec![start];
            while let Some(id) = pending.pop() {
                if parts.contains_key(id) {
                    continue;
                }
                parts.insert(id.clone(), part);
                pending.extend(&neighbours[id]);
            }
        }
        Self(parts)
    }

    fn of_violation(&self, on: &Locus, finding: &operator_protocols::Finding) -> Touching {
        let mut loci = vec![on];
        loci.extend(&finding.involves);
        for discrepancy in &finding.discrepancies {
            loci.push(&discrepancy.held_by);
            loci.extend(&discrepancy.claimed_by);
        }
        let components: Vec<_> = loci.into_iter().flat_map(Locus::components).collect();
        if components.is_empty() {
            return Touching::Everything;
        }
        // A component without a dependency is a part of its own, told apart from the others by a number past theirs.
        let alone = self.0.len();
        Touching::Parts(
            components
                .into_iter()
                .map(|id| self.0.get(id).copied().unwrap_or_else(|| alone + stable_number(&id.local)))
                .collect(),
        )
    }
}

/// A number for a name, the same every time.
fn stable_number(name: &str) -> usize {
    name.bytes().fold(5381, |hash: usize, byte| hash.wrapping_mul(33).wrapping_add(usize::from(byte)) % (1 << 40))
}
