//! Calls of scripts: what is sent, what comes back, and how it can fail, with whether it is certain that nothing happened.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use redis::{RedisError, Value};

/// A future that owns what it needs, so that it can outlive the request it was made for.
pub type Reply<T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send>>;

/// What each of several script calls answered.
pub type Answers = Vec<Result<Vec<Value>, CallError>>;

/// How a call to Redis failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no connection, or nothing is known of Redis's clock: nothing was sent, nothing happened.
    #[error("not connected to Redis")]
    NotSent,
    /// Redis refused the command whole (out of memory, read-only, loading, …): nothing happened.
    #[error("Redis refused: {0}")]
    Refused(String),
    /// It came after its deadline: nothing happened, and nothing will.
    #[error("Redis was too late")]
    Late,
    /// The connection failed after sending: it may have happened.
    #[error("connection to Redis lost")]
    Lost(#[source] RedisError),
    /// No answer in time: it may still happen, until its deadline.
    #[error("no answer from Redis within {0:?}")]
    TimedOut(Duration),
    /// The answer is not one the script gives: it may have happened.
    #[error("unexpected answer from Redis: {0}")]
    Malformed(String),
}

impl CallError {
    /// Whether it is certain that the call has no effect and never will.
    #[must_use]
    pub fn without_effect(&self) -> bool {
        matches!(self, Self::NotSent | Self::Refused(_) | Self::Late)
    }

    /// What a failure that Redis or the connection reports means.
    #[must_use]
    pub fn from_redis(error: RedisError) -> Self {
        // These replies come before a script starts. Any other error might come from the middle of one.
        const WHOLE: [&str; 15] = [
            "OOM",
            "READONLY",
            "MISCONF",
            "LOADING",
            "BUSY",
            "NOSCRIPT",
            "NOAUTH",
            "NOPERM",
            "CLUSTERDOWN",
            "MOVED",
            "ASK",
            "TRYAGAIN",
            "MASTERDOWN",
            "NOREPLICAS",
            "CROSSSLOT",
        ];
        match error.code() {
            Some(code) if WHOLE.contains(&code) => Self::Refused(error.to_string()),
            Some(_) => Self::Malformed(error.to_string()),
            None => Self::Lost(error),
        }
    }
}

/// Keys and arguments (those after the deadline) of one script call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `KEYS`.
    pub keys: Vec<String>,
    /// `ARGV` from the second on.
    pub args: Vec<String>,
}

/// The values of one script's answer.
///
/// # Errors
/// The script failed, or answered none.
pub fn unpack(answer: Value) -> Result<Vec<Value>, CallError> {
    match answer {
        Value::Array(values) => Ok(values),
        Value::ServerError(error) => Err(CallError::from_redis(error.into())),
        other => Err(CallError::Malformed(format!("{other:?}"))),
    }
}

/// A number in an answer of a script.
///
/// # Errors
/// There is none at that place.
pub fn int(answer: &[Value], at: usize) -> Result<i64, CallError> {
    match answer.get(at) {
        Some(Value::Int(number)) => Ok(*number),
        other => Err(CallError::Malformed(format!("no number at {at}: {other:?}"))),
    }
}

/// A number that cannot be negative in an answer of a script.
///
/// # Errors
/// There is none at that place.
pub fn unsigned(answer: &[Value], at: usize) -> Result<u64, CallError> {
    u64::try_from(int(answer, at)?).map_err(|_| CallError::Malformed(format!("negative number at {at}")))
}

/// A text in an answer of a script.
///
/// # Errors
/// There is none at that place.
pub fn text(answer: &[Value], at: usize) -> Result<String, CallError> {
    match answer.get(at) {
        Some(Value::BulkString(bytes)) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Some(Value::SimpleString(text)) => Ok(text.clone()),
        other => Err(CallError::Malformed(format!("no text at {at}: {other:?}"))),
    }
}
