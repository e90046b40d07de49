//! What somebody asks of the loop, carried out between two cycles.

use std::collections::BTreeMap;
use std::str::FromStr;

use operator_protocols::{Does, FaultClass, Locus, Timestamp, Value};
use serde_json::json;

use super::Engine;
use super::propose::{Judged, Wanted};
use crate::policy::Autonomy;
use crate::proposal::RuleVerdict;
use crate::recorder::Record;
use crate::store::ExecutionFilter;
use crate::{
    Actor, Approval, AuditEvent, Command, CommandError, Decision, Execution, ExecutionState, Identity, Principal, Role,
    Ticket, TicketState,
};

impl Engine {
    /// Carries out what `who` asks. Gives what to tell them.
    ///
    /// # Errors
    /// When they may not ask for it, it names what does not exist, does not fit the state, or cannot be written.
    pub async fn command(&mut self, who: &Principal, command: Command, at: Timestamp) -> Result<String, CommandError> {
        let needs = command.required_role();
        if !who.may(needs) || who.identity == Identity::Operator {
            return Err(CommandError::Forbidden { who: who.name.clone(), has: who.role, needs });
        }
        if self.stale {
            self.read_again().await;
        }
        self.record(&Record::Command { at, principal: who.clone(), command: command.clone() });
        let told = self.carry_out_command(who, command, at).await?;
        if !self.commit().await {
            let why = self.trouble.get("store").cloned().unwrap_or_else(|| "it is not this process's".to_owned());
            self.stale = true;
            return Err(CommandError::store(why));
        }
        self.publish(at);
        Ok(told)
    }

    async fn carry_out_command(
        &mut self,
        who: &Principal,
        command: Command,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        match command {
            Command::Acknowledge { ticket } => self.change_ticket(who, &ticket, at, "ticket.acknowledged", |ticket| {
                ticket.acknowledged_by = Some(who.name.clone());
            }),
            Command::Hold { ticket, hold } => self.hold(who, &ticket, hold, at),
            Command::Resolve { ticket, reason } => self.resolve(who, &ticket, &reason, at),
            Command::HandBack { ticket, reason } => self.hand_back(who, &ticket, &reason, at),
            Command::Decide { intent, bind_hash, approve, reason } => {
                self.decide(who, &intent, &bind_hash, approve, reason, at).await
            }
            Command::Cancel { intent, reason } => self.cancel(who, &intent, &reason, at),
            Command::Settle { intent, happened, reason } => self.settle(who, &intent, happened, &reason, at),
            Command::Plan { action, target, params } => {
                let judged = self.judge_request(who, action, target, params, at).await?;
                Ok(plan_text(&judged))
            }
            Command::PlanIncident { incident } => self.plan_incident(&incident, at).await,
            Command::Request { action, target, params, reason } => {
                self.request(who, action, target, params, &reason, at).await
            }
            Command::SetMode { mode, reason } => self.set_mode(who, &mode, &reason, at),
            Command::Diagnose { incident } => self.diagnose_again(&incident, at).await,
        }
    }

    fn by(who: &Principal, at: Timestamp, kind: &str, reference: &str, body: serde_json::Value) -> AuditEvent {
        AuditEvent {
            at,
            actor: Actor::Principal(who.clone()),
            kind: kind.to_owned(),
            reference: reference.to_owned(),
            body,
        }
    }

    /// The ticket of that id, or of that id's end (`T1`).
    fn ticket(&self, id: &str) -> Result<Ticket, CommandError> {
        let matches = |ticket: &&Ticket| ticket.id == id || ticket.id.ends_with(&format!("-{id}"));
        self.state.tickets.values().find(matches).cloned().ok_or_else(|| CommandError::NotFound {
            what: format!("ticket {id}"),
            why: "no such ticket is open or was lately".to_owned(),
        })
    }

    /// The execution of that id, or of that part of an id (`A1`).
    fn execution(&self, id: &str) -> Result<Execution, CommandError> {
        let matches = |execution: &&Execution| {
            let full = &execution.proposal.id;
            full == id || full.contains(&format!("-{id}-"))
        };
        self.state.executions.values().find(matches).cloned().ok_or_else(|| CommandError::NotFound {
            what: format!("action {id}"),
            why: "no such action is waiting, under way or was lately".to_owned(),
        })
    }

