//! PD's schedulers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::scalar::{by_id, null_is_empty};

/// The answer of `/scheduler-config/evict-leader-scheduler/list`: the stores whose leaders are evicted by request.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(crate) struct EvictedStores {
    /// Key ranges by store.
    #[serde(rename = "store-id-ranges", deserialize_with = "by_id")]
    pub(crate) stores: BTreeMap<u64, Value>,
}

/// The answer of `/scheduler-config/evict-slow-store-scheduler/list`: the stores whose leaders PD evicts by itself. Its
/// name changed once (`pkg/schedule/schedulers/evict_slow_store.go`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EvictedSlowStores {
    #[serde(rename = "evict-stores", alias = "evicted-stores", deserialize_with = "null_is_empty")]
    pub(crate) stores: Vec<u64>,
}

/// What a scheduler says of itself: the answer of `/schedulers/diagnostic/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Diagnostic {
    pub(crate) name: String,
    /// `pending`, `scheduling`, `normal`, `paused`, `disabled`, `halted`.
    pub(crate) status: String,
    pub(crate) summary: String,
}
