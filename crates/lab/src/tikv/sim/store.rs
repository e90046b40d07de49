//! Stores: what is so, and what PD knows of it.

use std::collections::{BTreeMap, VecDeque};

use super::latency::Latency;
use super::process::Process;

/// What is wrong with a store. All of it is a cause; symptoms follow.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Damage {
    /// What its disk takes for an fsync beyond what it should, in milliseconds.
    pub(crate) disk_delay: f64,
    /// What a round trip between it and every other store takes beyond what it should, in milliseconds.
    pub(crate) network_delay: f64,
    /// The share of its processors that others use.
    pub(crate) cpu_stolen: f64,
    /// Bytes of other people's files on its disk.
    pub(crate) foreign_bytes: f64,
    /// Whether it cannot reach PD.
    pub(crate) pd_cut: bool,
    /// Whether it reaches neither PD nor other stores.
    pub(crate) isolated: bool,
}

/// What PD knows of a store, by its heartbeats and by what was decided about it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// When the last heartbeat came, in milliseconds since 1970.
    pub(crate) last_heartbeat: i64,
    /// Whether one came since PD's present leader leads: otherwise its sizes are zero.
    pub(crate) reported: bool,
    /// When it started, as it said, in milliseconds since 1970.
    pub(crate) started_at: i64,
    /// 0 Up, 1 Offline, 2 Tombstone.
    pub(crate) state: u8,
    /// 0 Preparing, 1 Serving, 2 Removing, 3 Removed.
    pub(crate) node_state: u8,
    /// Whether it was removed by force.
    pub(crate) destroyed: bool,
    /// Bytes in all, as it said.
    pub(crate) capacity: f64,
    /// Bytes left, as it said.
    pub(crate) available: f64,
    /// Bytes of its data, as it said.
    pub(crate) used: f64,
    /// Its slow score, as it said.
    pub(crate) slow_score: f64,
    /// The same of its links, by store, as it said.
    pub(crate) network_slow_score: BTreeMap<u64, u64>,
    /// Whether it said that it is busy.
    pub(crate) busy: bool,
    /// Snapshots it sends and receives, as it said.
    pub(crate) snapshots: (u32, u32),
    /// Its weight as a leader and as a holder of regions.
    pub(crate) weights: (f64, f64),
    /// Peers a minute: added, removed.
    pub(crate) limits: (f64, f64),
    /// The limits before it was set Offline.
    pub(crate) limits_before: Option<(f64, f64)>,
    /// MiB it held when it was set Offline.
    pub(crate) removing_from: f64,
    /// Since when it has been Offline or Preparing.
    pub(crate) state_since: i64,
}

/// How much traffic meets a store, a second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flow {
    /// Requests that read.
    pub(crate) reads: f64,
    /// Requests that write, at their leader.
    pub(crate) writes: f64,
    /// Of the reads, those that the coprocessor serves.
    pub(crate) scans: f64,
    /// Writes that it applies, as a leader or a follower.
    pub(crate) applies: f64,
    /// Writes to the one region that is written most.
    pub(crate) hottest: f64,
    /// Requests that meet a region without a leader here.
    pub(crate) failures: f64,
}

/// A store.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// Its id.
    pub(crate) id: u64,
    /// Where it serves.
    pub(crate) address: String,
    /// Where it shows its status and metrics.
    pub(crate) status_address: String,
    /// Its labels, in order.
    pub(crate) labels: Vec<(String, String)>,
    /// Whether it joined the cluster.
    pub(crate) joined: bool,
    /// Its process.
    pub(crate) process: Process,
    /// What is wrong with it.
    pub(crate) damage: Damage,
    /// When its heartbeats come, within their interval.
    pub(crate) phase: i64,
    /// Since when other stores have not heard of it.
    pub(crate) silent_since: Option<i64>,
    /// Its replicas have caught up from then on.
    pub(crate) caught_up_at: i64,
    /// Bytes its disk holds.
    pub(crate) capacity: f64,
    /// From 1 to 100.
    pub(crate) slow_score: f64,
    /// Bytes of compaction that wait.
    pub(crate) pending_compaction: f64,
    /// Files at level 0.
    pub(crate) level0: f64,
    /// Raft log that followers on cut links are behind.
    pub(crate) lag: f64,
    /// What meets it.
    pub(crate) flow: Flow,
    /// How long things take there.
    pub(crate) latency: Latency,
    /// Milliseconds of processor used since its start.
    pub(crate) cpu_used: f64,
    /// What PD knows of it.
    pub(crate) record: Record,
    /// What it wrote to its log and nobody has read yet.
    pub(crate) log: VecDeque<(i64, String)>,
}

