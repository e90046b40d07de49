//! A store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was decided about a store; what its heartbeats say is another matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoreState {
    /// It belongs to the cluster.
    #[default]
    Up,
    /// It is to be emptied and removed.
    Offline,
    /// It was removed.
    Tombstone,
}

/// Where it is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodeState {
    /// It gets its first regions.
    #[default]
    Preparing,
    /// It serves.
    Serving,
    /// It is being emptied.
    Removing,
    /// It is gone.
    Removed,
}

/// A store, as PD knows it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StoreDetail {
    /// Its id.
    pub(crate) id: u64,
    /// Where it serves.
    pub(crate) address: String,
    /// Where it shows its status and metrics.
    pub(crate) status_address: String,
    /// What was decided about it.
    pub(crate) state: StoreState,
    /// Where it is in its life.
    pub(crate) node_state: NodeState,
    /// PD's own word, heartbeats counted in: `Up`, `Disconnected`, `Down`, `Offline`, `Tombstone`.
    pub(crate) state_name: String,
    /// Whether it was removed by force; then that cannot be taken back.
    pub(crate) physically_destroyed: bool,
    /// Its version.
    pub(crate) version: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Seconds since 1970 at which it started: tells one start from the next.
    pub(crate) started: Option<i64>,
    /// Milliseconds since 1970 of its last heartbeat.
    pub(crate) last_heartbeat_ms: Option<i64>,
    /// Seconds since that heartbeat, when this was observed.
    pub(crate) heartbeat_age_s: Option<f64>,
    /// Bytes in all; PD rounds to four digits.
    pub(crate) capacity: Option<f64>,
    /// Bytes left; PD rounds to four digits.
    pub(crate) available: Option<f64>,
    /// Bytes used by its data; PD rounds to four digits.
    pub(crate) used: Option<f64>,
    /// Regions it leads.
    pub(crate) leader_count: u64,
    /// Regions it holds.
    pub(crate) region_count: u64,
    /// Its score as a leader.
    pub(crate) leader_score: f64,
    /// Its score as a holder of regions.
    pub(crate) region_score: f64,
    /// Its weight as a leader.
    pub(crate) leader_weight: f64,
    /// Its weight as a holder of regions.
    pub(crate) region_weight: f64,
    /// MiB of the regions it leads.
    pub(crate) leader_size_mib: u64,
    /// MiB of the regions it holds.
    pub(crate) region_size_mib: u64,
    /// From 1, well, to 100, stuck.
    pub(crate) slow_score: Option<u64>,
    /// The same of its links, by the other store's id.
    pub(crate) network_slow_score: BTreeMap<u64, u64>,
    /// Whether it says that it is busy.
    pub(crate) is_busy: bool,
    /// Snapshots it sends.
    pub(crate) sending_snapshots: u64,
    /// Snapshots it receives.
    pub(crate) receiving_snapshots: u64,
    /// Its peers that wait for a log or a snapshot.
    pub(crate) pending_peers: u64,
    /// Whether PD lets no leader come to it: the cleanest sign of an eviction.
    pub(crate) leader_in_paused: bool,
    /// Whether PD lets no leader leave it.
    pub(crate) leader_out_paused: bool,
}
