//! How far old versions may be collected, and who holds that back.

use serde::Deserialize;

use super::scalar::null_is_empty;

/// The answer of `/gc/safepoint`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SafePoints {
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) service_gc_safe_points: Vec<ServiceSafePoint>,
    /// A timestamp of PD: its physical milliseconds are all but the lowest 18 bits.
    pub(crate) gc_safe_point: u64,
}

/// Somebody who needs old versions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ServiceSafePoint {
    pub(crate) service_id: String,
    /// Seconds since 1970.
    pub(crate) expired_at: i64,
    pub(crate) safe_point: u64,
}

/// The answer of `/min-resolved-ts`. Its timestamp is 0, where nobody reports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MinResolvedTs {
    pub(crate) is_real_time: bool,
    pub(crate) min_resolved_ts: u64,
}
