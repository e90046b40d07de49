//! The stores, as PD knows them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::scalar::{by_id, null_is_empty, optional_size};

/// The answer of `/stores`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stores {
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) stores: Vec<StoreAndStatus>,
}

/// A store: what was said when it joined, and what its heartbeats said since.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(crate) struct StoreAndStatus {
    pub(crate) store: Store,
    #[serde(default)]
    pub(crate) status: StoreStatus,
}

/// What does not change from one heartbeat to the next.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(crate) struct Store {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) address: String,
    #[serde(default)]
    pub(crate) status_address: String,
    /// Up, Offline or Tombstone: 0, 1, 2; left out when 0.
    #[serde(default)]
    pub(crate) state: u64,
    /// Preparing, Serving, Removing or Removed: 0 to 3; left out when 0. Not before PD 6.0.
    pub(crate) node_state: Option<u64>,
    /// With heartbeats counted in: `Up`, `Disconnected`, `Down`, `Offline`, `Tombstone`.
    #[serde(default)]
    pub(crate) state_name: String,
    #[serde(default)]
    pub(crate) physically_destroyed: bool,
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) labels: Vec<Label>,
    #[serde(default)]
    pub(crate) version: String,
    /// Seconds since 1970.
    #[serde(default)]
    pub(crate) start_timestamp: i64,
    /// Nanoseconds since 1970.
    #[serde(default)]
    pub(crate) last_heartbeat: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Label {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What its heartbeats say, and what PD counts of it. Zero is left out.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoreStatus {
    #[serde(deserialize_with = "optional_size")]
    pub(crate) capacity: Option<f64>,
    #[serde(deserialize_with = "optional_size")]
    pub(crate) available: Option<f64>,
    #[serde(deserialize_with = "optional_size")]
    pub(crate) used_size: Option<f64>,
    pub(crate) leader_count: u64,
    pub(crate) leader_weight: f64,
    pub(crate) leader_score: f64,
    /// MiB.
    pub(crate) leader_size: u64,
    pub(crate) region_count: u64,
    pub(crate) region_weight: f64,
    pub(crate) region_score: f64,
    /// MiB.
    pub(crate) region_size: u64,
    pub(crate) pending_peer_count: u64,
    pub(crate) slow_score: Option<u64>,
    #[serde(deserialize_with = "by_id")]
    pub(crate) network_slow_score: BTreeMap<u64, u64>,
    pub(crate) sending_snap_count: u64,
    pub(crate) receiving_snap_count: u64,
    pub(crate) is_busy: bool,
    pub(crate) pause_leader_transfer_in: bool,
    pub(crate) pause_leader_transfer_out: bool,
}

/// Peers a minute: one entry of the answer of `/stores/limit`, which is by store.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Limits {
    pub(crate) add_peer: f64,
    pub(crate) remove_peer: f64,
}
