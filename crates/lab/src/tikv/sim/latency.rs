//! How long things take at a store, and why. The parts of a write add up: waiting to be proposed, appending to the log,
//! committing with the second fastest of three replicas, waiting to be applied, applying.

use super::Simulator;
use super::store::{CORES, Store};

/// At most so many regions of a store are looked at for what its commits take.
const LOOKED_AT: usize = 64;

/// How long things take at a store, in seconds, 99 of 100 at most.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Latency {
    /// The share of its processors that is used.
    pub(crate) busy: f64,
    /// The share of the raftstore's threads that is used.
    pub(crate) raftstore: f64,
    /// The share of the busiest applying thread that is used.
    pub(crate) applying: f64,
    /// Appending to the log.
    pub(crate) append: f64,
    /// Waiting to be proposed.
    pub(crate) propose: f64,
    /// From proposing to committing, of what it leads; none, if it leads nothing.
    pub(crate) commit: Option<f64>,
    /// Waiting to be applied.
    pub(crate) apply_wait: f64,
    /// Applying.
    pub(crate) apply: f64,
    /// Waiting for a latch.
    pub(crate) latch: f64,
    /// What the engine holds a write back.
    pub(crate) stall: f64,
    /// Waiting to be read.
    pub(crate) read_wait: f64,
    /// A read.
    pub(crate) read: f64,
    /// A read by the coprocessor.
    pub(crate) scan: f64,
}

impl Latency {
    /// A write, given what its commit takes.
    pub(crate) fn write(&self, commit: f64) -> f64 {
        0.001 + self.latch + self.propose + commit + self.apply_wait + self.apply
    }
}

/// What waiting for a server adds that is used to the share `used`: little, until it is nearly all.
fn queue(base: f64, used: f64) -> f64 {
    base / (1.0 - used.min(0.95)) + (used - 0.95).max(0.0) * 4.0
}

/// Cores that a flow needs.
pub(crate) fn cores_needed(store: &Store) -> f64 {
    let flow = &store.flow;
    0.25 + flow.reads * 40e-6 + flow.scans * 1e-3 + flow.writes * 70e-6 + flow.applies * 45e-6
}

/// What a store's parts take of processors, in cores.
pub(crate) fn threads(store: &Store) -> [(&'static str, f64); 6] {
    let flow = &store.flow;
    [
        ("raftstore", (flow.writes + flow.applies) * 12e-6 + 0.05),
        ("apply", flow.applies * 25e-6 + 0.02),
        ("sched", flow.writes * 20e-6 + 0.01),
        ("grpc", (flow.reads + flow.writes) * 15e-6 + 0.02),
        ("unified_read_po", flow.reads * 25e-6 + flow.scans * 1e-3),
        ("store_write", flow.applies * 8e-6 + 0.01),
    ]
}

impl Simulator {
    /// What depends on a store alone.
    pub(super) fn step_latencies(&mut self) {
        for index in 0..self.stores.len() {
            let cold = self.coldness(index);
            let store = &mut self.stores[index];
            if !store.process.running {
                store.latency = Latency::default();
                continue;
            }
            let free = (1.0 - store.damage.cpu_stolen).max(0.02);
            let busy = cores_needed(store) / (CORES * free);
            let flow = store.flow;
            let raftstore = threads(store)[0].1 / (2.0 * free);
            // One region is applied by one thread, so the hottest region can use up one and no more.
            let applying = (flow.hottest * 70e-6).max(flow.applies * 25e-6 / 2.0) / free;
            let slow = queue(1.0, busy);
            let stall = store.stall();
            let append = (0.002 + store.damage.disk_delay / 1_000.0) * slow.min(20.0);
            let read = queue(0.001, busy) * (1.0 + 3.0 * cold) + store.damage.disk_delay / 1_000.0 * 0.05;
            store.latency = Latency {
                busy,
                raftstore,
                applying,
                append,
                propose: queue(0.000_5, raftstore) + (append - 0.05).max(0.0) * 0.8,
                commit: store.latency.commit,
                apply_wait: queue(0.000_5, applying) + stall * 0.5,
                apply: 0.001 * slow.min(50.0) + stall,
                latch: queue(0.000_2, busy * 0.8),
                stall,
                read_wait: queue(0.000_3, busy),
                read,
                scan: 0.02 * slow.min(50.0) * (1.0 + 3.0 * cold),
            };
        }
        if self.now.rem_euclid(1_000) == 0
            && (self.stores.len() <= 50 || self.now.rem_euclid(super::timing::SCRAPE) == 0)
        {
            for index in 0..self.stores.len() {
                self.stores[index].latency.commit = self.commit(index);
            }
        }
    }

    /// What commits take of what a store leads.
    fn commit(&self, index: usize) -> Option<f64> {
        let leader = index as u16;
        let mut taken: Vec<f64> = Vec::new();
        let led =
            self.regions.held(index).regions.iter().filter(|&&region| self.regions.get(region).leader == Some(leader));
        for &region in led.take(LOOKED_AT) {
            let peers = &self.regions.get(region).peers;
            let voters = peers.iter().filter(|peer| !peer.learner).count();
            let mut acks: Vec<f64> = peers
                .iter()
                .filter(|peer| !peer.learner && self.linked(index, peer.store.into()))
                .map(|peer| {
                    let there = usize::from(peer.store);
                    let on_the_way = if there == index { 0.0 } else { self.round_trip(index, there) / 1_000.0 };
                    self.stores[there].latency.append + on_the_way
                })
                .collect();
            acks.sort_by(f64::total_cmp);
            if let Some(&ack) = acks.get(voters / 2) {
                taken.push(ack);
            }
        }
        taken.sort_by(f64::total_cmp);
        taken.get((taken.len() * 97) / 100).copied()
    }
}
