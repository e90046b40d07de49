//! A diagnoser over language models. The model investigates with read-only tools and answers in a closed schema; code
//! checks every claim against the evidence, and the reasoner's answer stands wherever the model's does not hold.
//!
//! 1. [`Provider`] is one wire format: it sends a [`Request`] and gives back a [`Reply`]. [`Anthropic`] and
//!    [`OpenAiCompatible`] are made from [`ProviderSettings`].
//! 2. [`Redactor`] is the boundary that every body passes before it is sent and every answer before it is kept.

mod anthropic;
mod call;
mod estimate;
mod heard;
mod model;
mod openai;
mod price;
mod provider;
mod provider_settings;
mod redact;
mod schema_form;
mod secret;
mod sse;
mod transport;

pub use anthropic::Anthropic;
pub use model::{ANTHROPIC_KEY_VARIABLE, ANTHROPIC_URL, DEFAULT_ANTHROPIC_MODEL, OPENAI_KEY_VARIABLE};
pub use openai::OpenAiCompatible;
pub use price::Price;
pub use provider::{
    Effort, Failure, Message, Piece, Provider, ProviderError, Reply, Request, Sent, Stop, ToolChoice, ToolDefinition,
};
pub use provider_settings::{ProviderSettings, SettingsError};
pub use redact::{REDACTED, Redactor};
pub use secret::{ApiKey, KeyError};
