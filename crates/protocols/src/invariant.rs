//! What must hold of a subject.

use std::time::Duration;

/// A statement that must hold, judged at every locus it speaks of.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InvariantDefinition {
    /// Its name, `snake_case`; part of a ticket's identity.
    pub name: String,
    /// What must hold, in one sentence.
    pub description: String,
    /// How grave a violation is.
    pub severity: Severity,
    /// The limit the measured value is held against, where there is one.
    pub threshold: Option<f64>,
    /// The unit of the threshold and of what is measured.
    pub unit: String,
    /// How long it must be violated before anybody is told.
    pub grace: Duration,
    /// How long it must be ok before the violation is over; two intervals of the monitor unless stated.
    pub clear_after: Option<Duration>,
    /// The traffic below which the measured value means nothing (requests per second).
    pub minimum_traffic: Option<f64>,
}

/// How grave a violation is, gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look today.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}
