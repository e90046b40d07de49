//! How many peers a minute may be added to and removed from a store (PD: store limit, version 1).

use super::{Simulator, timing};

/// Peers a minute that stand for no limit: what PD sets when a store goes Offline.
pub(crate) const UNLIMITED: f64 = 1e8;

/// What may be moved right now, by store: added, removed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowances(Vec<(f64, f64)>);

impl Allowances {
    pub(crate) fn may_add(&self, store: u16) -> bool {
        self.0.get(usize::from(store)).is_some_and(|allowed| allowed.0 >= 1.0)
    }

    pub(crate) fn may_remove(&self, store: u16) -> bool {
        self.0.get(usize::from(store)).is_some_and(|allowed| allowed.1 >= 1.0)
    }

    pub(crate) fn add(&mut self, store: u16) {
        if let Some(allowed) = self.0.get_mut(usize::from(store)) {
            allowed.0 -= 1.0;
        }
    }

    pub(crate) fn remove(&mut self, store: u16) {
        if let Some(allowed) = self.0.get_mut(usize::from(store)) {
            allowed.1 -= 1.0;
        }
    }
}

impl Simulator {
    pub(super) fn refill_allowances(&mut self) {
        let minutes = timing::TICK as f64 / 60_000.0;
        self.operators.allowances.0.resize(self.stores.len(), (1.0, 1.0));
        for (store, allowed) in self.stores.iter().zip(&mut self.operators.allowances.0) {
            let refill = |allowed: f64, rate: f64| (allowed + rate * minutes).min((2.0 * rate * minutes).max(1.0));
            let (add, remove) = store.record.limits;
            *allowed = (refill(allowed.0, add), refill(allowed.1, remove));
        }
    }
}
