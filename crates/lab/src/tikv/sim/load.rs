//! The load on the cluster, and how much of it meets which store.

use std::collections::VecDeque;

use super::store::{ALMOST_FULL, FULL, Flow};
use super::{Simulator, timing};
use crate::environment::{WorkloadSample, WorkloadSpec};

/// How many seconds of load are kept.
const KEPT: usize = 600;
/// The share of requests that read.
const READS: f64 = 0.6;
/// The share of reads that the coprocessor serves.
const SCANS: f64 = 0.02;

/// The load on the cluster.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Requests a second; none, if there is no load.
    pub(crate) rate: f64,
    /// How many times the usual writes are written.
    pub(crate) write_burst: f64,
    /// Rows that are written into one after the other, and how often a second.
    pub(crate) hot: Option<Hot>,
    started_at: i64,
    samples: VecDeque<WorkloadSample>,
}

/// Writes into one place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hot {
    /// The row around which it is written.
    pub(crate) row: u64,
    /// How many rows around it are written.
    pub(crate) width: u64,
    /// Writes a second.
    pub(crate) writes: f64,
}

impl Simulator {
    /// Puts the cluster under load, in place of any load before.
    pub(crate) fn start_load(&mut self, spec: &WorkloadSpec) {
        let count = self.regions.len();
        let share = |index: usize| ((index * 7919) % count + 1) as f64;
        let total: f64 = (0..count).map(|index| share(index).powf(-spec.zipf)).sum();
        self.regions.set_weights(|index| (share(index).powf(-spec.zipf) / total) as f32);
        self.load = Load { rate: f64::from(spec.rate), write_burst: 1.0, started_at: self.now, ..Load::default() };
    }

    /// Ends the load.
    pub(crate) fn stop_load(&mut self) {
        self.load.rate = 0.0;
    }

    /// What the load met, second by second.
    pub(crate) fn load_samples(&self) -> Vec<WorkloadSample> {
        self.load.samples.iter().copied().collect()
    }

    /// Writes into one place are spread over the regions that hold it: which, and how much of them goes there.
    fn hot_shares(&self) -> Vec<(u32, f64)> {
        let Some(hot) = self.load.hot else { return Vec::new() };
        let end = hot.row.saturating_add(hot.width);
        let share = |(index, region): (usize, &super::region::Region)| {
            let common = region.end.min(end).saturating_sub(region.start.max(hot.row));
            (common > 0).then(|| (index as u32, hot.writes * common as f64 / hot.width.max(1) as f64))
        };
        self.regions.all().iter().enumerate().filter_map(share).collect()
    }

    pub(super) fn step_load(&mut self) {
        let lost: f64 = self.regions.leaderless.iter().map(|&index| f64::from(self.regions.get(index).weight)).sum();
        let hot = self.hot_shares();
        let reads = self.load.rate * READS;
        let writes = self.load.rate * (1.0 - READS) * self.load.write_burst.max(1.0);
        let reachable = self.stores.iter().filter(|store| store.reachable(self.now)).count().max(1) as f64;
        for index in 0..self.stores.len() {
            let held = self.regions.held(index);
            let store = &self.stores[index];
            let mut flow = Flow::default();
            if store.reachable(self.now) {
                let accepted = (1.0 - store.discard_ratio()) * if self.left(index) < FULL { 0.0 } else { 1.0 };
                let led = held.led_weight.max(0.0);
                flow.scans = reads * led * SCANS;
                flow.reads = reads * led - flow.scans;
                flow.writes = writes * led * accepted;
                flow.applies = writes * held.held_weight.max(0.0) * accepted;
                flow.failures = (reads + writes) * lost / reachable + writes * led * (1.0 - accepted);
                for &(region, rate) in &hot {
                    let it = self.regions.get(region);
                    if it.leader == Some(index as u16) {
                        flow.writes += rate * accepted;
                    }
                    if it.peers.iter().any(|peer| usize::from(peer.store) == index) {
                        flow.applies += rate * accepted;
                        flow.hottest = flow.hottest.max(rate * accepted);
                    }
                }
            }
            self.stores[index].flow = flow;
            self.give_up_leaders_of_full_disk(index);
        }
        if self.now.rem_euclid(1_000) == 0 && self.load.rate > 0.0 {
            self.note_second(lost, &hot);
        }
    }

    /// Bytes left on a store's disk.
    pub(crate) fn left(&self, store: usize) -> f64 {
        self.stores[store].available(self.used(store))
    }

    /// A store that can write no more hands over what it leads.
    fn give_up_leaders_of_full_disk(&mut self, index: usize) {
        if self.left(index) >= FULL || !self.stores[index].reachable(self.now) {
            return;
        }
        let led: Vec<u32> = {
            let held = self.regions.held(index).regions.iter().copied();
            held.filter(|&region| self.regions.get(region).leader == Some(index as u16)).take(4).collect()
        };
        for region in led {
            let others: Vec<u16> = self.regions.get(region).peers.iter().map(|peer| peer.store).collect();
            let next = others.into_iter().find(|&store| {
                usize::from(store) != index && self.linked(index, store.into()) && self.left(store.into()) > ALMOST_FULL
            });
            if let Some(next) = next {
                self.leads(region, next);
            }
        }
    }

    fn note_second(&mut self, lost: f64, hot: &[(u32, f64)]) {
        let hot: f64 = hot.iter().map(|(_, rate)| rate).sum();
        let sent = self.load.rate + hot;
        let refused: f64 = self.stores.iter().map(|store| store.flow.failures).sum();
        let errors = (refused.max(self.load.rate * lost)).min(sent);
        let served = |store: &super::store::Store| store.flow.reads + store.flow.writes;
        let total: f64 = self.stores.iter().map(served).sum::<f64>().max(1.0);
        let typical = |store: &super::store::Store| {
            let latency = &store.latency;
            served(store)
                * (READS * latency.read + (1.0 - READS) * latency.write(latency.commit.unwrap_or(latency.append)))
        };
        let mean: f64 = self.stores.iter().map(typical).sum::<f64>() / total;
        let slowest = self.stores.iter().filter(|store| served(store) > 0.01 * total);
        let p99 = slowest.map(|store| store.latency.write(store.latency.commit.unwrap_or(0.0))).fold(0.0, f64::max);
        self.load.samples.push_back(WorkloadSample {
            second: u64::try_from((self.now - self.load.started_at) / 1_000).unwrap_or(0),
            sent: sent as u64,
            granted: (sent - errors).max(0.0) as u64,
            refused: 0,
            errors: errors as u64,
            degraded: 0,
            p50_ms: mean * 400.0,
            p99_ms: p99 * 1_000.0,
        });
        while self.load.samples.len() > KEPT {
            self.load.samples.pop_front();
        }
    }

    /// Whether the block cache of a store is still cold: 1 right after a start, 0 once it is warm.
    pub(crate) fn coldness(&self, store: usize) -> f64 {
        let up = (self.now - self.stores[store].process.started_at) as f64;
        (1.0 - up / timing::WARM_UP as f64).clamp(0.0, 1.0)
    }
}
