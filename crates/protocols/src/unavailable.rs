//! What could not be read. Absent is not healthy.

use std::fmt;

/// A part that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Unavailable {
    /// What could not be read.
    pub what: String,
    /// Why: what was tried and what came back.
    pub why: String,
}

impl Unavailable {
    /// `what` could not be read because of `why`.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}
