//! From a diagnosis to a proposal: the first candidate whose guard holds and which the policy lets through.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{
    ActionDefinition, ActionRequest, Does, FaultClass, Holds, Id, Locus, Observation, ParamSource, Timestamp, Value,
};
use operator_reasoner::{Diagnosis, RecommendedAction, rfc3339};
use serde_json::json;

use super::Engine;
use crate::policy::{PolicyFacts, PolicySettings, judge};
use crate::proposal::{Proposal, RuleOutcome, RuleVerdict};
use crate::{AuditEvent, CommandError, Execution, ExecutionState, TicketState, canonical_json, sha256_hex};

/// The longest a proposal may wait, whatever is configured.
const LONGEST_EXPIRY: std::time::Duration = std::time::Duration::from_secs(3600);

/// An action that somebody or something wants, before any rule has seen it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub action: String,
    pub target: Locus,
    pub params: BTreeMap<String, Value>,
    pub remedies: FaultClass,
    pub does: Does,
    pub incident: Option<String>,
    pub tickets: Vec<String>,
    pub requested_by: String,
    pub undo_of: Option<String>,
    /// Of the diagnosis it follows from.
    pub probability: Option<f64>,
    pub confirmations: Option<u32>,
    /// The cause is one that somebody's answer names, and the evidence alone does not.
    pub redirected: bool,
}

/// A proposal with what the rules say of it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The proposal.
    pub proposal: Proposal,
    /// The gravest verdict.
    pub verdict: RuleVerdict,
}

impl Engine {
    /// Proposes for every incident that waits for something to be done.
    pub(super) async fn propose(&mut self, at: Timestamp) {
        for incident in self.state.open_incidents() {
            let waiting: Vec<_> = self
                .state
                .tickets_of(&incident)
                .into_iter()
                .filter(|ticket| ticket.state == TicketState::Diagnosed && !ticket.cleared && !ticket.hold)
                .map(|ticket| ticket.id)
                .collect();
            let busy = self.state.executions_of(&incident).any(|execution| !execution.state.terminal());
            if !waiting.is_empty() && !busy {
                self.propose_for(&incident, &waiting, at).await;
            }
        }
    }

    async fn propose_for(&mut self, incident: &str, waiting: &[String], at: Timestamp) {
        let Some((_, diagnosis)) = self.state.diagnoses.get(incident).cloned() else { return };
        let Some(row) = self.state.incidents.get(incident).cloned() else { return };
        if let Some(until) = self.waits_until(incident) {
            self.say(waiting, &format!("waits for the agent's answer until {}", rfc3339(until)), at);
            return;
        }
        if !diagnosis.abstained() && row.confirmations < self.settings.policy.confirmations {
            self.say(waiting, "the cause is to be confirmed by another look", at);
            return;
        }
        let candidates = self.candidates(&diagnosis);
        let mut why_not = Vec::new();
        let watched = self
            .state
            .tickets_of(incident)
            .iter()
            .any(|ticket| matches!(ticket.state, TicketState::Verifying | TicketState::Contained));
        for candidate in &candidates {
            // A ticket that joined after it was sent waits for what comes of it, like those it was sent for.
            if watched && row.tried.last() == Some(&tried_as(&candidate.action, &candidate.target)) {
                let doing = format!("{} on {}", candidate.action, candidate.target);
                self.say(waiting, &format!("{doing} was done for this incident already, and is being watched"), at);
                return;
            }
            let wanted = Wanted {
                action: candidate.action.clone(),
                target: candidate.target.clone(),
                params: candidate.params.clone(),
                remedies: candidate.remedies,
                does: candidate.does,
                incident: Some(incident.to_owned()),
                tickets: waiting.to_vec(),
                requested_by: "operator".to_owned(),
                undo_of: None,
                probability: Some(diagnosis.primary.probability),
                confirmations: Some(row.confirmations),
                redirected: self.state.questions.get(incident).is_some_and(|question| question.redirected()),
            };
            match self.judge_wanted(&wanted, at).await {
                Ok(judged) if judged.verdict == RuleVerdict::Deny => {
                    why_not.push(format!("{} on {}: {}", wanted.action, wanted.target, denied(&judged.proposal.rules)));
                }
                Ok(judged) => {
                    self.adopt(judged, at);
                    return;
                }
                Err(error) => why_not.push(format!("{} on {}: {error}", wanted.action, wanted.target)),
            }
        }
        self.nothing_to_do(incident, waiting, &candidates, &why_not, at);
    }

    /// What a diagnosis recommends, as it recommends it, without what needs a driver or a parameter that is not there.
    fn candidates(&self, diagnosis: &Diagnosis) -> Vec<RecommendedAction> {
        if diagnosis.abstained() { Vec::new() } else { diagnosis.recommended_actions.clone() }
    }

