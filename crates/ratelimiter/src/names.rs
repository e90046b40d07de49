//! The words of this subject: kinds, names of signals, invariants and parameters. Every name that is part of a ticket's
//! identity or of a recording stands here once.

use operator_protocols::{GroupId, Id, Locus};

/// The kind of subject, as configuration names it.
pub const KIND: &str = "ratelimiter";
/// The kind of component that decides.
pub const NODE: &str = "node";
/// The kind of component that the nodes share.
pub const REDIS: &str = "redis";
/// The local id of the expected Redis, and the kind of the link to one.
pub const REDIS_ID: &str = "redis";
/// The kind of entity that is counted.
pub const KEY: &str = "key";
/// The kind of entity that nodes must agree on.
pub const SETTING: &str = "setting";
/// The label that tells one start of a component from the next.
pub const INCARNATION: &str = "incarnation";

/// The group of all keys: what a finding about more than a few of them is about.
pub fn all_keys(subject: &str) -> Locus {
    Locus::Group(GroupId::new(subject, "keys"))
}

/// The group of all nodes: what holds when most of them say so.
pub fn all_nodes(subject: &str) -> Locus {
    Locus::Group(GroupId::new(subject, "nodes"))
}

/// One key.
pub fn key(subject: &str, key: &str) -> Locus {
    Locus::entity(subject, KEY, key)
}

/// The expected Redis.
pub fn redis(subject: &str) -> Id {
    Id::new(subject, REDIS_ID)
}

/// The local id of a Redis that some node uses and nobody expects, by the beginning of its run_id.
pub fn foreign_redis(run_id: &str) -> String {
    let prefix: String = run_id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{REDIS_ID}@{prefix}")
}

/// Names of signals; which thing each is about, its role and unit stand where it is made.
pub mod signal {
    /// Decisions a second of a node.
    pub const REQUESTS: &str = "requests";
    /// Decisions of a node since its start.
    pub const REQUESTS_TOTAL: &str = "requests_total";
    /// Refusals a second of a node.
    pub const BLOCKED: &str = "blocked";
    /// How long 99 of 100 decisions of a node take at most.
    pub const CHECK_P99: &str = "check_duration_p99";
    /// How long a decision of a node takes on average.
    pub const CHECK_MEAN: &str = "check_duration_mean";
    /// The largest delay of a timer within a node.
    pub const LOOP_LAG: &str = "loop_lag";
    /// How long a node takes to say that it lives.
    pub const LIVEZ: &str = "livez_duration";
    /// Decisions a second that a node takes without Redis.
    pub const DEGRADED: &str = "degraded_decisions";
    /// Decisions a second that a node refuses because a log cannot be read.
    pub const CORRUPT: &str = "corrupt_logs";
    /// Whether a component answers.
    pub const ANSWERS: &str = "answers";
    /// How long a call from a node to its Redis takes on average.
    pub const ROUNDTRIP_MEAN: &str = "roundtrip_mean";
    /// How long 99 of 100 calls from a node to its Redis take at most.
    pub const ROUNDTRIP_P99: &str = "roundtrip_p99";
    /// Calls a second from a node to its Redis.
    pub const CALLS: &str = "calls";
    /// Calls a second from a node to its Redis that failed or timed out.
    pub const CALL_ERRORS: &str = "call_errors";
    /// Calls a second from a node to its Redis whose outcome it never learned.
    pub const UNANSWERED: &str = "unanswered";
    /// Calls a second from a node that came to Redis after their deadline.
    pub const LATE: &str = "late_calls";
    /// How long Redis takes to answer a reading.
    pub const READ_DURATION: &str = "read_duration";
    /// How long Redis takes to answer the nodes: what most of them see at least.
    pub const SERVED_DURATION: &str = "served_duration";
    /// Commands a second that Redis carries out.
    pub const OPERATIONS: &str = "operations";
    /// How much of its allowed memory Redis uses.
    pub const MEMORY: &str = "memory_saturation";
    /// Memory that Redis uses.
    pub const MEMORY_BYTES: &str = "memory_used";
    /// How many of the allowed connections to Redis are open.
    pub const CONNECTIONS: &str = "connection_saturation";
    /// Connections to Redis that wait for a command to be carried out.
    pub const WAITING_CLIENTS: &str = "waiting_clients";
    /// Keys a second that Redis gives up for want of memory.
    pub const EVICTIONS: &str = "evictions";
    /// Keys whose two accounts were compared in this observation.
    pub const KEYS_COMPARED: &str = "keys_compared";
    /// Keys known, but not compared in this observation.
    pub const KEYS_WAITING: &str = "keys_not_compared";
    /// Boots that recorded grants and can no longer be asked.
    pub const BOOTS_NOT_ASKED: &str = "boots_not_asked";
    /// Accounts that a node had no room to keep.
    pub const KEYS_UNTRACKED: &str = "keys_without_room";
}
