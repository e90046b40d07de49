//! The kill switch as stored: a row and a file.

use std::fmt;

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

/// What a kill switch stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KillScope {
    /// Every action.
    Global,
    /// Every action on one subject.
    Subject(String),
}

impl fmt::Display for KillScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("everything"),
            Self::Subject(name) => write!(f, "subject {name}"),
        }
    }
}

/// One kill switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillState {
    /// What it stops.
    pub scope: KillScope,
    /// Whether it is engaged, by row or by file.
    pub engaged: bool,
    /// Whether the file says so.
    pub by_file: bool,
    /// Who engaged or released it last.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Counts its changes.
    pub generation: u64,
}

/// The answer to engaging it: from here on no claim commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillAcknowledgement {
    /// What it stops.
    pub scope: KillScope,
    /// What was claimed before: those executions finish or become unknown.
    pub in_flight: Vec<String>,
    /// Whether the row was written. If not, the file holds for every process of this host, and the database does not
    /// know.
    pub row_written: bool,
    /// Whether the file was written.
    pub file_written: bool,
}
