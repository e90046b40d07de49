//! The names of everything the limiter keeps in Redis, made and parsed in one place.
//!
//! A limiter key is percent-encoded inside a hash tag, so that no key, however hostile, can cut the tag
//! short, collide with another or act as a pattern. The layout is documented in `docs/redis-layout.md`.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Longest limiter key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 512;
/// Largest limit, window (ms) and cost. Keeps every sum a script handles far below 2^53.
pub const MAX_QUANTITY: u64 = 1_000_000_000;

/// The sorted set of known nodes by last heartbeat.
pub const NODES: &str = "rlreg:{registry}:nodes";
/// What the hash of one node starts with; its id follows.
pub const NODE_PREFIX: &str = "rlreg:{registry}:node:";
/// The sorted set of every `node@boot` of the last 12 days by last heartbeat.
pub const BOOTS: &str = "rlreg:{registry}:boots";

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A limiter key as a client names it: 1 to 512 bytes of UTF-8 without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimiterKey(std::sync::Arc<str>);

/// Why something is not a limiter key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has no characters.
    #[error("must not be empty")]
    Empty,
    /// It is longer than [`MAX_KEY_BYTES`].
    #[error("must be at most {MAX_KEY_BYTES} bytes, got {0}")]
    TooLong(usize),
    /// It has a control character (Unicode category Cc).
    #[error("must not contain control characters")]
    Control,
}

impl LimiterKey {
    /// Checks the rules a key obeys.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn new(key: &str) -> Result<Self, KeyError> {
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong(key.len()));
        }
        if key.chars().any(char::is_control) {
            return Err(KeyError::Control);
        }
        Ok(Self(key.into()))
    }

    /// The key as the client wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LimiterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes as the layout demands: everything but `A–Z a–z 0–9 - . _ ~`, byte by byte.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// The key's hash: its generation and the windows it is used with.
#[must_use]
pub fn hash(key: &LimiterKey) -> String {
    format!("rl:{{{}}}:h", encode(key.as_str()))
}

/// The key's stored limit.
#[must_use]
pub fn limit(key: &LimiterKey) -> String {
    format!("rl:{{{}}}:limit", encode(key.as_str()))
}

/// What the names of all logs of the key start with; the window in ms follows.
#[must_use]
pub fn log_prefix(key: &LimiterKey) -> String {
    format!("rl:{{{}}}:w:", encode(key.as_str()))
}

/// The log of one (key, window).
#[must_use]
pub fn log(key: &LimiterKey, window_ms: u64) -> String {
    format!("{}{window_ms}", log_prefix(key))
}

/// The record of one `Idempotency-Key` used with this key.
#[must_use]
pub fn idempotency(key: &LimiterKey, idempotency_key: &str) -> String {
    format!("rl:{{{}}}:i:{}", encode(key.as_str()), encode(idempotency_key))
}

/// The hash in which a node describes itself.
#[must_use]
pub fn node(id: &str) -> String {
    format!("{NODE_PREFIX}{id}")
}

/// A `SCAN MATCH` pattern for the logs of all keys that start with `prefix`.
#[must_use]
pub fn logs_pattern(prefix: &str) -> String {
    format!("rl:{{{}*}}:w:*", encode(prefix))
}

/// A `SCAN MATCH` pattern for all stored limits.
pub const LIMITS_PATTERN: &str = "rl:{*}:limit";

fn decode(encoded: &str) -> Option<LimiterKey> {
    let text = percent_decode_str(encoded).decode_utf8().ok()?;
    let key = LimiterKey::new(&text).ok()?;
    // Only the one spelling this module writes: two names for one key would be two counters.
    (encode(key.as_str()) == encoded).then_some(key)
}

/// Which (key, window in ms) a log's name stands for; `None` if it is not one of ours.
#[must_use]
pub fn parse_log(name: &str) -> Option<(LimiterKey, u64)> {
    let (encoded, window) = name.strip_prefix("rl:{")?.split_once("}:w:")?;
    let parsed: u64 = window.parse().ok()?;
    let plain = (1..=MAX_QUANTITY).contains(&parsed) && parsed.to_string() == window;
    plain.then(|| decode(encoded)).flatten().map(|key| (key, parsed))
}

/// Whose stored limit a name stands for; `None` if it is not one of ours.
#[must_use]
pub fn parse_limit(name: &str) -> Option<LimiterKey> {
    decode(name.strip_prefix("rl:{")?.strip_suffix("}:limit")?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_brace_in_a_key_does_not_end_the_hash_tag() {
        let key = LimiterKey::new("a}:w:1{b").unwrap();
        assert_eq!(log(&key, 500), "rl:{a%7D%3Aw%3A1%7Bb}:w:500");
        assert_eq!(parse_log(&log(&key, 500)), Some((key, 500)));
    }

    #[test]
    fn names_that_are_not_ours_do_not_parse() {
        for name in ["rl:{a}:w:", "rl:{a}:w:0", "rl:{a}:w:007", "rl:{a b}:w:5", "rl:{%61}:w:5", "rl:{}:w:5", "x"] {
            assert_eq!(parse_log(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_key_survives_the_round_trip(text in "\\PC{1,128}", window in 1..=MAX_QUANTITY) {
            let key = LimiterKey::new(&text).unwrap();
            prop_assert_eq!(parse_log(&log(&key, window)), Some((key.clone(), window)));
            prop_assert_eq!(parse_limit(&limit(&key)), Some(key));
        }
    }
}
