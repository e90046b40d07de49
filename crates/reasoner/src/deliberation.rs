//! How an answer was reached that a model took part in: everything that must be in the audit, and what it cost.

use serde::{Deserialize, Serialize};

use crate::{Diagnosis, EvidenceId};

/// What a diagnoser answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The explanation.
    pub diagnosis: Diagnosis,
    /// How it was reached, where a model took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliberation: Option<Deliberation>,
}

impl From<Diagnosis> for Answer {
    fn from(diagnosis: Diagnosis) -> Self {
        Self { diagnosis, deliberation: None }
    }
}

/// How a model and the checks on it came to an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deliberation {
    /// The wire format: `anthropic` or `openai-compatible`.
    pub provider: String,
    /// The model, as it was asked for.
    pub model: String,
    /// The version of the prompts.
    pub prompt_version: String,
    /// SHA-256 of the system prompt, hexadecimal.
    pub prompt_hash: String,
    /// What was asked of the model beyond the text: temperature, limits.
    pub parameters: serde_json::Value,
    /// What came of it.
    pub outcome: Outcome,
    /// What the checks found wrong, in the order they found it; those of a repaired answer too.
    pub faults: Vec<String>,
    /// What the model made of the reasoner's explanations.
    pub verdicts: Vec<Verdict>,
    /// Where the model saw it otherwise than the diagnosis says in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dissent: Option<String>,
    /// Every call, in order.
    pub exchanges: Vec<Exchange>,
    /// What was spent in all.
    pub usage: Usage,
}

/// What came of asking a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Its first answer passed every check.
    Accepted,
    /// It passed after one turn of repair.
    Repaired,
    /// The reasoner's answer stands in its place.
    FallenBack {
        /// Why.
        why: String,
    },
}

/// What a model made of one of the reasoner's explanations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which, counted from 1 in the order of the ranking.
    pub rank: u32,
    /// Whether it keeps it.
    pub keeps: bool,
    /// On what evidence.
    pub evidence: Vec<EvidenceId>,
    /// Its words.
    pub because: String,
}

/// One call to a model. Secrets were taken out before it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The turn, from 1.
    pub turn: u32,
    /// The body that was sent, cut to a bound for keeping.
    pub request: String,
    /// The body that came back, cut to a bound for keeping; empty if none did.
    pub response: String,
    /// SHA-256 of the whole request body, hexadecimal.
    pub request_hash: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// What went wrong, if anything.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it cost.
    pub usage: Usage,
}

/// What calls to a model used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read by the model, those from its cache included.
    pub input_tokens: u64,
    /// How many of them it had in its cache.
    pub cached_tokens: u64,
    /// Tokens written by the model.
    pub output_tokens: u64,
    /// The cost, in millionths of a US dollar; 0 for a local model.
    pub cost_micro_usd: u64,
    /// Calls that were made.
    pub calls: u32,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cost_micro_usd = self.cost_micro_usd.saturating_add(other.cost_micro_usd);
        self.calls = self.calls.saturating_add(other.calls);
    }
}
