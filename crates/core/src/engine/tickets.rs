//! From violations to tickets, and from tickets to incidents.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Dependency, Id, Locus, Observation, Timestamp};
use serde_json::json;

use super::grace::GraceOutcome;
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
    let parts = ConnectedParts::of(&now.dependencies);
    for fingerprint in outcome.due {
        open(state, &fingerprint, now, &parts, settings);
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

fn open(state: &mut State, fingerprint: &str, now: &Observation, parts: &ConnectedParts, settings: &EngineSettings) {
    let at = now.at;
    let Some(violation) = state.violations.get(fingerprint).cloned() else { return };
    let id = match again(state, &violation, at, settings) {
        Some(id) => id,
        None => open_new(state, &violation, now, parts, settings),
    };
    state.put_violation(Violation { ticket: Some(id), ..violation });
}

/// A ticket of the same violation that is not resolved, or was lately: it is the same story again.
fn again(state: &mut State, violation: &Violation, at: Timestamp, settings: &EngineSettings) -> Option<String> {
    let mut ticket = state
        .tickets
        .values()
        .filter(|ticket| ticket.invariant == violation.invariant && ticket.on == violation.on)
        .filter(|ticket| ticket.resolved_at.is_none_or(|when| at.since(when) <= settings.reopen_within))
        .max_by_key(|ticket| ticket.opened_at)?
        .clone();
    ticket.finding = violation.finding.clone();
    ticket.last_seen = at;
    ticket.cleared = false;
    ticket.occurrences += 1;
    let (id, incident, occurrences) = (ticket.id.clone(), ticket.incident.clone(), ticket.occurrences);
    let was_resolved = ticket.state == TicketState::Resolved;
    state.put_ticket(ticket);
    let body = json!({ "occurrences": occurrences, "message": violation.finding.message });
    state.audit(AuditEvent::by_operator(at, "ticket.reopened", &id, body));
    if was_resolved {
        state.set_ticket_state(&id, TicketState::Open, "its violation came back", at);
        if let Some(mut incident) = state.incidents.get(&incident).cloned() {
            incident.closed_at = None;
            incident.confirmations = 0;
            state.put_incident(incident);
        }
    }
    Some(id)
}

fn open_new(
    state: &mut State,
    violation: &Violation,
    now: &Observation,
    parts: &ConnectedParts,
    settings: &EngineSettings,
) -> String {
    let at = now.at;
    let incident = match open_incident_for(state, violation, at, parts, settings) {
        Some(incident) => incident,
        None => {
            let id = state.next_incident_id();
            state.audit(AuditEvent::by_operator(at, "incident.opened", &id, json!({})));
            Incident {
                id,
                subject: state.subject.clone(),
                opened_at: at,
                closed_at: None,
                tickets: Vec::new(),
                diagnosis: None,
                confirmations: 0,
                tried: Vec::new(),
            }
        }
    };
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
        incident: incident.id.clone(),
        hold: false,
        acknowledged_by: None,
        cleared: false,
    });
    let body = json!({
        "invariant": violation.invariant,
        "on": violation.on,
        "severity": violation.severity,
        "message": violation.finding.message,
        "incident": incident.id,
        "first_seen": violation.first_seen,
    });
    state.audit(AuditEvent::by_operator(at, "ticket.opened", &id, body));
    let mut incident = incident;
    incident.tickets.push(id.clone());
    // What was confirmed of the story so far was confirmed without this.
    incident.confirmations = 0;
    state.put_incident(incident);
    id
}

/// The open incident that a violation belongs to: one whose tickets began within the window, on loci that depend on
/// each other.
fn open_incident_for(
    state: &State,
    violation: &Violation,
    at: Timestamp,
    parts: &ConnectedParts,
    settings: &EngineSettings,
) -> Option<Incident> {
    let mine = parts.of_violation(&violation.on, &violation.finding);
    state.open_incidents().into_iter().find_map(|id| {
        let tickets = state.tickets_of(&id);
        let near = tickets.iter().any(|ticket| {
            at.since(ticket.opened_at) <= settings.incident_window
                && Touching::meet(&mine, &parts.of_violation(&ticket.on, &ticket.finding))
        });
        near.then(|| state.incidents.get(&id).cloned()).flatten()
    })
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

/// Closes incidents whose tickets are all resolved.
pub(crate) fn close_incidents(state: &mut State, at: Timestamp) {
    for id in state.open_incidents() {
        let tickets = state.tickets_of(&id);
        if tickets.iter().all(|ticket| ticket.state == TicketState::Resolved) {
            let Some(mut incident) = state.incidents.get(&id).cloned() else { continue };
            incident.closed_at = Some(at);
            // What was tried helped, or was not needed: if the story begins again, it may be tried again.
            incident.tried.clear();
            state.put_incident(incident);
            state.audit(AuditEvent::by_operator(at, "incident.closed", &id, json!({ "tickets": tickets.len() })));
        }
    }
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
    fn meet(a: &Self, b: &Self) -> bool {
        match (a, b) {
            (Self::Parts(a), Self::Parts(b)) => !a.is_disjoint(b),
            _ => true,
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
