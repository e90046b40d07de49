//! Heartbeats of stores, and what PD makes of their absence.

use super::{Simulator, timing};

/// MiB in bytes.
const MIB: f64 = 1024.0 * 1024.0;

impl Simulator {
    /// Bytes of a store's data: its regions, and what the log and the files beside take.
    pub(crate) fn used(&self, store: usize) -> f64 {
        self.regions.held(store).size as f64 * MIB * 1.02 + self.stores[store].pending_compaction * 0.1
    }

    pub(super) fn step_heartbeats(&mut self) {
        for index in 0..self.stores.len() {
            let store = &self.stores[index];
            // The first comes as soon as it is ready.
            let first = store.record.started_at < store.process.started_at;
            let due = (self.now - store.phase).rem_euclid(timing::STORE_HEARTBEAT) == 0;
            if store.joined && (due || first) && self.reaches_pd(index) {
                self.heartbeat(index);
            }
        }
        if self.now.rem_euclid(timing::NODE_STATE_CHECK) == 0 && self.pd_takes_in() {
            self.check_node_states();
        }
    }

    fn heartbeat(&mut self, index: usize) {
        let used = self.used(index);
        let links = self.network_slow_scores(index);
        let (sending, receiving) = self.operators.snapshots(index as u16);
        let store = &mut self.stores[index];
        let silent = self.now - store.record.last_heartbeat > timing::STORE_HEARTBEAT;
        let record = &mut store.record;
        record.last_heartbeat = self.now;
        record.reported = true;
        record.started_at = store.process.started_at;
        record.capacity = store.capacity;
        record.used = used;
        record.available = (store.capacity - used - store.damage.foreign_bytes).max(0.0);
        record.slow_score = store.slow_score;
        record.network_slow_score = links;
        record.busy = store.latency.stall > 1.0;
        record.snapshots = (sending, receiving);
        if silent {
            // What it leads it tells as well, once it is heard again.
            let led: Vec<u32> = self.regions.held(index).regions.iter().copied().collect();
            for region in led {
                if self.regions.get(region).leader == Some(index as u16) {
                    self.regions.set_known(region, Some(index as u16));
                }
            }
        }
    }

    /// Scores of a store's links that are slow, by the other store's id: from 1 to 100.
    fn network_slow_scores(&self, index: usize) -> std::collections::BTreeMap<u64, u64> {
        let mut scores = std::collections::BTreeMap::new();
        for other in (0..self.stores.len()).filter(|&other| other != index && self.stores[other].joined) {
            let delay = self.round_trip(index, other);
            let cut = !self.linked(index, other) && self.stores[other].reachable(self.now);
            if cut || delay > 100.0 {
                scores.insert(self.stores[other].id, 100);
            }
        }
        scores
    }

    /// What a round trip between two stores takes, in milliseconds.
    pub(crate) fn round_trip(&self, a: usize, b: usize) -> f64 {
        0.4 + self.stores[a].damage.network_delay.max(self.stores[b].damage.network_delay)
    }

    /// Preparing → Serving once a store holds what it should; Removing → Removed once it holds nothing.
    fn check_node_states(&mut self) {
        let serving = self.stores.iter().filter(|store| store.joined && store.record.node_state == 1).count().max(1);
        let average = self.regions.all().len() as f64 * f64::from(self.settings.replicas) / serving as f64;
        for index in 0..self.stores.len() {
            let held = self.regions.held(index).regions.len();
            let now = self.now;
            let record = &mut self.stores[index].record;
            match record.node_state {
                // PD calls a store prepared once it holds nine tenths of what its share would be.
                0 if held as f64 >= 0.9 * average * serving as f64 / (serving + 1) as f64 => {
                    (record.node_state, record.state_since) = (1, now);
                }
                2 if held == 0 => {
                    (record.state, record.node_state, record.state_since) = (2, 3, now);
                }
                _ => {}
            }
        }
    }
}
