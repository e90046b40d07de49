//! Which stores PD takes for replicas and leaders, and by which scores.

use super::Simulator;

/// Bytes in a GiB.
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// A store with fewer regions and more room than this is never low on space (PD: `InitClusterRegionThreshold` 100, 8 GiB).
const FEW_REGIONS: usize = 100;

impl Simulator {
    /// PD's word for a store's state.
    pub(crate) fn state_name(&self, store: usize) -> &'static str {
        self.stores[store].record.state_name(self.now, self.settings.max_down())
    }

    /// Whether PD takes a store to be short of space.
    pub(crate) fn low_space(&self, store: usize) -> bool {
        let record = &self.stores[store].record;
        let few = self.regions.held(store).regions.len() < FEW_REGIONS && record.available > 8.0 * GIB;
        !few && record.available_ratio() < 1.0 - self.settings.number("low-space-ratio")
    }

    /// Whether a store may get a replica right now.
    pub(crate) fn takes_peers(&self, store: usize) -> bool {
        let it = &self.stores[store];
        let snapshots = it.record.snapshots.0.max(it.record.snapshots.1);
        it.joined
            && self.state_name(store) == "Up"
            && !it.record.busy
            && self.operators.allowances.may_add(store as u16)
            && (snapshots as usize) < self.settings.limit("max-snapshot-count")
            && !self.low_space(store)
    }

    /// Whether a store may get leaders.
    pub(crate) fn takes_leaders(&self, store: usize) -> bool {
        let it = &self.stores[store];
        it.joined
            && self.state_name(store) == "Up"
            && !it.record.busy
            && it.record.slow_score < 80.0
            && !self.schedulers.evicts(it.id)
            && it.process.ends_at.is_none()
    }

    /// Its score as a leader: what it leads, by its weight. Operators under way count as done.
    pub(crate) fn leader_score(&self, store: usize) -> f64 {
        self.regions.held(store).known_leaders as f64 / self.stores[store].record.weights.0.max(1e-6)
    }

    /// Its score as a holder of regions (PD: `regionScoreV2`): what it holds, and more the less room is left.
    pub(crate) fn region_score(&self, store: usize) -> f64 {
        let record = &self.stores[store].record;
        if !record.reported {
            return 0.0;
        }
        self.region_score_of(store, self.regions.held(store).size as f64)
    }

    pub(super) fn region_score_of(&self, store: usize, size: f64) -> f64 {
        let record = &self.stores[store].record;
        let (capacity, available) = (record.capacity / GIB, record.available / GIB);
        let floor = (capacity * (1.0 - self.settings.number("low-space-ratio"))).max(50.0);
        let score = if available >= capacity || capacity < 1.0 {
            size
        } else if available > floor {
            let fuller =
                256.0 * (capacity.ln() - (available - floor + 1.0).ln()) / (capacity - available + floor - 1.0);
            (1.0 + fuller) * size
        } else {
            (1.0 + 256.0 * capacity.ln() / capacity) * size + 1e10 * (floor - available) / floor
        };
        score / record.weights.1.max(1e-6)
    }
}