    fn nothing_to_do(
        &mut self,
        incident: &str,
        waiting: &[String],
        candidates: &[RecommendedAction],
        why_not: &[String],
        at: Timestamp,
    ) {
        let policy = &self.settings.policy;
        let only_looking = !candidates.is_empty()
            && candidates.iter().all(|candidate| {
                policy.autonomy_for(&candidate.action, candidate.risk) == crate::policy::Autonomy::Observe
            });
        let reason = if candidates.is_empty() {
            "no action is known to help: waiting and observing".to_owned()
        } else {
            why_not.join("; ")
        };
        let opened = self.state.incidents.get(incident).map_or(at, |incident| incident.opened_at);
        let tried = self.state.incidents.get(incident).is_some_and(|incident| !incident.tried.is_empty());
        // Something was tried and did not help, and nothing else may be tried: waiting longer will not help either.
        let out_of_ideas = tried && !candidates.is_empty();
        let waited = at.since(opened) >= self.settings.wait_before_human;
        if !only_looking && (out_of_ideas || waited) {
            for ticket in waiting {
                self.state.set_ticket_state(ticket, TicketState::NeedsHuman, &reason, at);
            }
        } else {
            self.say(waiting, &reason, at);
        }
    }

    fn say(&mut self, tickets: &[String], reason: &str, at: Timestamp) {
        for ticket in tickets {
            if let Some(state) = self.state.tickets.get(ticket).map(|ticket| ticket.state) {
                self.state.set_ticket_state(ticket, state, reason, at);
            }
        }
    }

    /// Reads the guard and passes the wanted action through every rule. Changes nothing.
    pub(super) async fn judge_wanted(&mut self, wanted: &Wanted, at: Timestamp) -> Result<Judged, CommandError> {
        let definition = self
            .actions
            .iter()
            .find(|definition| definition.name == wanted.action)
            .cloned()
            .ok_or_else(|| self.no_such_action(&wanted.action))?;
        let observation = self.history.last().cloned();
        let kind = component_kind(observation.as_deref(), &wanted.target);
        if !definition.accepts(&wanted.target, kind.as_deref()) {
            return Err(CommandError::Invalid {
                field: "target".to_owned(),
                why: format!("{} cannot be aimed at {}", definition.name, wanted.target.to_text()),
            });
        }
        // The id is taken only when the proposal is adopted; what it will be is known.
        let id = format!("{}-A{}-{}", self.state.subject, self.state.counters.intents + 1, self.state.install_id);
        let params = fill_params(&definition, wanted, &self.settings.policy, &id)?;
        let request = ActionRequest {
            intent: id.clone(),
            action: definition.name.clone(),
            target: wanted.target.clone(),
            params,
        };
        let level = self.settings.policy.autonomy_for(&definition.name, definition.risk);
        let guard = if level == crate::policy::Autonomy::Observe {
            // Nothing will come of it: the system is not asked.
            operator_protocols::Guard { holds: Holds::Yes, incarnation: None, facts: BTreeMap::new(), as_of: at }
        } else {
            self.subject.guard(&request, at).await
        };
        let last_tried = wanted
            .incident
            .as_ref()
            .and_then(|incident| self.state.incidents.get(incident))
            .map(|incident| (incident.tried.last().cloned(), incident.tried.len() as u32))
            .unwrap_or_default();
        let facts = PolicyFacts {
            settings: &self.settings.policy,
            action: &definition.name,
            risk: definition.risk,
            class: definition.class,
            target: &wanted.target,
            ceiling: PolicySettings::ceiling(wanted.remedies, wanted.does),
            guard: &guard.holds,
            observed_at: observation.as_ref().map(|observation| observation.at),
            now: at,
            confirmations: wanted.confirmations,
            probability: wanted.probability,
            redirected: wanted.redirected,
            recent_failures: self.recent_failures(&definition.name, &wanted.target, at),
            same_as_last: wanted.undo_of.is_none()
                && last_tried.0.as_deref() == Some(&tried_as(&definition.name, &wanted.target)),
            tried: if wanted.undo_of.is_some() { 0 } else { last_tried.1 },
            killed: self.killed,
            requested_by_person: wanted.requested_by != "operator",
        };
        let (verdict, rules) = judge(&facts);
        let expires = self.settings.policy.proposal_expires.min(LONGEST_EXPIRY);
        let proposal = Proposal {
            id,
            subject: self.state.subject.clone(),
            incident: wanted.incident.clone(),
            tickets: wanted.tickets.clone(),
            diagnosis: wanted
                .incident
                .as_ref()
                .and_then(|incident| self.state.diagnoses.get(incident))
                .map(|(id, _)| id.clone()),
            action: definition.name.clone(),
            class: definition.class,
            risk: definition.risk,
            remedies: wanted.remedies,
            does: wanted.does,
            target: wanted.target.clone(),
            params: request.params,
            guard,
            observation_hash: observation
                .as_ref()
                .map(|observation| sha256_hex("operator/observation/1", &canonical_json(observation.as_ref())))
                .unwrap_or_default(),
            policy_revision: self.policy_revision.clone(),
            blast_radius: blast_radius(observation.as_deref(), &wanted.target),
            requested_by: wanted.requested_by.clone(),
            created_at: at,
            expires_at: at.plus(expires),
            undo_of: wanted.undo_of.clone(),
            rules,
        };
        Ok(Judged { proposal, verdict })
    }

