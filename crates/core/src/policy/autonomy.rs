//! How much the operator does by itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much the operator does by itself, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Autonomy {
    /// It looks, opens tickets and explains.
    #[default]
    Observe,
    /// It also says which action it would take.
    Propose,
    /// It also takes the action once a person approved it.
    Approve,
    /// It also takes the action without asking.
    Auto,
}

impl Autonomy {
    /// Every level, from least to most.
    pub const ALL: &'static [Self] = &[Self::Observe, Self::Propose, Self::Approve, Self::Auto];

    /// The name as configured.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Propose => "propose",
            Self::Approve => "approve",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Autonomy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Autonomy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|level| level.name() == text)
            .ok_or_else(|| format!("{text:?} is no level of autonomy; the levels are observe, propose, approve, auto"))
    }
}
