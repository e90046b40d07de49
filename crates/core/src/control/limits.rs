//! How much one asker may take.

use std::time::Duration;

/// The longest request, in bytes, the line break not counted. A request is a few hundred bytes, but for an agent's
/// answer, which holds what was said to a model and back.
pub const LINE_BYTES: usize = 2 * 1024 * 1024;
/// The longest response that a client reads, in bytes.
pub(super) const RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// How much one asker may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlLimits {
    /// How many connections there may be at once. 32.
    pub connections: usize,
    /// How long a connection may stay without a request. 60 s.
    pub idle: Duration,
    /// How long a request may take from its first byte to its last, and a response to be taken. 10 s.
    pub line: Duration,
    /// How long an answer may take before the asker is told that it is late. 60 s.
    pub answer: Duration,
    /// How long whoever shows a wrong token waits, one after the other: two guesses a second. 500 ms.
    pub wrong_token: Duration,
    /// How long requests under way are waited for at shutdown. 5 s.
    pub drain: Duration,
}

impl Default for ControlLimits {
    fn default() -> Self {
        Self {
            connections: 32,
            idle: Duration::from_secs(60),
            line: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            wrong_token: Duration::from_millis(500),
            drain: Duration::from_secs(5),
        }
    }
}
