//! What somebody asks of the loop, carried out between two cycles.

use std::collections::BTreeMap;
use std::str::FromStr;

use operator_protocols::{Does, FaultClass, Locus, Timestamp, Value};
use operator_reasoner::rfc3339;
use serde_json::json;

use super::propose::{Judged, Wanted};
use super::{Engine, answer_bounds};
use crate::policy::Autonomy;
use crate::proposal::RuleVerdict;
use crate::recorder::Record;
use crate::{Actor, AuditEvent, Command, CommandError, Identity, MarkVerdict, Principal};

impl Engine {
    /// Carries out what `who` asks. Gives what to tell them.
    ///
    /// # Errors
    /// When they may not ask for it, it names what does not exist, does not fit the state, or cannot be written.
    pub async fn command(&mut self, who: &Principal, command: Command, at: Timestamp) -> Result<String, CommandError> {
        let needs = command.required_role();
        let answers = matches!(command, Command::Answer { .. } | Command::AnswerTooLarge { .. });
        let nobody = who.identity == Identity::Operator || (who.identity == Identity::Agent && !answers);
        if !who.may(needs) || nobody {
            return Err(CommandError::Forbidden { who: who.name.clone(), has: who.role, needs });
        }
        if self.stale {
            self.read_again().await;
        }
        // What is recorded is what is judged: a replay meets the same.
        let command = answer_bounds::bounded(command);
        self.record(&Record::Command { at, principal: who.clone(), command: command.clone() });
        // That an answer was refused is written with the next cycle: whoever hands in thousands costs no more than one.
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
            Command::Mark { ticket, wrong, cause, note } => {
                let verdict = if wrong { MarkVerdict::Wrong } else { MarkVerdict::Right };
                self.mark(who, &ticket, verdict, cause, &note, at)
            }
            Command::Unmark { ticket, note } => self.mark(who, &ticket, MarkVerdict::Withdrawn, None, &note, at),
            Command::Answer { incident, question, answer } => self.answer(who, &incident, &question, *answer, at),
            Command::AnswerTooLarge { incident, bytes } => Err(self.answer_too_large(who, &incident, bytes, at)),
        }
    }

    pub(super) fn by(
        who: &Principal,
        at: Timestamp,
        kind: &str,
        reference: &str,
        body: serde_json::Value,
    ) -> AuditEvent {
        AuditEvent {
            at,
            actor: Actor::Principal(who.clone()),
            kind: kind.to_owned(),
            reference: reference.to_owned(),
            body,
        }
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
            redirected: false,
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
        let waits =
            self.waits_until(&id).map(|until| format!("{id} waits for the agent's answer until {}", rfc3339(until)));
        let mut plans: Vec<String> = waits.into_iter().collect();
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
                redirected: self.state.questions.get(&id).is_some_and(|question| question.redirected()),
            };
            plans.push(match self.judge_wanted(&wanted, at).await {
                Ok(judged) => plan_text(&judged),
                Err(error) => format!("{} on {}: {error}", wanted.action, wanted.target),
            });
        }
        if diagnosis.recommended_actions.is_empty() {
            plans.push(format!("{id}: {}", diagnosis.recommended_action));
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
        self.state.questions.remove(&id);
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
