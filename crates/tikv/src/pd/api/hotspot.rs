//! Hot regions: the answer of `/hotspot/regions/read` and `/hotspot/regions/write`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::scalar::{by_id, null_is_empty};

/// Hot regions by the store of a peer, and by that of the leader.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HotRegions {
    #[serde(deserialize_with = "by_id")]
    pub(crate) as_peer: BTreeMap<u64, HotPeers>,
    #[serde(deserialize_with = "by_id")]
    pub(crate) as_leader: BTreeMap<u64, HotPeers>,
}

/// What is hot on one store.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HotPeers {
    /// Bytes a second of the whole store.
    pub(crate) store_bytes: f64,
    /// Keys a second of the whole store.
    pub(crate) store_keys: f64,
    /// Bytes a second of its hot regions.
    pub(crate) total_flow_bytes: f64,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) statistics: Vec<HotRegion>,
}

/// A hot region.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HotRegion {
    pub(crate) store_id: u64,
    pub(crate) region_id: u64,
    /// For how many reports in a row.
    pub(crate) hot_degree: i64,
    /// Bytes a second.
    pub(crate) flow_bytes: f64,
    /// Keys a second.
    pub(crate) flow_keys: f64,
    /// Queries a second.
    pub(crate) flow_query: f64,
}
