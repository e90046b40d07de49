//! What the investigation says to a model and hears from it, whatever the wire format.

use operator_protocols::BoxFuture;
use operator_reasoner::Usage;
use serde_json::Value as Json;

use crate::Price;

/// One call to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The system prompt: the same for every incident, so that it can be cached.
    pub system: String,
    /// What was said so far, oldest first.
    pub messages: Vec<Message>,
    /// The tools on offer, in the order they are sent.
    pub tools: Vec<ToolDefinition>,
    /// Whether a tool must be called.
    pub tool_choice: ToolChoice,
    /// A JSON schema that the answer must fit, where the provider can hold a model to one; the answer is then text.
    pub schema: Option<Json>,
    /// The most tokens the model may write.
    pub max_output_tokens: u32,
    /// How freely it writes.
    pub effort: Effort,
}

/// Who says what.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The operator.
    User(Vec<Piece>),
    /// The model.
    Assistant(Vec<Piece>),
}

/// A piece of what is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Words. `cache` marks the end of a prefix that is worth caching.
    Text {
        /// The words.
        text: String,
        /// Whether everything up to here will be sent again.
        cache: bool,
    },
    /// The model asks for a tool.
    ToolCall {
        /// The call's id, as the model gave it.
        id: String,
        /// The tool.
        name: String,
        /// Its arguments: whatever the model wrote.
        arguments: Json,
    },
    /// What the tool said.
    ToolResult {
        /// The call's id.
        id: String,
        /// What it said, as text.
        content: String,
        /// Whether it failed.
        failed: bool,
    },
    /// A block that only its provider understands, such as sealed thinking. It says nothing to anybody else, and it goes
    /// back unchanged with the rest of the turn, or the provider refuses what follows.
    Sealed(Json),
}

/// A tool on offer.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// What it tells.
    pub description: String,
    /// The JSON schema of its arguments.
    pub schema: Json,
}

/// Whether a tool must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// This one. A request: some models take no such order, and some do not obey.
    Named(String),
    /// None may be.
    None,
}

/// How freely a model writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// The temperature, where the model takes one; 0 is as repeatable as it gets.
    pub temperature: Option<f64>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What it said, in order.
    pub pieces: Vec<Piece>,
    /// Why it stopped.
    pub stop: Stop,
    /// What the call used up.
    pub usage: Usage,
    /// The body that was sent, for the audit. Free of secrets: they were taken out before it was sent.
    pub request_body: String,
    /// The body that came back, free of secrets; of a stream, the message that its events add up to.
    pub response_body: String,
    /// The HTTP status.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It was done.
    End,
    /// It wants a tool's answer.
    ToolUse,
    /// It may write no more.
    MaxTokens,
    /// It will not answer.
    Refusal,
    /// Something else, in the provider's word.
    Other(String),
}

/// One wire format, at one address, with one model.
pub trait Provider: Send + Sync {
    /// Its name: `anthropic` or `openai-compatible`.
    fn name(&self) -> &str;

    /// The model that is asked.
    fn model(&self) -> &str;

    /// Whether it offers tools, or only single constrained answers.
    fn uses_tools(&self) -> bool;

    /// What its tokens cost; that of the dearest model known, unless it says otherwise.
    fn price(&self) -> Price {
        Price::of_model(self.model())
    }

    /// Sends `request` and waits for the answer, at most `time_limit`. `heard` is told what comes in while it comes.
    fn send<'a>(
        &'a self,
        request: &'a Request,
        time_limit: std::time::Duration,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Reply, Failure>>;
}

/// A call that gave no answer, and what is known of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Why.
    #[source]
    pub error: ProviderError,
    /// What went over the wire, if anything did.
    pub sent: Option<Box<Sent>>,
}

impl From<ProviderError> for Failure {
    /// A failure before anything was sent.
    fn from(error: ProviderError) -> Self {
        Self { error, sent: None }
    }
}

/// What went over the wire in a call that gave no answer, for the audit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// The body that was sent, free of secrets.
    pub request_body: String,
    /// What came back, free of secrets; empty if nothing did.
    pub response_body: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it used up, as far as it was told.
    pub usage: Usage,
}

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// It asks for patience; a retry may help.
    #[error("status {status}: {why}")]
    Busy {
        /// 429, 529 or 503.
        status: u16,
        /// What it said.
        why: String,
        /// How long it asks to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// It refuses the request as such: a retry of the same cannot help.
    #[error("status {status}: {why}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said, cut.
        why: String,
    },
    /// It failed at it, without fault of the request.
    #[error("status {status}: {why}")]
    Failed {
        /// The status; 200 where a stream ended in an error.
        status: u16,
        /// What it said, cut.
        why: String,
    },
    /// Nothing came, or only half, within the time.
    #[error("no whole answer: {why}")]
    Lost {
        /// How.
        why: String,
    },
    /// What came is not what the wire format says.
    #[error("not an answer of this wire format: {why}")]
    Garbled {
        /// What is wrong with it.
        why: String,
    },
    /// The budget does not allow the call.
    #[error("the budget does not allow another call: {why}")]
    Budget {
        /// Which bound.
        why: String,
    },
}
