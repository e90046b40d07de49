//! The cluster as a whole.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::scalar::by_id;

/// The answer of `/cluster/status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClusterStatus {
    /// Whether PD's leader has heard of nearly all regions since it leads.
    pub(crate) is_initialized: bool,
}

/// The answer of `/stats/region`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RegionStats {
    pub(crate) count: u64,
    pub(crate) empty_count: u64,
    /// MiB.
    pub(crate) storage_size: u64,
    #[serde(deserialize_with = "by_id")]
    pub(crate) store_leader_count: BTreeMap<u64, u64>,
    #[serde(deserialize_with = "by_id")]
    pub(crate) store_peer_count: BTreeMap<u64, u64>,
}
