//! Tells what happened in words: one audit event becomes the lines that the screen's narration panel, the log of
//! `operator run` and the headless transcript all show.

use operator_core::{Actor, AuditEvent};
use operator_protocols::{Locus, Timestamp};
use operator_reasoner::{Deliberation, Outcome};
use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use crate::host::Told;

/// A line of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NarrationLine {
    /// When it happened.
    pub at: Timestamp,
    /// How it is to be taken.
    pub tone: Tone,
    /// The subject it happened to, if to one.
    pub subject: Option<String>,
    /// What happened. It may quote text from outside: whoever shows it makes it harmless.
    pub text: String,
    /// Whether it only adds to the line before: a screen that shows it elsewhere leaves it out.
    pub detail: bool,
}

/// What the text of a line begins with that only adds to the one before.
const INDENT: &str = "  ";

/// How a line is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// News.
    Plain,
    /// Something got well.
    Good,
    /// Somebody should look.
    Warning,
    /// Something broke.
    Bad,
    /// The operator does something.
    Act,
    /// The story's own words: a chapter, an explanation.
    Chapter,
}

impl Tone {
    /// What stands before the line, so that it need not be coloured.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Plain => "·",
            Self::Good => "✓",
            Self::Warning => "!",
            Self::Bad => "✖",
            Self::Act => "▶",
            Self::Chapter => "§",
        }
    }
}

impl NarrationLine {
    /// A line.
    pub fn new(at: Timestamp, tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { at, tone, subject: None, detail: text.starts_with(INDENT), text }
    }

    /// The line with the subject it is about before it: for where several are told of.
    #[must_use]
    pub fn with_subject_named(mut self) -> Self {
        if let Some(subject) = &self.subject {
            self.text = format!("[{subject}] {}", self.text);
        }
        self
    }
}

/// The lines for one event of one subject.
pub fn narrate_told(told: &Told) -> Vec<NarrationLine> {
    let of = |line| NarrationLine { subject: told.subject.clone(), ..line };
    narrate(&told.event).into_iter().map(of).collect()
}

/// The lines for one event; none for an event that says nothing to a person.
pub fn narrate(event: &AuditEvent) -> Vec<NarrationLine> {
    let body = Body(&event.body);
    let id = event.reference.as_str();
    let told = match event.kind.as_str() {
        "ticket.opened" => vec![(
            Tone::Bad,
            format!(
                "DETECTED {id}: {} violated on {}: {}",
                body.text("invariant"),
                body.locus("on"),
                body.text("message")
            ),
        )],
        "ticket.cleared" => vec![(Tone::Good, format!("{id}: the violation is over"))],
        "ticket.reopened" => vec![(Tone::Bad, format!("{id} is back: {}", body.text("message")))],
        "ticket.acknowledged" => vec![(Tone::Plain, format!("{id} acknowledged{}", by(event)))],
        "ticket.hold" => vec![(Tone::Plain, format!("{id} hold {}{}", body.word("hold"), by(event)))],
        "ticket.state" => ticket_state(id, &body),
        "incident.opened" => vec![(Tone::Plain, format!("incident {id} opened"))],
        "incident.closed" => vec![(Tone::Good, format!("incident {id} closed"))],
        "diagnosis.made" => diagnosis(&body),
        "diagnosis.deliberated" => deliberated(&body),
        "diagnosis.answered" => {
            vec![(Tone::Plain, format!("{} answered: {}", body.word("diagnoser"), body.text("told")))]
        }
        "diagnosis.refused" => {
            vec![(Tone::Warning, format!("an answer about {id} was refused{}: {}", by(event), body.text("why")))]
        }
        "diagnosis.stale" => vec![(
            Tone::Warning,
            if body.0.get("asked_again").and_then(Value::as_bool) == Some(false) {
                format!("{id}: the evidence moves too often to ask again: the reasoner explains it alone")
            } else {
                format!("{id}: the evidence has moved: it is asked about anew")
            },
        )],
        "diagnosis.marked" => vec![(Tone::Plain, format!("{id} marked {}{}", body.word("verdict"), by(event)))],
        "diagnosis.fallback" => vec![(Tone::Warning, format!("{id}: {}", body.text("why")))],
        "action.proposed" => proposal(id, &body),
        "action.approved" => vec![(Tone::Act, format!("{id} approved{}{}", by(event), because(&body)))],
        "action.rejected" => vec![(Tone::Warning, format!("{id} rejected{}{}", by(event), because(&body)))],
        "action.cancelled" => vec![(Tone::Warning, format!("{id} cancelled{}{}", by(event), because(&body)))],
        "action.expired" => vec![(Tone::Warning, format!("{id} expired before it was sent{}", because(&body)))],
        "action.claimed" => vec![(Tone::Act, format!("{id} claimed and sent (attempt {})", body.word("attempt")))],
        "action.not_sent" => vec![(Tone::Warning, format!("{id} was not sent{}", because(&body)))],
        "action.finished" => finished(id, &body),
        "action.reconciled" => {
            vec![(Tone::Act, format!("{id}: its outcome is now {}{}", body.word("state"), because(&body)))]
        }
        "action.settled" => vec![(Tone::Plain, format!("{id} settled{}{}", by(event), because(&body)))],
        "verification.ended" => verification(id, &body),
        "kill_switch.engaged" => {
            vec![(Tone::Bad, format!("KILL SWITCH engaged{}{}: nothing is sent", by(event), because(&body)))]
        }
        "kill_switch.released" => vec![(Tone::Warning, format!("kill switch released{}{}", by(event), because(&body)))],
        "mode.set" => {
            vec![(Tone::Warning, format!("mode set to {}{}{}", body.word("mode"), by(event), because(&body)))]
        }
        "cycle.trouble" => vec![(Tone::Warning, format!("trouble: {}", body.text("what")))],
        "operator.started" => vec![(Tone::Plain, format!("the operator watches {}", body.word("subject")))],
        // An event that this version has no words for is still told: silence would hide it.
        other => vec![(Tone::Plain, format!("{other} {id}{}{}", by(event), because(&body)))],
    };
    told.into_iter().map(|(tone, text)| NarrationLine::new(event.at, tone, text.trim_end().to_owned())).collect()
}

