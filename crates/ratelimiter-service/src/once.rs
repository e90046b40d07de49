//! Calls with a lasting effect: at most once for an `Idempotency-Key`, and only on the Redis that was meant.
//!
//! The record of what was done is written by the very script that does it, so there is no instant at which one
//! is there without the other.

use std::fmt::Write as _;

use redis::Value;
use sha2::{Digest, Sha256};

use crate::call::{Call, CallError, int, text, unsigned};
use crate::keys::{self, LimiterKey};

/// How long a record is kept, in ms: 24 h.
const KEEP_MS: u64 = 86_400_000;

/// The conditions under which something may be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Do it once only under this name.
    pub idempotency_key: Option<String>,
    /// Do it only on the Redis with this `run_id`.
    pub run_id: Option<String>,
    /// Do it only if the version is this one, or (`*`) if there is one.
    pub if_match: Option<String>,
    /// Do it only if there is none yet.
    pub if_none_match: bool,
}

/// It was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Generation of a reset, version of a limit change.
    pub answer: u64,
    /// By an earlier call with the same `Idempotency-Key`.
    pub replayed: bool,
    /// The Redis that did it.
    pub run_id: String,
}

/// It was not done, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The `Idempotency-Key` was used for something else.
    #[error("this Idempotency-Key was used for another call")]
    UsedForAnother,
    /// Another Redis than the one required.
    #[error("Redis is another one now: {run_id}")]
    AnotherRedis {
        /// The one that is there.
        run_id: String,
    },
    /// The version differs.
    #[error("the version is another one")]
    VersionDiffers {
        /// The one that is there; `None` if nothing is stored.
        version: Option<u64>,
    },
    /// There is nothing to delete.
    #[error("nothing is stored")]
    NotFound,
    /// Redis did not do it, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// SHA-256 in hex over an operation and its parameters.
#[must_use]
pub fn fingerprint(operation: &str, parameters: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&operation).chain(parameters) {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A script call under these conditions: `keys` and `args` are those of the script itself.
#[must_use]
pub fn call(key: &LimiterKey, conditions: &Conditions, body: String, keys: &[String], args: Vec<String>) -> Call {
    // Without an Idempotency-Key the name is never touched: an empty hash says so to the script.
    let record = keys::idempotency(key, conditions.idempotency_key.as_deref().unwrap_or_default());
    let body = if conditions.idempotency_key.is_some() { body } else { String::new() };
    let mut call = Call { keys: vec![record], args: vec![body, conditions.run_id.clone().unwrap_or_default()] };
    call.keys.extend_from_slice(keys);
    call.args.push(KEEP_MS.to_string());
    call.args.extend(args);
    call
}

/// Understands what such a script answers (a late answer has been sorted out before).
///
/// # Errors
/// It was not done.
pub fn parse(answer: &[Value]) -> Result<Done, OnceError> {
    let run_id = text(answer, 2)?;
    match int(answer, 0)? {
        status @ (0 | 1) => Ok(Done { answer: unsigned(answer, 3)?, replayed: status == 1, run_id }),
        3 => Err(OnceError::UsedForAnother),
        4 => Err(OnceError::AnotherRedis { run_id }),
        5 => {
            let version = unsigned(answer, 3)?;
            Err(OnceError::VersionDiffers { version: (version > 0).then_some(version) })
        }
        6 => Err(OnceError::NotFound),
        status => Err(CallError::Malformed(format!("status {status}")).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn parameters_cannot_run_into_each_other() {
        assert_ne!(fingerprint("put", &["1", "23"]), fingerprint("put", &["12", "3"]));
        assert_eq!(fingerprint("put", &["1"]), fingerprint("put", &["1"]));
    }
}
