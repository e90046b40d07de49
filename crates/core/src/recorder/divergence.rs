//! Where a replayed loop does something else than the recorded one did.

use std::fmt;

use serde::Serialize;

/// Where a replayed loop does something else than the recorded one did. It was answered as if nothing could be read and
/// nothing sent; what follows within the same step may differ because of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// The line of the recording, from 1.
    pub line: usize,
    /// What the recorded loop did there.
    pub expected: String,
    /// What the replayed loop did instead.
    pub got: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: the recorded loop: {}; the replayed loop: {}", self.line, self.expected, self.got)
    }
}
