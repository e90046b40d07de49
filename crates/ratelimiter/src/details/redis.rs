//! The expected Redis, as the inspector found it.

use serde::{Deserialize, Serialize};

/// The expected Redis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct RedisDetail {
    /// Whether it answered the inspector.
    pub(crate) answers: bool,
    /// If it did not: why.
    pub(crate) silence: Option<String>,
    /// Which start of it; the last known one while it does not answer.
    pub(crate) run_id: Option<String>,
    /// Why it does not do its work fully, if it says so or most of its callers do.
    pub(crate) trouble: Option<String>,
    /// What it does when its memory is full.
    pub(crate) eviction_policy: Option<String>,
}
