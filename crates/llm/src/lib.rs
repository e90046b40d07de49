//! A diagnoser over language models. The model investigates with read-only tools and answers in a closed schema; code
//! checks every claim against the evidence, and the reasoner's answer stands wherever the model's does not hold.
//!
//! 1. [`Provider`] is one wire format: it sends a [`Request`] and gives back a [`Reply`]. [`Anthropic`] and
//!    [`OpenAiCompatible`] are made from [`ProviderSettings`].
//! 2. [`Metered`] is a provider within a [`Budget`], with the caller's [`Patience`]: one for each investigation.
//! 3. [`Redactor`] is the boundary that every body passes before it is sent and every answer before it is kept.

mod anthropic;
mod budget;
mod call;
mod estimate;
mod heard;
mod metered;
mod model;
mod openai;
mod price;
mod provider;
mod provider_settings;
mod redact;
mod retry;
mod schema_form;
mod secret;
mod sse;
mod transport;

pub use anthropic::Anthropic;
pub use budget::Budget;
pub use metered::{Metered, Pace, ProcessPace};
pub use model::{ANTHROPIC_KEY_VARIABLE, ANTHROPIC_URL, DEFAULT_ANTHROPIC_MODEL, OPENAI_KEY_VARIABLE};
pub use openai::OpenAiCompatible;
pub use price::Price;
pub use provider::{
    Effort, Failure, Message, Piece, Provider, ProviderError, Reply, Request, Sent, Stop, ToolChoice, ToolDefinition,
};
pub use provider_settings::{ProviderSettings, SettingsError};
pub use redact::{REDACTED, Redactor};
pub use retry::Patience;
pub use secret::{ApiKey, KeyError};