type Lines = Vec<(Tone, String)>;

fn ticket_state(id: &str, body: &Body<'_>) -> Lines {
    let (to, reason) = (body.word("to"), body.text("reason"));
    match to.as_str() {
        "resolved" => vec![(Tone::Good, format!("RESOLVED {id}: {reason}"))],
        "needs_human" => vec![(Tone::Bad, format!("{id} NEEDS A HUMAN: {reason}"))],
        "contained" => vec![(Tone::Warning, format!("{id} contained: {reason}"))],
        "verifying" => vec![(Tone::Act, format!("{id}: watching whether it worked"))],
        // The diagnosis and the proposal have lines of their own.
        "diagnosed" | "acting" | "open" => Vec::new(),
        other => vec![(Tone::Plain, format!("{id} is {other}: {reason}"))],
    }
}

fn diagnosis(body: &Body<'_>) -> Lines {
    let percent = body.number("probability").map_or_else(|| "?".to_owned(), |p| format!("{:.0} %", p * 100.0));
    let mut told = if body.0.get("abstained").and_then(Value::as_bool) == Some(true) {
        vec![(Tone::Warning, format!("diagnosis: the evidence does not decide: {}", body.text("statement")))]
    } else {
        let confidence = body.word("confidence");
        vec![(
            Tone::Plain,
            format!(
                "DIAGNOSIS {} at {} ({confidence} confidence, {percent}): {}",
                body.word("class"),
                body.locus("locus"),
                body.text("statement")
            ),
        )]
    };
    for cited in body.0.get("evidence").and_then(Value::as_array).into_iter().flatten() {
        let cited = Body(cited);
        let (statement, because) = (cited.text("statement"), cited.text("because"));
        let said = if statement.is_empty() { because } else { format!("{statement} ({because})") };
        told.push((Tone::Plain, format!("  evidence {}: {said}", cited.word("id"))));
    }
    told
}

/// What came of asking a model, what it cost, and where it saw it otherwise.
fn deliberated(body: &Body<'_>) -> Lines {
    let told = body.text("told");
    let Some(Ok(deliberation)) = body.0.get("deliberation").map(Deliberation::deserialize) else {
        return vec![(Tone::Plain, format!("a model answered: {told}"))];
    };
    let (word, tone) = match &deliberation.outcome {
        Outcome::Accepted => ("ACCEPTED", Tone::Good),
        Outcome::Repaired => ("REPAIRED", Tone::Good),
        Outcome::FallenBack { .. } => ("FELL BACK", Tone::Warning),
    };
    let why = match &deliberation.outcome {
        Outcome::FallenBack { why } => format!(" ({why})"),
        Outcome::Accepted | Outcome::Repaired => String::new(),
    };
    let mut lines = vec![
        (tone, format!("{word} {}: {told}{why}", deliberation.model)),
        (Tone::Plain, format!("  it took {}", deliberation.usage)),
    ];
    lines.extend(
        deliberation
            .dissent
            .iter()
            .map(|dissent| (Tone::Warning, format!("DISSENT of {}: {dissent}", deliberation.model))),
    );
    lines.extend(deliberation.faults.iter().map(|fault| (Tone::Plain, format!("  checked and wrong: {fault}"))));
    lines
}