/// What a store's processors do at once.
pub(crate) const CORES: f64 = 8.0;
/// What a store may use of memory, in bytes.
pub(crate) const MEMORY: f64 = 16.0 * 1024.0 * 1024.0 * 1024.0;
/// TiKV calls a disk almost full with so many bytes left (`reserve-space` 5 GiB).
pub(crate) const ALMOST_FULL: f64 = 5.0 * 1024.0 * 1024.0 * 1024.0;
/// TiKV takes no writes with fewer bytes left than that (half of `reserve-space`).
pub(crate) const FULL: f64 = ALMOST_FULL / 2.0;

impl Store {
    /// A store that joined before `started_at` and has served since.
    pub(crate) fn serving(id: u64, capacity: f64, labels: Vec<(String, String)>, started_at: i64) -> Self {
        let record = Record {
            last_heartbeat: started_at,
            reported: false,
            started_at,
            state: 0,
            node_state: 1,
            destroyed: false,
            capacity: 0.0,
            available: 0.0,
            used: 0.0,
            slow_score: 1.0,
            network_slow_score: BTreeMap::new(),
            busy: false,
            snapshots: (0, 0),
            weights: (1.0, 1.0),
            limits: (15.0, 15.0),
            limits_before: None,
            removing_from: 0.0,
            state_since: started_at,
        };
        Self {
            id,
            address: format!("tikv-{id}:20160"),
            status_address: format!("tikv-{id}:20180"),
            labels,
            joined: true,
            process: Process::since(started_at),
            damage: Damage::default(),
            phase: (i64::try_from(id).unwrap_or(0) * 1_500) % super::timing::STORE_HEARTBEAT,
            silent_since: None,
            caught_up_at: 0,
            capacity,
            slow_score: 1.0,
            pending_compaction: 1.5e9,
            level0: 2.0,
            lag: 0.0,
            flow: Flow::default(),
            latency: Latency::default(),
            cpu_used: 0.0,
            record,
            log: VecDeque::new(),
        }
    }

    /// Whether its process does its work.
    pub(crate) fn works(&self, now: i64) -> bool {
        self.joined && self.process.works(now)
    }

    /// Whether other stores reach it.
    pub(crate) fn reachable(&self, now: i64) -> bool {
        self.works(now) && !self.damage.isolated
    }

    /// Bytes left on its disk, given the bytes of its data.
    pub(crate) fn available(&self, used: f64) -> f64 {
        (self.capacity - used - self.damage.foreign_bytes).max(0.0)
    }
}

impl Record {
    /// PD's word for its state, heartbeats counted in.
    pub(crate) fn state_name(&self, now: i64, max_down: i64) -> &'static str {
        let age = now - self.last_heartbeat;
        match self.state {
            1 => "Offline",
            2 => "Tombstone",
            _ if age > max_down => "Down",
            _ if age > super::timing::DISCONNECTED => "Disconnected",
            _ => "Up",
        }
    }

    /// The share of its disk that is left, as PD knows it; all, as long as nothing is known.
    pub(crate) fn available_ratio(&self) -> f64 {
        if self.capacity > 0.0 { self.available / self.capacity } else { 1.0 }
    }
}
