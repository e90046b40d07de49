//! A member of PD.

use serde::{Deserialize, Serialize};

/// A member of PD, as it answered itself and as the others see it. What it did not say is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberDetail {
    /// Its id. It exceeds 2^53.
    pub(crate) member_id: u64,
    /// Where it is asked.
    pub(crate) urls: Vec<String>,
    /// Whether it answered `/ping` in time.
    pub(crate) answers: bool,
    /// If it did not: why.
    pub(crate) silence: Option<String>,
    /// If it did not: whether the connection was refused, so that no process listens there.
    pub(crate) refused: bool,
    /// If it did not: whether that was for a certificate, ours or its.
    pub(crate) tls: bool,
    /// What the answering member found when it asked this one (`/health`).
    pub(crate) healthy: Option<bool>,
    /// Its version.
    pub(crate) version: Option<String>,
    /// Seconds since 1970 at which it started: tells one start from the next.
    pub(crate) started: Option<i64>,
    /// Its priority as a leader.
    pub(crate) priority: i64,
}
