//! A diagnoser over language models. The model investigates with read-only tools and answers in a closed schema; code
//! checks every claim against the evidence, and the reasoner's answer stands wherever the model's does not hold.
//!
//! 1. [`Provider`] is one wire format: it sends a [`Request`] and gives back a [`Reply`]. [`Anthropic`] and
//!    [`OpenAiCompatible`] are made from [`ProviderSettings`].
//! 2. [`Metered`] is a provider within a [`Budget`], with the caller's [`Patience`]: one for each investigation.
//! 3. [`Redactor`] is the boundary that every body passes before it is sent and every answer before it is kept.
//! 4. [`LlmDiagnoser`] talks with a model about one incident: `case` is what it is shown, `prompt` what it is told,
//!    `tools` where it may look, `schema` how it may answer, `dialogue` the turns between.
//! 5. `grounding` is the gate: cited ids, names, numbers, places and actions are held against the evidence. What does
//!    not hold is sent back once; then the reasoner's answer stands.
//! 6. `conclusion` makes a diagnosis of what holds: the model's choice and words, the reasoner's probabilities, and
//!    the actions that code derives.
//! 7. [`RecordingProvider`] keeps what a model answered, [`RecordedProvider`] plays it again.

mod anthropic;
mod bounds;
mod budget;
mod call;
mod canonical;
mod case;
mod conclusion;
mod diagnoser;
mod dialogue;
mod estimate;
mod grounding;
mod heard;
mod metered;
mod model;
mod openai;
mod places;
mod price;
mod prompt;
mod provider;
mod provider_settings;
mod recording;
mod redact;
mod refusal;
mod retry;
mod schema;
mod schema_form;
mod secret;
mod settings;
mod sse;
mod submission;
mod text_call;
mod tools;
mod transport;
mod turn;

pub use anthropic::Anthropic;
pub use budget::Budget;
pub use diagnoser::LlmDiagnoser;
pub use metered::{Metered, Pace, ProcessPace};
pub use model::{ANTHROPIC_KEY_VARIABLE, ANTHROPIC_URL, DEFAULT_ANTHROPIC_MODEL, OPENAI_KEY_VARIABLE};
pub use openai::OpenAiCompatible;
pub use price::Price;
pub use provider::{
    Effort, Failure, Message, Piece, Provider, ProviderError, Reply, Request, Sent, Stop, ToolChoice, ToolDefinition,
};
pub use provider_settings::{ProviderSettings, SettingsError};
pub use recording::{RecordedProvider, Recording, RecordingProvider};
pub use redact::{REDACTED, Redactor};
pub use retry::Patience;
pub use secret::{ApiKey, KeyError};
pub use settings::DiagnoserSettings;
