//! What is asked of an agent about an incident: the evidence of one moment and the reasoner's explanation of it, named
//! by a hash, and what was answered to it.

use std::sync::Arc;

use operator_protocols::Timestamp;
use operator_reasoner::{Diagnosis, EvidencePack, Hypothesis};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Engine;
use super::answer::is_firm;
use crate::{AuditEvent, canonical_json, sha256_hex};

/// How many times an incident is asked about; then the reasoner is alone.
const ROUNDS: u32 = 3;
/// How many questions are kept at a time: those asked first. Evidence is large, and an agent can do only so much.
const QUESTIONS_KEPT: usize = 32;

/// One incident, asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The incident.
    pub incident: String,
    /// Its name: SHA-256 of the evidence and the reasoner's explanation, hexadecimal.
    pub hash: String,
    /// The number of the question about this incident, from 1.
    pub round: u32,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The evidence.
    pub pack: EvidencePack,
    /// What the reasoner made of that evidence.
    pub reasoned: Diagnosis,
    /// What the reasoner makes of the evidence now: the same cause, other numbers.
    pub latest: Diagnosis,
    /// Where it stands.
    pub status: QuestionStatus,
    /// What was answered, where that is more than the reasoner's explanation.
    pub standing: Option<Standing>,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionStatus {
    /// An answer is waited for.
    Open,
    /// It was answered.
    Answered,
    /// Nobody waits any longer; an answer is taken all the same.
    GivenUp,
    /// It was asked too often: the reasoner is alone.
    Closed,
}

/// An answer that stands as long as the reasoner's explanation stays what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The explanation as it was stored.
    pub diagnosis: Diagnosis,
    /// Its cause as the reasoner weighs it, without anybody's words: what actions follow from.
    pub weighed: Hypothesis,
}

impl Question {
    fn new(incident: &str, round: u32, pack: EvidencePack, reasoned: &Diagnosis, at: Timestamp) -> Self {
        let asked = json!({ "pack": pack, "primary": reasoned.primary });
        Self {
            incident: incident.to_owned(),
            hash: sha256_hex("operator/question/1", &canonical_json(&asked)),
            round,
            asked_at: at,
            pack,
            reasoned: reasoned.clone(),
            latest: reasoned.clone(),
            status: QuestionStatus::Open,
            standing: None,
        }
    }

    /// Whether the reasoner explains it as it did when it was asked, and nothing that was answered has been overtaken
    /// by evidence that has become firm.
    fn still(&self, fresh: &Diagnosis) -> bool {
        same_cause(&self.reasoned.primary, &fresh.primary) && !(self.redirected() && is_firm(fresh))
    }

    /// Whether the standing answer names another cause than the evidence alone.
    pub(super) fn redirected(&self) -> bool {
        self.standing.as_ref().is_some_and(|one| !same_cause(&one.diagnosis.primary, &self.latest.primary))
    }
}

/// Whether two explanations name the same cause.
pub(super) fn same_cause(a: &Hypothesis, b: &Hypothesis) -> bool {
    (a.class, &a.locus) == (b.class, &b.locus)
}

impl Engine {
    /// Notes what the reasoner makes of the evidence now. Where it is another cause than when the question was asked,
    /// the answer is stale and it is asked anew, a few times.
    pub(super) fn ask(&mut self, incident: &str, fresh: &Diagnosis, pack: &EvidencePack, at: Timestamp) {
        let kept = self.state.questions.len();
        let round = match self.state.questions.get_mut(incident) {
            Some(question) if question.still(fresh) => {
                Arc::make_mut(question).latest = fresh.clone();
                return;
            }
            Some(question) => question.round + 1,
            None if kept >= QUESTIONS_KEPT => return,
            None => 1,
        };
        let mut question = Question::new(incident, round.min(ROUNDS + 1), pack.clone(), fresh, at);
        if round > ROUNDS {
            question.status = QuestionStatus::Closed;
        }
        if (2..=ROUNDS + 1).contains(&round) {
            let body = json!({ "incident": incident, "round": round, "asked_again": round <= ROUNDS });
            self.state.audit(AuditEvent::by_operator(at, "diagnosis.stale", incident, body));
        }
        self.state.questions.insert(incident.to_owned(), Arc::new(question));
    }

    /// Until when proposals for an incident wait for an answer, if they do.
    pub(super) fn waits_until(&self, incident: &str) -> Option<Timestamp> {
        let patience = self.settings.agent.as_ref()?.patience;
        let question = self.state.questions.get(incident)?;
        (question.status == QuestionStatus::Open).then(|| question.asked_at.plus(patience))
    }

    /// Stops waiting where the patience is over: the reasoner's explanation stands.
    pub(super) fn lose_patience(&mut self, at: Timestamp) {
        let over: Vec<_> = self
            .state
            .questions
            .keys()
            .filter(|incident| self.waits_until(incident).is_some_and(|until| at >= until))
            .cloned()
            .collect();
        for incident in over {
            let Some(question) = self.state.questions.get_mut(&incident).map(Arc::make_mut) else { continue };
            question.status = QuestionStatus::GivenUp;
            let body = json!({
                "incident": incident,
                "question": question.hash,
                "why": "no answer of the agent in time: the reasoner's explanation stands",
            });
            self.state.audit(AuditEvent::by_operator(at, "diagnosis.fallback", incident, body));
        }
    }
}
