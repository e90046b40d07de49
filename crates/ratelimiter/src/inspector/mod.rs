//! The expected Redis, looked at directly: over a connection of its own, with time and size bounded, reading only.
//!
//! Nothing here writes, loads a script or names itself: an operator that only watches leaves no trace but a connection.
//! Everything used is answered during a write pause too.

mod connection;
mod fold;
mod idempotency;
mod info;
mod limit_record;
mod registry;
mod scan;

use redis::Cmd;

pub(crate) use connection::{Inspection, Inspector};
pub(crate) use fold::{Fold, HORIZON_MS, LogId};
pub(crate) use info::Info;
pub(crate) use limit_record::LimitRecord;
pub(crate) use registry::{Registered, RegisteredState, Registry};

#[cfg(test)]
pub(crate) use {fold::RecordedRow, limit_record::Previous};

use crate::api::MAX_QUANTITY;

/// Why Redis could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectorError {
    /// No connection came about.
    #[error("could not connect to Redis at {address}")]
    Connect {
        /// Where.
        address: String,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// Nothing came in time.
    #[error("Redis at {address} did not answer within {waited:?}")]
    NoAnswer {
        /// Where.
        address: String,
        /// How long it was waited for.
        waited: std::time::Duration,
    },
    /// It answered with an error, or not at all.
    #[error("Redis could not be asked for {what}")]
    Call {
        /// What was asked for.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: redis::RedisError,
    },
    /// It answered something else than it should.
    #[error("what Redis answered to {what} is not understood: {why}")]
    NotUnderstood {
        /// What was asked for.
        what: &'static str,
        /// What is wrong with the answer.
        why: String,
    },
}

impl InspectorError {
    /// The error and its causes.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

fn not_understood(what: &'static str, why: impl Into<String>) -> InspectorError {
    InspectorError::NotUnderstood { what, why: why.into() }
}

/// A key as it stands within the names of Redis keys.
fn encoded(key: &str) -> String {
    percent_encoding::utf8_percent_encode(key, crate::client::ENCODED).to_string()
}

/// The key that stands encoded within a name; none if no limiter would have written it so.
fn decoded(name: &str) -> Option<String> {
    let key = percent_encoding::percent_decode_str(name).decode_utf8().ok()?.into_owned();
    (crate::api::is_key(&key) && encoded(&key) == name).then_some(key)
}

/// A limit or a window as a field holds it; 0 stands for none.
fn quantity(text: &str) -> Option<u64> {
    text.parse().ok().filter(|&number| number <= MAX_QUANTITY)
}

fn command(name: &str) -> Cmd {
    redis::cmd(name)
}