fn proposal(id: &str, body: &Body<'_>) -> Lines {
    let params = match body.0.get("params").and_then(Value::as_object) {
        Some(params) if !params.is_empty() => {
            let params: Vec<_> = params.iter().map(|(name, value)| format!("{name}={}", word(value))).collect();
            format!(" ({})", params.join(", "))
        }
        _ => String::new(),
    };
    let mut told = vec![(
        Tone::Act,
        format!(
            "PROPOSED {id}: {}{params} → {}, {} risk, now {}",
            body.word("action"),
            body.locus("target"),
            body.word("risk"),
            body.word("state").replace('_', " ")
        ),
    )];
    for rule in body.0.get("rules").and_then(Value::as_array).into_iter().flatten() {
        let rule = Body(rule);
        let verdict = rule.word("verdict");
        let tone = if verdict == "allow" { Tone::Plain } else { Tone::Warning };
        let because = rule.text("because");
        told.push((tone, format!("  policy {}: {}: {because}", rule.word("rule"), verdict.replace('_', " "))));
    }
    told
}

fn finished(id: &str, body: &Body<'_>) -> Lines {
    let state = body.word("state");
    let tone = match state.as_str() {
        "done" => Tone::Good,
        "running" => Tone::Act,
        "failed" | "unsettled" => Tone::Bad,
        _ => Tone::Warning,
    };
    let said =
        [body.text("summary"), body.text("reason")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    vec![(tone, format!("EXECUTED {id}: {}: {said}", state.replace('_', " ")))]
}

fn verification(id: &str, body: &Body<'_>) -> Lines {
    let outcome = match body.0.get("outcome") {
        Some(Value::Object(outcome)) => outcome.keys().next().cloned().unwrap_or_default(),
        other => other.map(word).unwrap_or_default(),
    };
    let (tone, words) = match outcome.as_str() {
        "cleared" => (Tone::Good, "it worked: the violation is over".to_owned()),
        "contained" => (Tone::Good, "contained".to_owned()),
        "not_cleared" => (Tone::Bad, "it did not help".to_owned()),
        "broke_something" => (Tone::Bad, "something broke meanwhile".to_owned()),
        other => (Tone::Warning, other.replace('_', " ")),
    };
    let mut told = vec![(tone, format!("VERIFIED {id}: {words}"))];
    for evidence in body.0.get("evidence").and_then(Value::as_array).into_iter().flatten() {
        told.push((Tone::Plain, format!("  {}", word(evidence))));
    }
    told
}

/// ` by NAME` where a person did it.
fn by(event: &AuditEvent) -> String {
    match &event.actor {
        Actor::Operator => String::new(),
        Actor::Principal(principal) => format!(" by {}", principal.name),
    }
}

/// `: WHY` where a reason is given.
fn because(body: &Body<'_>) -> String {
    let reason = body.text("reason");
    if reason.is_empty() { reason } else { format!(": {reason}") }
}

/// A JSON body whose fields may be missing or of another shape: an audit row of another version is told as far as it
/// can be.
struct Body<'a>(&'a Value);

