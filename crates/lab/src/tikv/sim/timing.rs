//! How long things take, in milliseconds. Everything that comes from a source says so; the rest is marked as a guess.

/// How far the model moves at a time. Every other time here is a multiple of it, or is rounded up to one.
pub(crate) const TICK: i64 = 500;

/// A store's heartbeat (`pd-store-heartbeat-tick-interval` of TiKV).
pub(crate) const STORE_HEARTBEAT: i64 = 10_000;
/// Without a heartbeat for longer, a store is called Disconnected (PD: `storeDisconnectDuration`, 20 s).
pub(crate) const DISCONNECTED: i64 = 20_000;
/// Without a heartbeat for longer, PD counts a store as unhealthy and refuses it as a target (PD: 10 min).
pub(crate) const UNHEALTHY: i64 = 600_000;
/// A leader reports a peer as down that was silent for so long (`max-peer-down-duration` of TiKV).
pub(crate) const PEER_DOWN: i64 = 600_000;
/// PD looks at the states of stores every so often (PD: `nodeStateCheckJobInterval`).
pub(crate) const NODE_STATE_CHECK: i64 = 10_000;

/// A Raft election begins between so long and twice that after the leader fell silent (TiKV:
/// `raft-election-timeout-ticks` 10, `raft-base-tick-interval` 1 s).
pub(crate) const RAFT_ELECTION: i64 = 10_000;
/// A leader that reaches no majority steps down after so long (TiKV: `raft-store-max-leader-lease` 9 s, rounded to a tick).
pub(crate) const LEADER_LEASE: i64 = 9_000;

/// From the death of PD's leader to the next one that answers; seen once at a real PD: 12.2 s.
pub(crate) const PD_FAILOVER: i64 = 12_000;
/// From a request to transfer PD's leadership to the new leader; seen once at a real PD: below 0.5 s.
pub(crate) const PD_TRANSFER: i64 = 500;
/// From a request to resign to the next leader; seen once at a real PD: at most 3.5 s.
pub(crate) const PD_RESIGN: i64 = 3_500;
/// A leader of PD without a majority gives up after its lease (PD: `lease` 5 s).
pub(crate) const PD_LEASE: i64 = 5_000;
/// Regions report every minute, so a new leader of PD has heard of nine in ten of them after so long (TiKV:
/// `pd-heartbeat-tick-interval` 60 s).
pub(crate) const PD_COLLECTS: i64 = 54_000;

/// From the start of TiKV's process to its first heartbeat. A guess.
pub(crate) const STORE_BOOT: i64 = 5_000;
/// From the start of PD's process to a member that takes part. A guess.
pub(crate) const MEMBER_BOOT: i64 = 2_000;
/// What a store's peers need to catch up after it was away for a moment, at least. A guess.
pub(crate) const CATCH_UP: i64 = 8_000;
/// TiKV hands its leaders over for at most so long before it ends (since 8.5.7).
pub(crate) const GRACEFUL_SHUTDOWN: i64 = 20_000;
/// The block cache is warm again after so long. A guess, from what people report: 5 to 10 minutes.
pub(crate) const WARM_UP: i64 = 300_000;

/// An operator that moves a leader; seen at a real PD with simulated stores: 2 s.
pub(crate) const MOVE_LEADER: i64 = 2_000;
/// What moving a replica takes besides copying it. A guess.
pub(crate) const MOVE_PEER: i64 = 4_000;
/// How many MiB a snapshot moves in a millisecond (TiKV: `snap-io-max-bytes-per-sec` 100 MiB).
pub(crate) const SNAPSHOT_MIB_PER_MS: f64 = 0.1;
/// PD keeps a record of an operator for so long after its end (PD: 10 min).
pub(crate) const OPERATOR_RECORD: i64 = 600_000;

/// TiKV's disk inspection doubles the slow score every so often while a tenth of the probes are late (TiKV: 3 s rounds).
pub(crate) const SLOW_SCORE_ROUND: i64 = 3_000;
/// A probe of the disk is late after so many milliseconds (TiKV: inspection every 100 ms, from 8.5).
pub(crate) const LATE_PROBE: f64 = 100.0;
/// The slow score falls from 100 to 1 in so long without a late probe (TiKV: 5 min).
pub(crate) const SLOW_SCORE_RECOVERY: i64 = 300_000;
/// PD gives a store that it evicted for slowness its leaders back after so long (PD: `recovery-duration` 1800 s).
pub(crate) const SLOW_STORE_RECOVERY: i64 = 1_800_000;

/// Prometheus scrapes every so often, as the configurations that come with TiKV have it.
pub(crate) const SCRAPE: i64 = 15_000;
/// A series without a new sample is forgotten after so long (Prometheus: lookback delta).
pub(crate) const LOOKBACK: i64 = 300_000;
