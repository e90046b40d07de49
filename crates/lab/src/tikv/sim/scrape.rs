//! What Prometheus would have scraped: numbers of stores and members, every fifteen seconds.

use std::collections::VecDeque;

use super::store::{CORES, MEMORY};
use super::{Simulator, threads, timing};

/// Samples that are kept of a small cluster: four hours.
const KEPT: usize = 960;
/// At most so many samples of stores are kept in all.
const KEPT_IN_ALL: usize = 60_000;

/// Every number that is kept of a store: the name of its question, and after a slash the further label.
pub(crate) const OF_STORES: &[&str] = &[
    "store_started",
    "request_duration_p99/kv_get",
    "request_duration_p99/kv_prewrite",
    "request_duration_p99/kv_commit",
    "request_duration_p99/coprocessor",
    "request_rate/kv_get",
    "request_rate/kv_prewrite",
    "request_rate/kv_commit",
    "request_rate/coprocessor",
    "request_failures",
    "storage_write_p99",
    "storage_snapshot_p99",
    "latch_wait_p99",
    "scheduler_writing_bytes",
    "scheduler_too_busy",
    "flow_discard_ratio",
    "propose_wait_p99",
    "append_log_p99",
    "commit_log_p99",
    "apply_wait_p99",
    "apply_log_p99",
    "log_lag_p99",
    "raft_leaders",
    "raft_regions",
    "leader_missing",
    "slow_score",
    "channel_full",
    "snapshots",
    "coprocessor_wait_p999",
    "read_pool_running",
    "write_stall_p99",
    "pending_compaction",
    "level0_files",
    "disk_capacity",
    "disk_available",
    "disk_used",
    "critical_errors",
    "thread_cpu/raftstore",
    "thread_cpu/apply",
    "thread_cpu/sched",
    "thread_cpu/grpc",
    "thread_cpu/unified_read_po",
    "thread_cpu/store_write",
    "cpu",
    "cpu_quota",
    "memory",
    "memory_quota",
    "resolved_ts_lag",
];

/// Every number that is kept of a member of PD.
pub(crate) const OF_MEMBERS: &[&str] = &[
    "wal_fsync_p99",
    "etcd_peer_roundtrip_p99",
    "etcd_quota_used",
    "etcd_leader_changes",
    "tso_p99",
    "system_time_slow",
    "time_jump_back",
    "pd_regions/miss-peer-region-count",
    "pd_regions/down-peer-region-count",
    "pd_regions/pending-peer-region-count",
    "pd_regions/extra-peer-region-count",
    "pd_regions/offline-peer-region-count",
    "pd_regions/learner-peer-region-count",
    "pd_regions/empty-region-count",
    "pd_regions/oversized-region-count",
    "pd_regions/undersized-region-count",
    "no_target_store/rule_checker",
];

/// What one target said at one scrape; nothing, if it did not answer.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// When.
    pub(crate) at: i64,
    /// Which start of it answered; none did, if there is none.
    pub(crate) start: Option<u32>,
    /// The numbers, in the order of their names; what it does not say is not a number.
    pub(crate) values: Vec<f32>,
    /// Messages a second that could not be delivered, by the other store's id.
    pub(crate) unreachable: Vec<(u64, f32)>,
}

/// What was scraped, target by target.
#[derive(Debug, Default)]
pub(crate) struct Scrapes {
    /// By store.
    pub(crate) stores: Vec<VecDeque<Sample>>,
    /// By member.
    pub(crate) members: Vec<VecDeque<Sample>>,
}

fn keep(samples: &mut VecDeque<Sample>, sample: Sample, kept: usize) {
    samples.push_back(sample);
    while samples.len() > kept {
        samples.pop_front();
    }
}

impl Simulator {
    pub(super) fn step_scrape(&mut self) {
        if self.now.rem_euclid(timing::SCRAPE) != 0 || !self.prometheus_runs {
            return;
        }
        self.scrapes.stores.resize_with(self.stores.len(), VecDeque::new);
        self.scrapes.members.resize_with(self.members.len(), VecDeque::new);
        let kept = (KEPT_IN_ALL / self.stores.len().max(1)).clamp(24, KEPT);
        for index in 0..self.stores.len() {
            if !self.stores[index].joined {
                continue;
            }
            let process = &self.stores[index].process;
            let start = process.works(self.now).then_some(process.starts);
            let values = start.map(|_| OF_STORES.iter().map(|name| self.of_store(index, name)).collect());
            let unreachable = if start.is_some() { self.undelivered(index) } else { Vec::new() };
            let sample = Sample { at: self.now, start, values: values.unwrap_or_default(), unreachable };
            keep(&mut self.scrapes.stores[index], sample, kept);
        }
        let abnormal = self.abnormal_counts();
        for index in 0..self.members.len() {
            let member = &self.members[index];
            let start = member.works(self.now).then_some(member.process.starts);
            let values = start.map(|_| OF_MEMBERS.iter().map(|name| self.of_member(index, name, &abnormal)).collect());
            let sample = Sample { at: self.now, start, values: values.unwrap_or_default(), unreachable: Vec::new() };
            keep(&mut self.scrapes.members[index], sample, kept);
        }
    }