    fn change_ticket(
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

    fn hold(&mut self, who: &Principal, id: &str, hold: bool, at: Timestamp) -> Result<String, CommandError> {
        let kind = if hold { "ticket.hold" } else { "ticket.released" };
        let told = self.change_ticket(who, id, at, kind, |ticket| ticket.hold = hold)?;
        let ticket = self.ticket(id)?;
        let untouched = ticket.state != TicketState::Resolved && ticket.state != TicketState::Contained;
        if !hold && ticket.cleared && untouched {
            self.state.set_ticket_state(&ticket.id, TicketState::Resolved, "released, and its violation is over", at);
        }
        Ok(told)
    }

    fn resolve(&mut self, who: &Principal, id: &str, reason: &str, at: Timestamp) -> Result<String, CommandError> {
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

    fn hand_back(&mut self, who: &Principal, id: &str, reason: &str, at: Timestamp) -> Result<String, CommandError> {
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

    async fn decide(
        &mut self,
        who: &Principal,
        intent: &str,
        bind_hash: &str,
        approve: bool,
        reason: String,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let execution = self.execution(intent)?;
        let id = execution.proposal.id.clone();
        if execution.state != ExecutionState::AwaitingApproval {
            return Err(CommandError::refused(format!("{id} is {}, not waiting for approval", execution.state)));
        }
        if execution.bind_hash != bind_hash {
            return Err(CommandError::refused(format!(
                "{id} has the hash {}, the decision is on {bind_hash}: look at it again",
                execution.bind_hash
            )));
        }
        if !self.settings.approvers.contains(&who.name) {
            return Err(CommandError::Forbidden { who: who.name.clone(), has: who.role, needs: Role::Approver });
        }
        if !self.commit().await {
            return Err(CommandError::store("what changed before could not be written".to_owned()));
        }
        let decision = if approve { Decision::Approve } else { Decision::Reject };
        let kind = if approve { "action.approved" } else { "action.rejected" };
        let event = Self::by(who, at, kind, &id, json!({ "by": who.name, "reason": reason, "bind_hash": bind_hash }));
        let approval = Approval {
            intent: id.clone(),
            approver: who.clone(),
            bind_hash: bind_hash.to_owned(),
            decision,
            reason: reason.clone(),
            at,
            expires_at: execution.proposal.expires_at,
        };
        self.store.decide(self.epoch, approval, event.clone()).await.map_err(CommandError::store)?;
        self.tell(event);
        self.read_execution(&id).await?;
        let execution = self.execution(&id)?;
        if !approve {
            let reason = format!("{} rejected it: {reason}", who.name);
            self.end_unsent(&execution, ExecutionState::Cancelled, &reason, at);
            return Ok(format!("{id} is rejected"));
        }
        let decisions = self.store.approvals(&id).await.map_err(CommandError::store)?;
        let approvers: Vec<_> = decisions
            .iter()
            .filter(|approval| approval.decision == Decision::Approve && approval.bind_hash == execution.bind_hash)
            .filter(|approval| self.settings.approvers.contains(&approval.approver.name))
            .map(|approval| approval.approver.name.clone())
            .collect();
        let proposal = &execution.proposal;
        if !Self::enough_approvals(proposal.risk, &approvers, &proposal.requested_by) {
            return Ok(format!("{id} is approved by {}; {} are needed", approvers.join(", "), execution.quorum));
        }
        let mut approved = execution.clone();
        approved.state = ExecutionState::Approved;
        approved.state_reason = format!("approved by {}", approvers.join(", "));
        approved.updated_at = at;
        self.state.put_execution(approved);
        Ok(format!("{id} is approved and will be carried out in the next cycle"))
    }

    /// Takes the stored row of an execution into memory.
    async fn read_execution(&mut self, id: &str) -> Result<(), CommandError> {
        let filter = ExecutionFilter { id: Some(id.to_owned()), ..ExecutionFilter::default() };
        let stored = self.store.executions(&filter).await.map_err(CommandError::store)?;
        for execution in stored.into_iter().filter(|execution| execution.proposal.id == id) {
            self.state.set_stored_execution(execution);
        }
        Ok(())
    }

    fn cancel(&mut self, who: &Principal, intent: &str, reason: &str, at: Timestamp) -> Result<String, CommandError> {
        let execution = self.execution(intent)?;
        let id = execution.proposal.id.clone();
        if !execution.state.may_become(ExecutionState::Cancelled) || execution.state.holds_slot() {
            return Err(CommandError::refused(format!("{id} is {} and cannot be called off", execution.state)));
        }
        self.end_unsent(&execution, ExecutionState::Cancelled, &format!("{}: {reason}", who.name), at);
        for ticket in &execution.proposal.tickets {
            let reason = format!("{} called {} off: {reason}", who.name, execution.proposal.action);
            self.state.set_ticket_state(ticket, TicketState::NeedsHuman, &reason, at);
        }
        Ok(format!("{id} is cancelled"))
    }

    fn settle(
        &mut self,
        who: &Principal,
        intent: &str,
        happened: bool,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let execution = self.execution(intent)?;
        let id = execution.proposal.id.clone();
        if execution.state != ExecutionState::Unsettled {
            return Err(CommandError::refused(format!("{id} is {}, not unsettled", execution.state)));
        }
        let mut settled = execution.clone();
        settled.state = ExecutionState::SettledByHuman;
        let word = if happened { "it happened" } else { "it did not happen" };
        settled.state_reason = format!("{}: {word}: {reason}", who.name);
        settled.updated_at = at;
        self.state.put_execution(settled);
        let body = json!({ "happened": happened, "reason": reason });
        self.state.audit(Self::by(who, at, "action.settled", &id, body));
        if happened {
            self.remember_tried(&execution.proposal);
        }
        self.start_over(&execution.proposal);
        for ticket in &execution.proposal.tickets {
            let to = match self.state.tickets.get(ticket) {
                Some(ticket) if ticket.cleared && !ticket.hold => TicketState::Resolved,
                _ => TicketState::Diagnosed,
            };
            self.state.set_ticket_state(ticket, to, &format!("{} settled {id}: {word}", who.name), at);
        }
        Ok(format!("{id} is settled: {word}"))
    }

    async fn judge_request(
        &mut self,
        who: &Principal,
        action: String,
        target: Locus,
        params: BTreeMap<String, Value>,
        at: Timestamp,
    ) -> Result<Judged, CommandError> {
        let wanted = Wanted {
            action,
            target,
            params,
            remedies: FaultClass::Unknown,
            does: Does::Cures,
            incident: None,
            tickets: Vec::new(),
            requested_by: who.name.clone(),
            undo_of: None,
            probability: None,
            confirmations: None,
        };
        self.judge_wanted(&wanted, at).await
    }

    async fn request(
        &mut self,
        who: &Principal,
        action: String,
        target: Locus,
        params: BTreeMap<String, Value>,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, CommandError> {
        let judged = self.judge_request(who, action, target, params, at).await?;
        if judged.verdict == RuleVerdict::Deny {
            return Err(CommandError::refused(plan_text(&judged)));
        }
        let text = plan_text(&judged);
        let id = self.adopt(judged, at);
        self.state.audit(Self::by(who, at, "action.requested", &id, json!({ "reason": reason })));
        Ok(format!("{id} is proposed\n{text}"))
    }

    /// What would be done about an incident, and what every rule says of it.
    async fn plan_incident(&mut self, incident: &str, at: Timestamp) -> Result<String, CommandError> {
        let id = self.incident_id(incident)?;
        let Some((_, diagnosis)) = self.state.diagnoses.get(&id).cloned() else {
            return Err(CommandError::refused(format!("{id} has no diagnosis yet")));
        };
        let confirmations = self.state.incidents.get(&id).map(|row| row.confirmations);
        let mut plans = Vec::new();
        for candidate in &diagnosis.recommended_actions {
            let wanted = Wanted {
                action: candidate.action.clone(),
                target: candidate.target.clone(),
                params: candidate.params.clone(),
                remedies: candidate.remedies,
                does: candidate.does,
                incident: Some(id.clone()),
                tickets: Vec::new(),
                requested_by: "operator".to_owned(),
                undo_of: None,
                probability: Some(diagnosis.primary.probability),
                confirmations,
            };
            plans.push(match self.judge_wanted(&wanted, at).await {
                Ok(judged) => plan_text(&judged),
                Err(error) => format!("{} on {}: {error}", wanted.action, wanted.target),
            });
        }
        if plans.is_empty() {
            return Ok(format!("{id}: {}", diagnosis.recommended_action));
        }
        Ok(plans.join("\n"))
    }

    fn incident_id(&self, id: &str) -> Result<String, CommandError> {
        let matches = |known: &&String| known.as_str() == id || known.ends_with(&format!("-{id}"));
        self.state.incidents.keys().find(matches).cloned().ok_or_else(|| CommandError::NotFound {
            what: format!("incident {id}"),
            why: "no such incident is open or was lately".to_owned(),
        })
    }

    fn set_mode(&mut self, who: &Principal, mode: &str, reason: &str, at: Timestamp) -> Result<String, CommandError> {
        let level = Autonomy::from_str(mode).map_err(|why| CommandError::Invalid { field: "mode".to_owned(), why })?;
        let policy = &mut self.settings.policy;
        (policy.low_risk, policy.medium_risk, policy.high_risk) = (level, level, level);
        policy.actions.clear();
        self.policy_revision = policy.revision();
        let subject = self.state.subject.clone();
        let body = json!({ "mode": level, "reason": reason, "policy_revision": self.policy_revision });
        self.state.audit(Self::by(who, at, "mode.set", &subject, body));
        Ok(format!("{subject} is at {level}"))
    }

    async fn diagnose_again(&mut self, incident: &str, at: Timestamp) -> Result<String, CommandError> {
        let id = self.incident_id(incident)?;
        self.explain_incident(&id, at).await;
        let Some((_, diagnosis)) = self.state.diagnoses.get(&id) else {
            return Err(CommandError::refused(format!("{id} could not be explained")));
        };
        let primary = &diagnosis.primary;
        Ok(format!("{id}: {} ({} at {})", primary.statement, primary.class, primary.locus))
    }
}

/// What would be done, and what every rule says of it.
fn plan_text(judged: &Judged) -> String {
    use std::fmt::Write as _;
    let proposal = &judged.proposal;
    let mut text = format!("{} on {}: {}", proposal.action, proposal.target, judged.verdict);
    for (name, value) in &proposal.params {
        let _ = write!(text, "\n  {name} = {value}");
    }
    for rule in &proposal.rules {
        let _ = write!(text, "\n  {:<22} {:<14} {}", rule.rule, rule.verdict, rule.because);
    }
    text
}
