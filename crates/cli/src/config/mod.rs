//! What the operator is told: a file, overridden by the environment, overridden by flags; checked as a whole before
//! anything starts.

mod agent;
mod document;
mod duration;
mod error;
mod markdown;
mod origin;
mod overlay;
mod principals;
mod read;
mod schema;
mod search;
mod subjects;

pub use agent::{AgentConfig, DiagnoserKind, KeySource, LlmConfig, Prices, ProviderKind};
pub use duration::{parse_duration, show_duration};
pub use error::ConfigError;
pub(crate) use error::nearest;
pub use markdown::configuration_page;
pub use origin::Origin;
pub use read::{Config, Sources};
pub use subjects::SubjectEntry;