    /// A number of a store, as its process says it; not a number where it says nothing.
    pub(crate) fn of_store(&self, index: usize, name: &str) -> f32 {
        let store = &self.stores[index];
        let (latency, flow) = (&store.latency, &store.flow);
        let noisy = |value: f64| value * self.jitter(store.id * 1_000 + name.len() as u64, 0.08);
        let commit = latency.commit.unwrap_or(f64::NAN);
        let led = |value: f64| if self.regions.held(index).leaders > 0 { value } else { f64::NAN };
        let used = self.used(index);
        let value = match name {
            "store_started" => (store.process.started_at / 1_000) as f64,
            "request_duration_p99/kv_get" => noisy(led(latency.read)),
            "request_duration_p99/kv_prewrite" => noisy(led(latency.write(commit))),
            "request_duration_p99/kv_commit" => noisy(led(latency.write(commit) * 0.95)),
            "request_duration_p99/coprocessor" => noisy(led(latency.scan)),
            "request_rate/kv_get" => noisy(flow.reads),
            "request_rate/kv_prewrite" => noisy(flow.writes),
            "request_rate/kv_commit" => noisy(flow.writes * 0.98),
            "request_rate/coprocessor" => noisy(flow.scans),
            "request_failures" => flow.failures,
            "storage_write_p99" => noisy(led(latency.write(commit) - latency.latch)),
            "storage_snapshot_p99" => noisy(led(latency.read_wait)),
            "latch_wait_p99" => noisy(latency.latch),
            "scheduler_writing_bytes" => noisy(flow.writes * latency.write(commit).clamp(0.0, 5.0) * 1_024.0),
            "scheduler_too_busy" => flow.writes * store.discard_ratio(),
            "flow_discard_ratio" => store.discard_ratio(),
            "propose_wait_p99" => noisy(led(latency.propose)),
            "append_log_p99" => noisy(latency.append),
            "commit_log_p99" => noisy(commit),
            "apply_wait_p99" => noisy(latency.apply_wait),
            "apply_log_p99" => noisy(latency.apply),
            "log_lag_p99" => noisy(8.0 + store.lag),
            "raft_leaders" => self.regions.held(index).leaders as f64,
            "raft_regions" => self.regions.held(index).regions.len() as f64,
            "leader_missing" => self.leader_missing(index),
            "slow_score" => store.slow_score,
            "channel_full" => (latency.raftstore - 1.0).max(0.0) * 50.0,
            "snapshots" => {
                let (sending, receiving) = self.operators.snapshots(index as u16);
                f64::from(sending + receiving)
            }
            "coprocessor_wait_p999" => noisy(latency.read_wait * 3.0),
            "read_pool_running" => noisy((flow.reads * latency.read + flow.scans * latency.scan).min(5_000.0)),
            "write_stall_p99" => latency.stall,
            "pending_compaction" => noisy(store.pending_compaction),
            "level0_files" => store.level0.round(),
            "disk_capacity" => store.capacity,
            "disk_available" => store.available(used),
            "disk_used" => used,
            "critical_errors" => 0.0,
            "cpu" => noisy((latency.busy * CORES * (1.0 - store.damage.cpu_stolen)).min(CORES)),
            "cpu_quota" => CORES,
            "memory" => store.memory(self.coldness(index)),
            "memory_quota" => MEMORY,
            "resolved_ts_lag" => noisy(1.2 + if latency.stall > 0.0 { latency.stall * 5.0 } else { 0.0 }),
            other => {
                let pool = other.strip_prefix("thread_cpu/").unwrap_or_default();
                threads(store).iter().find(|(name, _)| *name == pool).map_or(f64::NAN, |(_, cores)| noisy(*cores))
            }
        };
        value as f32
    }

    /// Regions that a store has a replica of and that have no leader it hears of.
    fn leader_missing(&self, index: usize) -> f64 {
        let held = &self.regions.held(index).regions;
        self.regions.leaderless.iter().filter(|region| held.contains(region)).count() as f64
    }

