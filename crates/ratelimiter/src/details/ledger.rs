//! What the nodes admitted, against what Redis recorded and against what was allowed, for the keys looked at in one
//! observation. Accounts that agree are only counted; those that do not are given whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The comparison of one observation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Redis's clock at the comparison, in microseconds; none if nothing could be compared.
    pub(crate) as_of_us: Option<u64>,
    /// If not: why.
    pub(crate) why_not: Option<String>,
    /// The keys that were looked at, in order.
    pub(crate) judged: Vec<String>,
    /// Where accounts differ by more than the tolerance.
    pub(crate) differing: Vec<Difference>,
    /// Logs that cannot be read, or hold entries that cannot.
    pub(crate) unreadable: Vec<UnreadableLog>,
    /// Where more was admitted than allowed.
    pub(crate) excess: Vec<Excess>,
    /// Keys of which it could not be told what was allowed.
    pub(crate) limit_unknown: Vec<String>,
    /// How each node that was asked stands over all keys.
    pub(crate) nodes: BTreeMap<String, NodeStanding>,
    /// What was looked at and what was not.
    pub(crate) coverage: Coverage,
}

/// One (key, window) whose accounts differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// The key.
    pub(crate) key: String,
    /// The window, in milliseconds.
    pub(crate) window_ms: u64,
    /// The first second compared, by Redis's clock.
    pub(crate) from: i64,
    /// The last one.
    pub(crate) to: i64,
    /// All accounts of it, those that agree included.
    pub(crate) accounts: Vec<Account>,
}

/// One writer's account in one generation, in cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// `node@boot`, or whatever stands in its place.
    pub(crate) writer: String,
    /// The node, if this boot of it was asked.
    pub(crate) node: Option<String>,
    /// The generation.
    pub(crate) generation: u64,
    /// What the node says it was granted.
    pub(crate) admitted: u64,
    /// What Redis says it granted.
    pub(crate) recorded: u64,
    /// What the node sent and never learned the outcome of.
    pub(crate) unanswered: u64,
}

impl Account {
    /// Admitted without a record; negative: recorded without being admitted.
    pub(crate) fn missing(&self) -> i64 {
        let signed = |cost: u64| i64::try_from(cost).unwrap_or(i64::MAX);
        signed(self.admitted) - signed(self.recorded)
    }
}

/// A log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnreadableLog {
    /// The key.
    pub(crate) key: String,
    /// The window, in milliseconds.
    pub(crate) window_ms: u64,
    /// How many entries are none; 0 if the log as a whole is none.
    pub(crate) entries: u64,
    /// What is wrong with it.
    pub(crate) why: String,
}

/// One (key, window) of which more was admitted than allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Excess {
    /// The key.
    pub(crate) key: String,
    /// The window, in milliseconds.
    pub(crate) window_ms: u64,
    /// The generation.
    pub(crate) generation: u64,
    /// The last second of the worst stretch as long as the window, by Redis's clock.
    pub(crate) until: i64,
    /// What all nodes admitted in it, in cost, with and without Redis.
    pub(crate) admitted: u64,
    /// How much of it without Redis.
    pub(crate) degraded: u64,
    /// The highest limit in force in it.
    pub(crate) limit: u64,
    /// What nodes without Redis were allowed beyond it.
    pub(crate) shares: u64,
    /// Nodes that decided by a higher limit than that.
    pub(crate) over: Vec<OverLimit>,
    /// Nodes that admitted without Redis and without a share.
    pub(crate) open: Vec<String>,
    /// How many nodes admitted something in it.
    pub(crate) nodes: u32,
}

/// A node that decided by a higher limit than the one in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OverLimit {
    /// The node.
    pub(crate) node: String,
    /// The limit it decided by.
    pub(crate) limit: u64,
}

/// How a node stands over all keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct NodeStanding {
    /// Which start of it.
    pub(crate) boot_id: String,
    /// On how many (key, window) its grants are on record.
    pub(crate) agreeing: u32,
    /// On how many they are not.
    pub(crate) differing: u32,
}

/// What was looked at and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Coverage {
    /// Keys looked at.
    pub(crate) compared: u64,
    /// Keys known and left for another observation.
    pub(crate) waiting: u64,
    /// Boots with records that can no longer be asked.
    pub(crate) boots_not_asked: u64,
    /// Accounts that a node had no room to keep.
    pub(crate) untracked: u64,
}
