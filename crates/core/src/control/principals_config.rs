//! Who may ask for what, as configured.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Role;

/// Who may ask for what. Whoever is not named may do nothing, but for root and the user the operator runs as, who are
/// administrators unless they are named with another role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrincipalsConfig {
    /// Users of this host.
    pub peers: Vec<PeerConfig>,
    /// Holders of a token.
    pub tokens: Vec<TokenConfig>,
}

/// A user of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// The user's id.
    pub uid: u32,
    /// The name decisions are recorded under.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// To which subjects; `*` is every one, and so is leaving it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
}

/// The holder of a token. The token itself is in a file or an environment variable, never in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The name decisions are recorded under.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// To which subjects; `*` is every one.
    pub subjects: Vec<String>,
    /// The file that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// The environment variable that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
}

/// Which key of the configuration is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct PrincipalsError {
    /// The key, below the one that holds the principals.
    pub field: String,
    /// What would be right.
    pub why: String,
}