    /// Messages a second that a store cannot deliver, by the other store's id.
    fn undelivered(&self, index: usize) -> Vec<(u64, f32)> {
        let held = &self.regions.held(index).regions;
        let mut found = Vec::new();
        // Only where something is wrong is there anything to find.
        let silent = self.stores.iter().enumerate().filter(|(_, store)| store.silent_since.is_some());
        let cut = self.cut_links.keys().filter(|(a, b)| *a == index || *b == index);
        let cut = cut.map(|&(a, b)| if a == index { b } else { a });
        let mut others: Vec<usize> =
            silent.map(|(other, _)| other).chain(cut).filter(|&other| other != index).collect();
        if self.stores[index].damage.isolated {
            others = (0..self.stores.len()).filter(|&other| other != index).collect();
        }
        others.sort_unstable();
        others.dedup();
        for other in others {
            if self.stores[other].joined
                && self.stores[other].record.state != 2
                && !held.is_disjoint(&self.regions.held(other).regions)
            {
                found.push((self.stores[other].id, (14.0 * self.jitter(other as u64, 0.15)) as f32));
            }
        }
        found
    }

    fn of_member(&self, index: usize, name: &str, abnormal: &[(&'static str, u64)]) -> f32 {
        let member = &self.members[index];
        let leads = self.serving() == Some(index);
        let noisy = |value: f64| value * self.jitter(index as u64 * 77 + name.len() as u64, 0.15);
        let recently = |at: i64| self.now - at >= 0;
        let value = match name {
            // A disk that hangs finishes no fsync, so there is nothing to say how long it took.
            "wal_fsync_p99" if member.disk_hangs => f64::NAN,
            "wal_fsync_p99" => noisy(0.004 + member.fsync_delay / 1_000.0),
            "etcd_peer_roundtrip_p99" => noisy(0.002),
            "etcd_quota_used" => 0.01,
            "etcd_leader_changes" => f64::from(1 + self.leadership.changes),
            "tso_p99" if leads && !member.disk_hangs => noisy(0.001 + member.fsync_delay / 10_000.0),
            "tso_p99" => f64::NAN,
            "system_time_slow" | "time_jump_back" => {
                member.clock_jumped.map_or(0.0, |(at, _)| if recently(at) { 3.0 } else { 0.0 })
            }
            "no_target_store/rule_checker" => {
                if leads {
                    self.no_target as f64
                } else {
                    0.0
                }
            }
            other => {
                let kind = other.strip_prefix("pd_regions/").unwrap_or_default();
                let count = abnormal.iter().find(|(name, _)| *name == kind).map_or(0, |(_, count)| *count);
                if leads && self.initialized() { count as f64 } else { 0.0 }
            }
        };
        value as f32
    }

    /// How many regions are abnormal, by PD's words for it.
    pub(crate) fn abnormal_counts(&self) -> Vec<(&'static str, u64)> {
        let all = [
            "miss-peer",
            "down-peer",
            "pending-peer",
            "extra-peer",
            "offline-peer",
            "learner-peer",
            "empty-region",
            "oversized-region",
            "undersized-region",
        ];
        let names = [
            "miss-peer-region-count",
            "down-peer-region-count",
            "pending-peer-region-count",
            "extra-peer-region-count",
            "offline-peer-region-count",
            "learner-peer-region-count",
            "empty-region-count",
            "oversized-region-count",
            "undersized-region-count",
        ];
        names
            .into_iter()
            .zip(all)
            .map(|(name, kind)| (name, self.abnormal(kind).map_or(0, |found| found.len() as u64)))
            .collect()
    }

    /// Regions that are abnormal in one of PD's ways, by index; none, if PD knows no such way.
    pub(crate) fn abnormal(&self, kind: &str) -> Option<Vec<u32>> {
        let wanted = self.settings.replicas as usize;
        let which = |fits: &dyn Fn(u32, &super::Region) -> bool| {
            let all = self.regions.all().iter().enumerate();
            all.filter(|(index, region)| fits(*index as u32, region)).map(|(index, _)| index as u32).collect()
        };
        Some(match kind {
            "down-peer" => self.with_down_peers(),
            "pending-peer" => self.regions.pending.iter().copied().collect(),
            "offline-peer" => {
                let mut found = std::collections::BTreeSet::new();
                for (index, _) in self.stores.iter().enumerate().filter(|(_, store)| store.record.state == 1) {
                    found.extend(self.regions.held(index).regions.iter().copied());
                }
                found.into_iter().collect()
            }
            "miss-peer" => which(&|_, region| region.peers.len() < wanted),
            "extra-peer" => which(&|index, region| {
                let moving = usize::from(self.operators.of(index).is_some_and(|operator| operator.added));
                region.peers.len() > wanted + moving
            }),
            "learner-peer" => which(&|_, region| region.peers.iter().any(|peer| peer.learner)),
            "empty-region" => which(&|_, region| region.size <= 1),
            "oversized-region" => which(&|_, region| region.size > 144),
            "undersized-region" => which(&|_, region| region.size < 10),
            _ => return None,
        })
    }
}