impl Body<'_> {
    fn text(&self, field: &str) -> String {
        match self.0.get(field) {
            None | Some(Value::Null) => String::new(),
            Some(value) => word(value),
        }
    }

    fn word(&self, field: &str) -> String {
        let text = self.text(field);
        if text.is_empty() { "?".to_owned() } else { text }
    }

    fn number(&self, field: &str) -> Option<f64> {
        self.0.get(field).and_then(Value::as_f64)
    }

    fn locus(&self, field: &str) -> String {
        match self.0.get(field) {
            None | Some(Value::Null) => "?".to_owned(),
            Some(value) => locus(value),
        }
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A locus stands in a body as such, or as its text form.
fn locus(value: &Value) -> String {
    if let Ok(locus) = Locus::deserialize(value)
        && locus != Locus::Nothing
    {
        return locus.to_string();
    }
    match value.as_str().map(|text| (text, Locus::parse("", text))) {
        Some(("nothing", _)) => "the whole system".to_owned(),
        Some((_, Ok(locus))) => locus.to_string(),
        Some((text, Err(_))) => text.to_owned(),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use operator_core::{Identity, Principal, Role};
    use serde_json::json;

    use super::*;

    fn told(kind: &str, reference: &str, body: Value) -> String {
        let event = AuditEvent::by_operator(Timestamp::from_millis(0), kind, reference, body);
        let lines: Vec<_> = narrate(&event).iter().map(|line| format!("{} {}", line.tone.glyph(), line.text)).collect();
        lines.join("\n")
    }

    #[test]
    fn the_story_of_an_incident_reads_in_order() {
        let on = json!(Locus::component("shop", "w1"));
        let story = [
            told("ticket.opened", "shop-T1", json!({"invariant": "worker_down", "on": on, "message": "w1 is stopped"})),
            told(
                "diagnosis.made",
                "shop-D1",
                json!({"class": "ComponentDown", "locus": "component:w1", "statement": "w1 does not run",
                       "probability": 0.97, "confidence": "high", "evidence": [{"id": "E1", "because": "it says so"}]}),
            ),
            told(
                "action.proposed",
                "shop-A1",
                json!({"action": "start", "target": on, "risk": "low", "state": "approved", "params": {"n": 3},
                       "rules": [{"rule": "autonomy", "verdict": "allow", "because": "auto for low risk"},
                                 {"rule": "fresh", "verdict": "needs_approval", "because": "old data"}]}),
            ),
            told("action.claimed", "shop-A1", json!({"attempt": 1})),
            told("action.finished", "shop-A1", json!({"state": "done", "summary": "started w1"})),
            told("verification.ended", "shop-A1", json!({"outcome": "cleared", "evidence": ["w1 answers"]})),
            told("ticket.state", "shop-T1", json!({"from": "verifying", "to": "resolved", "reason": "verified"})),
        ];
        insta::assert_snapshot!(story.join("\n"));
    }

    #[test]
    fn what_a_model_answered_is_told_with_its_outcome_its_cost_and_its_dissent() {
        let deliberation = |outcome: Value| {
            json!({
                "provider": "anthropic", "model": "some-model", "prompt_version": "1", "prompt_hash": "00",
                "parameters": null, "outcome": outcome, "faults": ["E99 is not in the evidence"], "verdicts": [],
                "dissent": "LinkDown at w1", "exchanges": [],
                "usage": {"input_tokens": 1200, "cached_tokens": 0, "output_tokens": 80, "cost_micro_usd": 0, "calls": 2},
            })
        };
        let body = |outcome| json!({"incident": "shop-I1", "told": "it stands", "deliberation": deliberation(outcome)});
        let story = [
            told("diagnosis.deliberated", "shop-D1", body(json!({"outcome": "repaired"}))),
            told("diagnosis.deliberated", "shop-D1", body(json!({"outcome": "fallen_back", "why": "no answer"}))),
            told("diagnosis.deliberated", "shop-D1", json!({"told": "of another version", "deliberation": 3})),
            told("diagnosis.refused", "shop-I1", json!({"why": "primary.locus: x is not part of the evidence"})),
            told("diagnosis.stale", "shop-I1", json!({"round": 2, "asked_again": true})),
            told("diagnosis.stale", "shop-I1", json!({"round": 4, "asked_again": false})),
            told("diagnosis.fallback", "shop-I1", json!({"why": "no answer of the agent in time"})),
        ];
        insta::assert_snapshot!(story.join("\n"));
    }

    #[test]
    fn a_body_of_another_shape_is_told_as_far_as_it_can_be() {
        assert_eq!(
            told("ticket.opened", "T1", json!(null)),
            "✖ DETECTED T1: ? violated on ?:".replace("? violated", " violated")
        );
        assert_eq!(
            told("verification.ended", "A1", json!({"outcome": {"not_cleared": {"tickets": []}}})),
            "✖ VERIFIED A1: it did not help"
        );
        assert_eq!(told("future.kind", "X", json!({"reason": "because"})), "· future.kind X: because");
    }

    #[test]
    fn what_a_person_did_names_them() {
        let person = Principal { name: "ana".into(), role: Role::Approver, identity: Identity::Token };
        let event = AuditEvent {
            at: Timestamp::from_millis(0),
            actor: Actor::Principal(person),
            kind: "action.approved".into(),
            reference: "A1".into(),
            body: json!({"reason": "looks right"}),
        };
        assert_eq!(narrate(&event)[0].text, "A1 approved by ana: looks right");
    }
}
