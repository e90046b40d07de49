//! A store's engine and disk: compaction that falls behind, and the score by which TiKV calls itself slow.

use super::store::{MEMORY, Store};
use super::{Simulator, timing};

/// Bytes that compaction moves a second on a healthy disk.
const COMPACTION: f64 = 400e6;
/// Bytes that wait when nothing is behind.
const USUAL: f64 = 1.5e9;
/// Bytes that a write of about a kilobyte makes compaction move.
const AMPLIFIED: f64 = 8.0 * 1024.0;
/// TiKV's flow control begins at so many files at level 0 (`storage.flow-control.l0-files-threshold` 20).
const FLOW_CONTROL: f64 = 20.0;

impl Store {
    /// The share of writes that flow control turns away.
    pub(crate) fn discard_ratio(&self) -> f64 {
        ((self.level0 - FLOW_CONTROL) / 60.0).clamp(0.0, 0.9)
    }

    /// What the engine holds a write back, in seconds.
    pub(crate) fn stall(&self) -> f64 {
        ((self.level0 - 1.5 * FLOW_CONTROL) * 0.05).clamp(0.0, 5.0)
    }

    /// Bytes of memory in use.
    pub(crate) fn memory(&self, coldness: f64) -> f64 {
        let caches = 0.35 * (1.0 - coldness);
        let load = (self.flow.applies / 100_000.0).min(0.2);
        MEMORY * (0.25 + caches + load)
    }
}

impl Simulator {
    pub(super) fn step_storage(&mut self) {
        let seconds = timing::TICK as f64 / 1_000.0;
        let now = self.now;
        for index in 0..self.stores.len() {
            let receiving = f64::from(self.operators.snapshots(index as u16).1);
            let shared = self.leads_beyond_a_cut_link(index);
            let store = &mut self.stores[index];
            if !store.process.running {
                continue;
            }
            let moved = COMPACTION / (1.0 + store.damage.disk_delay / 5.0);
            let written = store.flow.applies * AMPLIFIED + receiving * 20e6;
            store.pending_compaction = (store.pending_compaction + (written - moved) * seconds).clamp(USUAL, 1e12);
            store.level0 = 2.0 + (store.pending_compaction - 2e9).max(0.0) / 2e9;
            store.lag = if shared { (store.lag + 25.0 * seconds).min(60_000.0) } else { (store.lag - 500.0).max(0.0) };
            store.cpu_used += super::latency::cores_needed(store).min(super::store::CORES) * seconds;
            if now.rem_euclid(timing::SLOW_SCORE_ROUND) == 0 {
                store.inspect_disk();
            }
        }
    }

    fn leads_beyond_a_cut_link(&self, index: usize) -> bool {
        self.cut_links.keys().any(|&(a, b)| {
            let other = if a == index { b } else { a };
            (a == index || b == index)
                && self
                    .regions
                    .held(index)
                    .regions
                    .intersection(&self.regions.held(other).regions)
                    .any(|&region| self.regions.get(region).leader == Some(index as u16))
        })
    }
}

impl Store {
    /// One round of disk inspection. With its processors used up by others, TiKV does not trust it.
    fn inspect_disk(&mut self) {
        if self.damage.cpu_stolen > 0.4 {
            return;
        }
        if self.latency.append * 1_000.0 > timing::LATE_PROBE {
            self.slow_score = (self.slow_score * 2.0).min(100.0);
        } else {
            let step = 99.0 * timing::SLOW_SCORE_ROUND as f64 / timing::SLOW_SCORE_RECOVERY as f64;
            self.slow_score = (self.slow_score - step).max(1.0);
        }
    }
}
