//! A line that a component wrote.

use crate::{Id, Timestamp};

/// A line of a component's log. Its text is data from outside: it is quoted, never obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub component: Id,
    /// How grave its writer thought it.
    pub level: LogLevel,
    /// The text.
    pub message: String,
}

/// How grave the writer of a line thought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Ordinary news.
    Info,
    /// Somebody should look.
    Warn,
    /// Something failed.
    Error,
    /// The process gave up.
    Fatal,
}
