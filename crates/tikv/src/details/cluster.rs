//! What PD says of the cluster as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::HotDetail;

/// The cluster, as PD's leader sees it. What could not be read is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ClusterDetail {
    /// Whether PD's leader answered in this observation. If not, nothing below is of now.
    pub(crate) answers: bool,
    /// If it did not: why, in words.
    pub(crate) silence: Option<String>,
    /// If it did not: whether a member took the question and no answer came in time, as opposed to an answer that there is
    /// no leader, or to no connection.
    pub(crate) timed_out: bool,
    /// Whether PD answered that no store ever joined.
    pub(crate) empty: bool,
    /// The cluster's id. It exceeds 2^53.
    pub(crate) cluster_id: Option<u64>,
    /// The member that leads.
    pub(crate) leader: Option<String>,
    /// The member that leads etcd beneath.
    pub(crate) etcd_leader: Option<String>,
    /// Whether the present leader has heard of nearly all regions since it leads.
    pub(crate) initialized: Option<bool>,
    /// Milliseconds since 1970 at which another member was first seen to lead; none, as long as none changed.
    pub(crate) leader_changed_at: Option<i64>,
    /// How many changes of the leader were seen within the last ten minutes.
    pub(crate) leader_changes: u32,
    /// How many replicas a region should have: by the placement rules where they are on, else `max-replicas`.
    pub(crate) replicas: Option<u32>,
    /// The labels by which replicas are kept apart, outermost first.
    pub(crate) location_labels: Vec<String>,
    /// The placement rules.
    pub(crate) rules: Vec<RuleDetail>,
    /// A dead store's replicas are replaced after so many seconds.
    pub(crate) max_store_down_s: Option<f64>,
    /// All settings under `schedule` and `replicate`, as text: booleans and numbers are written both ways.
    pub(crate) settings: BTreeMap<String, String>,
    /// The schedulers there are.
    pub(crate) schedulers: BTreeMap<String, SchedulerDetail>,
    /// Stores whose leaders are evicted by request, by id. None, if it could not be read.
    pub(crate) drains: Option<BTreeMap<u64, DrainDetail>>,
    /// The store whose leaders PD evicts by itself because it is slow.
    pub(crate) slow_store_evicted: Option<u64>,
    /// How many peers a minute may be added to and removed from a store, by id.
    pub(crate) limits: BTreeMap<u64, LimitDetail>,
    /// Whether the limit of stores is of the kind that cannot be set by hand (`store-limit-version` v2).
    pub(crate) limits_are_v2: bool,
    /// How many regions there are.
    pub(crate) region_count: Option<u64>,
    /// How many regions are abnormal, by PD's word for it (`miss-peer`, `down-peer`, `pending-peer`, `extra-peer`,
    /// `offline-peer`, `empty-region`, `oversized-region`). Absent is unknown.
    pub(crate) abnormal: BTreeMap<String, u64>,
    /// Some of the abnormal regions, by the same words: at most a few of each.
    pub(crate) samples: BTreeMap<String, Vec<u64>>,
    /// Regions of which, as far as was looked, half or more of the voters are on stores that do not answer; and how many
    /// were looked at.
    pub(crate) without_quorum: Vec<u64>,
    /// How many regions were looked at for that; none, if that could not be done.
    pub(crate) looked_at: Option<u64>,
    /// What PD moves right now, at most a few hundred.
    pub(crate) operators: Vec<OperatorDetail>,
    /// How many operators there are in all.
    pub(crate) operator_count: Option<u64>,
    /// What is written far more than the rest. None, if it could not be read.
    pub(crate) hot_writes: Option<HotDetail>,
    /// What is read far more than the rest. None, if it could not be read.
    pub(crate) hot_reads: Option<HotDetail>,
    /// Removals under way, by store: from 0 to 1, and seconds left, as PD estimates them.
    pub(crate) removing: BTreeMap<u64, (f64, f64)>,
}

/// A placement rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RuleDetail {
    /// Its group and id, `pd/default`.
    pub(crate) name: String,
    /// `voter`, `leader`, `follower` or `learner`.
    pub(crate) role: String,
    /// How many replicas.
    pub(crate) count: u32,
    /// Labels that a store must have (or lack), as PD writes them: key, operator, values.
    pub(crate) constraints: Vec<(String, String, Vec<String>)>,
}

/// A scheduler of PD.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SchedulerDetail {
    /// Whether it is paused.
    pub(crate) paused: bool,
    /// Whether it is disabled.
    pub(crate) disabled: bool,
}

/// An eviction of leaders that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DrainDetail {
    /// Milliseconds since 1970 at which it was first seen here; it may be older.
    pub(crate) seen_since: i64,
    /// The intent of ours that it belongs to, if it is ours.
    pub(crate) ours: Option<String>,
}

/// How many peers a minute.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LimitDetail {
    /// Added.
    pub(crate) add_peer: f64,
    /// Removed.
    pub(crate) remove_peer: f64,
}

/// A step that PD has a region take.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OperatorDetail {
    /// What it is for, `balance-region`, `admin-move-peer`, `replace-down-replica` …
    pub(crate) desc: String,
    /// Its steps, in short.
    pub(crate) brief: String,
    /// The region.
    pub(crate) region: u64,
}
