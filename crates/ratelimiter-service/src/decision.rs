//! One decision: what is asked, what is answered, and how the answer of the script is understood.

use redis::Value;

use crate::admitted::CounterId;
use crate::call::{Call, CallError, int, unsigned};
use crate::keys::{self, LimiterKey};

/// A check, as a client asks for it. Every number is from 1 to [`keys::MAX_QUANTITY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRequest {
    /// Whose counter.
    pub key: LimiterKey,
    /// Limit, unless one is stored.
    pub limit: Option<u64>,
    /// Window in ms.
    pub window_ms: Option<u64>,
    /// How much is asked for, all or nothing.
    pub cost: u64,
}

/// What a limit and a window are when nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Limit.
    pub limit: u64,
    /// Window in ms.
    pub window_ms: u64,
}

/// A stored limit, as far as decisions need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredLimit {
    /// Authoritative for every window of the key.
    pub limit: u64,
    /// Window where the request gives none.
    pub window_ms: Option<u64>,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Redis; the script would have done nothing after this instant (µs of its clock).
    Redis {
        /// The deadline.
        deadline_us: i64,
    },
    /// This node without Redis.
    Degraded,
}

/// An answer to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request may pass.
    pub allowed: bool,
    /// Sum in the window, this one included if it may.
    pub current_count: u64,
    /// What would still fit.
    pub remaining: u64,
    /// Refused: seconds until it would fit, at least 1; `None` if allowed or never.
    pub retry_after_seconds: Option<u64>,
    /// The limit in force.
    pub limit: u64,
    /// The window in ms.
    pub window_ms: u64,
    /// When, in µs of Redis's clock.
    pub t_us: i64,
    /// The log's last grant.
    pub seq: u64,
    /// The key's generation.
    pub generation: u64,
    /// Who decided.
    pub source: Source,
}

impl Decision {
    /// The value of `X-RateLimit-Decision`.
    #[must_use]
    pub fn trace(&self) -> String {
        let source = match self.source {
            Source::Redis { .. } => "redis",
            Source::Degraded => "degraded",
        };
        format!("t={};seq={};gen={};limit={};source={source}", self.t_us, self.seq, self.generation, self.limit)
    }
}

/// What a check can fail with: its data in Redis cannot be read. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {part} of key {key:?} cannot be read; {cure}")]
pub struct Unreadable {
    /// Whose.
    pub key: LimiterKey,
    /// `log`, `hash` or `limit`.
    pub part: String,
    /// What to do about it.
    pub cure: &'static str,
}

impl Unreadable {
    fn new(key: &LimiterKey, part: String) -> Self {
        let cure = if part == "limit" { "storing the limit anew heals it" } else { "a reset of the key heals it" };
        Self { key: key.clone(), part, cure }
    }
}

/// What Redis decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The answer.
    pub decision: Decision,
    /// The stored limit it met.
    pub stored: Option<StoredLimit>,
    /// Entries in the log.
    pub log_entries: i64,
}

/// Whole seconds, rounded up, at least 1.
#[must_use]
pub fn retry_seconds(retry_us: i64) -> u64 {
    retry_us.max(1).unsigned_abs().div_ceil(1_000_000)
}

/// The script call that decides `request` for this writer (`node@boot`).
#[must_use]
pub fn call(request: &CheckRequest, writer: &str, defaults: Defaults) -> Call {
    let optional = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    Call {
        keys: vec![keys::hash(&request.key), keys::limit(&request.key), keys::log_prefix(&request.key)],
        args: vec![
            writer.to_owned(),
            request.cost.to_string(),
            optional(request.limit),
            optional(request.window_ms),
            defaults.limit.to_string(),
            defaults.window_ms.to_string(),
        ],
    }
}

/// Understands what the script answers (a late answer has been sorted out before).
///
/// # Errors
/// It is no such answer.
pub fn parse(
    request: &CheckRequest,
    answer: &[Value],
    deadline_us: i64,
) -> Result<Result<Decided, Unreadable>, CallError> {
    let status = int(answer, 0)?;
    if status == 3 {
        return Ok(Err(Unreadable::new(&request.key, crate::call::text(answer, 2)?)));
    }
    if !(0..=1).contains(&status) {
        return Err(CallError::Malformed(format!("status {status}")));
    }
    let (limit, sum, retry) = (unsigned(answer, 5)?, unsigned(answer, 7)?, int(answer, 8)?);
    let allowed = status == 0;
    let decision = Decision {
        allowed,
        current_count: sum,
        remaining: limit.saturating_sub(sum),
        retry_after_seconds: (!allowed && retry >= 0).then(|| retry_seconds(retry)),
        limit,
        window_ms: unsigned(answer, 6)?,
        t_us: int(answer, 2)?,
        seq: unsigned(answer, 3)?,
        generation: unsigned(answer, 4)?,
        source: Source::Redis { deadline_us },
    };
    let some = |at: usize| unsigned(answer, at).map(|n| (n > 0).then_some(n));
    let window_ms = some(11)?;
    let stored = some(10)?.map(|limit| StoredLimit { limit, window_ms });
    Ok(Ok(Decided { decision, stored, log_entries: int(answer, 9)? }))
}

/// The counter a request is for, as well as it can be told without Redis.
#[must_use]
pub fn counter(request: &CheckRequest, stored: Option<StoredLimit>, defaults: Defaults) -> CounterId {
    let window = request.window_ms.or(stored.and_then(|s| s.window_ms)).unwrap_or(defaults.window_ms);
    (request.key.as_str().into(), window)
}

#[cfg(test)]
mod tests {
    #[test]
    fn retry_is_in_whole_seconds_rounded_up_and_at_least_one() {
        let seconds = [-5, 0, 1, 1_000_000, 1_000_001].map(super::retry_seconds);
        assert_eq!(seconds, [1, 1, 1, 1, 2]);
    }
}
