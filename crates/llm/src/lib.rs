//! A diagnoser over language models. The model investigates with read-only tools and answers in a closed schema; code
//! checks every claim against the evidence, and the reasoner's answer stands wherever the model's does not hold.
//!
//! 1. [`Provider`] is one wire format: it sends a [`Request`] and gives back a [`Reply`].
//! 2. [`LlmDiagnoser`] talks with a model about one incident: `case` is what it is shown, `prompt` what it is told,
//!    `tools` where it may look, `schema` how it may answer, `dialogue` the turns between.
//! 3. `grounding` is the gate: cited ids, names, numbers, places and actions are held against the evidence. What does
//!    not hold is sent back once; then the reasoner's answer stands.
//! 4. `conclusion` makes a diagnosis of what holds: the model's choice and words, the reasoner's probabilities, and
//!    the actions that code derives.
//! 5. [`RecordingProvider`] keeps what a model answered, [`RecordedProvider`] plays it again.

mod bounds;
mod canonical;
mod case;
mod conclusion;
mod diagnoser;
mod dialogue;
mod grounding;
mod places;
mod prompt;
mod provider;
mod recording;
mod schema;
mod settings;
mod submission;
mod text_call;
mod tools;

pub use diagnoser::LlmDiagnoser;
pub use provider::{Effort, Message, Piece, Provider, ProviderError, Reply, Request, Stop, ToolChoice, ToolDefinition};
pub use recording::{RecordedProvider, Recording, RecordingProvider};
pub use settings::DiagnoserSettings;
