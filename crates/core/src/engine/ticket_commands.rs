//! What somebody asks about a ticket.

use operator_protocols::Timestamp;
use serde_json::json;

use super::Engine;
use crate::{CommandError, Principal, Ticket, TicketState};

impl Engine {
    /// The ticket of that id, or of that id's end (`T1`).
    pub(super) fn ticket(&self, id: &str) -> Result<Ticket, CommandError> {
        let matches = |ticket: &&Ticket| ticket.id == id || ticket.id.ends_with(&format!("-{id}"));
        self.state.tickets.values().find(matches).cloned().ok_or_else(|| CommandError::NotFound {
            what: format!("ticket {id}"),
            why: "no such ticket is open or was lately".to_owned(),
        })
    }

    pub(super) fn change_ticket(
        &mut self,
        who: &Principal,
        id: &str,
        at: Timestamp,
        kind: &str,
        change: impl FnOnce(&mut Ticket),
    ) -> Result<String, CommandError> {
        let mut ticket = self.ticket(id)?;
        change(&mut ticket);
        let event = Self::by(who, at, kind, &ticket.id, json!({ "by": who.name }));
        let told = format!("{}: {}", ticket.id, kind.trim_start_matches("ticket."));
        self.state.audit(event);
        self.state.put_ticket(ticket);
        Ok(told)
    }

    pub(super) fn hold(
        &mut self,
        who: &Principal,
        id: &str,
        hold: bool,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let kind = if hold { "ticket.hold" } else { "ticket.released" };
        let told = self.change_ticket(who, id, at, kind, |ticket| ticket.hold = hold)?;
        let ticket = self.ticket(id)?;
        let untouched = ticket.state != TicketState::Resolved && ticket.state != TicketState::Contained;
        if !hold && ticket.cleared && untouched {
            self.state.set_ticket_state(&ticket.id, TicketState::Resolved, "released, and its violation is over", at);
        }
        Ok(told)
    }

    pub(super) fn resolve(
        &mut self,
        who: &Principal,
        id: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let ticket = self.ticket(id)?;
        if ticket.state == TicketState::Resolved {
            return Err(CommandError::refused(format!("{} is resolved already", ticket.id)));
        }
        let in_flight = self
            .state
            .executions
            .values()
            .any(|execution| execution.proposal.tickets.contains(&ticket.id) && execution.state.holds_slot());
        if in_flight {
            return Err(CommandError::refused(format!("an action for {} is under way", ticket.id)));
        }
        self.state.audit(Self::by(who, at, "ticket.resolved_by_hand", &ticket.id, json!({ "reason": reason })));
        self.state.set_ticket_state(&ticket.id, TicketState::Resolved, &format!("{}: {reason}", who.name), at);
        // A violation that is still there has lost its ticket: it opens one again when it is judged next.
        let standing: Vec<_> =
            self.state.violations.values().filter(|v| v.ticket.as_ref() == Some(&ticket.id)).cloned().collect();
        for violation in standing {
            self.state.put_violation(crate::Violation { ticket: None, ..violation });
        }
        Ok(format!("{} is resolved", ticket.id))
    }

    pub(super) fn hand_back(
        &mut self,
        who: &Principal,
        id: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let ticket = self.ticket(id)?;
        if ticket.state != TicketState::NeedsHuman {
            return Err(CommandError::refused(format!("{} is {}, not waiting for a person", ticket.id, ticket.state)));
        }
        self.state.audit(Self::by(who, at, "ticket.handed_back", &ticket.id, json!({ "reason": reason })));
        if let Some(mut incident) = self.state.incidents.get(&ticket.incident).cloned() {
            incident.tried.clear();
            incident.confirmations = 0;
            self.state.put_incident(incident);
        }
        let reason = format!("handed back by {}: {reason}", who.name);
        self.state.set_ticket_state(&ticket.id, TicketState::Diagnosed, &reason, at);
        Ok(format!("{} is the operator's again", ticket.id))
    }
}