    fn no_such_action(&self, action: &str) -> CommandError {
        let known: Vec<_> = self.actions.iter().map(|definition| definition.name.as_str()).collect();
        CommandError::NotFound {
            what: format!("action {action}"),
            why: format!("this subject offers {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") }),
        }
    }

    /// Makes a judged proposal an execution. Gives its id.
    pub(super) fn adopt(&mut self, judged: Judged, at: Timestamp) -> String {
        let Judged { mut proposal, verdict } = judged;
        proposal.id = self.state.next_intent_id();
        let (state, quorum, reason) = match verdict {
            RuleVerdict::Allow => (ExecutionState::Approved, 0, "the policy allows it"),
            RuleVerdict::NeedsApproval => {
                (ExecutionState::AwaitingApproval, PolicySettings::quorum(proposal.risk), "a person must approve it")
            }
            RuleVerdict::ProposeOnly | RuleVerdict::Deny => {
                (ExecutionState::Proposed, 0, "the policy lets it be shown only")
            }
        };
        let bind_hash = proposal.bind_hash();
        let body = json!({
            "action": proposal.action,
            "target": proposal.target,
            "params": proposal.params,
            "risk": proposal.risk,
            "class": proposal.class,
            "remedies": proposal.remedies,
            "does": proposal.does,
            "incident": proposal.incident,
            "diagnosis": proposal.diagnosis,
            "requested_by": proposal.requested_by,
            "undo_of": proposal.undo_of,
            "rules": proposal.rules,
            "state": state,
            "quorum": quorum,
            "bind_hash": bind_hash,
            "observation_hash": proposal.observation_hash,
            "policy_revision": proposal.policy_revision,
            "expires_at": proposal.expires_at,
        });
        let id = proposal.id.clone();
        self.state.audit(AuditEvent::by_operator(at, "action.proposed", &id, body));
        let doing = format!("{} on {} is {}", proposal.action, proposal.target, state);
        for ticket in proposal.tickets.clone() {
            self.state.set_ticket_state(&ticket, TicketState::Acting, &doing, at);
        }
        self.state.put_execution(Execution {
            proposal,
            bind_hash,
            state,
            state_reason: reason.to_owned(),
            quorum,
            approvals_revision: 0,
            attempt: 0,
            epoch: self.epoch,
            send_by: None,
            deadline: None,
            updated_at: at,
            done_at: None,
            version: 0,
        });
        id
    }
}

/// How an incident remembers what was tried.
pub(super) fn tried_as(action: &str, target: &Locus) -> String {
    format!("{action}@{}", target.to_text())
}

fn denied(rules: &[RuleOutcome]) -> String {
    let against: Vec<_> =
        rules.iter().filter(|rule| rule.verdict == RuleVerdict::Deny).map(|rule| rule.because.as_str()).collect();
    against.join(", ")
}

pub(super) fn component_kind(observation: Option<&Observation>, target: &Locus) -> Option<String> {
    match target {
        Locus::Component(id) => observation?.component(id).map(|component| component.kind.clone()),
        _ => None,
    }
}

/// Every parameter the action needs: those given, then those from where their definition says, then defaults.
fn fill_params(
    definition: &ActionDefinition,
    wanted: &Wanted,
    policy: &PolicySettings,
    intent: &str,
) -> Result<BTreeMap<String, Value>, CommandError> {
    let mut params = wanted.params.clone();
    for param in &definition.params {
        if params.contains_key(&param.name) {
            continue;
        }
        let value = match param.source {
            ParamSource::Locus => Some(Value::from(wanted.target.name())),
            ParamSource::IntentId => Some(Value::from(intent)),
            ParamSource::Policy => policy.param(definition, &param.name).cloned(),
            ParamSource::ChangeBefore => None,
        };
        if let Some(value) = value.or_else(|| param.default.clone()) {
            params.insert(param.name.clone(), value);
        }
    }
    definition.validate(&params).map_err(|error| CommandError::Invalid {
        why: format!("expected {}, given {}", error.expected, error.given),
        field: error.field,
    })?;
    Ok(params)
}

/// What an action on `target` may touch: itself, and for a component whoever depends on it and whatever it depends on,
/// with the links between.
fn blast_radius(observation: Option<&Observation>, target: &Locus) -> Vec<Locus> {
    let mut touched = BTreeSet::from([target.clone()]);
    if let (Locus::Component(id), Some(observation)) = (target, observation) {
        for dependency in &observation.dependencies {
            if &dependency.from == id || &dependency.to == id {
                touched.insert(Locus::Edge(dependency.from.clone(), dependency.to.clone()));
                let other: &Id = if &dependency.from == id { &dependency.to } else { &dependency.from };
                touched.insert(Locus::Component(other.clone()));
            }
        }
    }
    touched.into_iter().collect()
}
