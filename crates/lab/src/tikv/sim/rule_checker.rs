//! PD's rule checker: replicas on stores that are gone or going are replaced, missing ones are added.

use super::Simulator;
use super::operator::Kind;

/// At most so many regions of one store are looked at in one tick.
const LOOKED_AT: usize = 40;

impl Simulator {
    pub(super) fn check_rules(&mut self) {
        if self.schedulers.paused_checkers.get("rule").is_some_and(|&until| until > self.now) {
            return;
        }
        for store in 0..self.stores.len() {
            let replaces = match self.state_name(store) {
                "Down" if self.settings.flag("enable-remove-down-replica") => "replace-rule-down-peer",
                "Offline" if self.settings.flag("enable-replace-offline-replica") => "replace-rule-offline-peer",
                _ => continue,
            };
            self.replace_some(store, replaces);
        }
        self.make_up_some();
    }

    fn replica_operators_left(&self) -> usize {
        let running = self.operators.count(|operator| operator.class.contains("replica"));
        self.settings.limit("replica-schedule-limit").saturating_sub(running)
    }

    fn replace_some(&mut self, store: usize, desc: &str) {
        let idle = |region: &&u32| self.operators.of(**region).is_none() && self.regions.get(**region).leader.is_some();
        let regions: Vec<u32> = self.regions.held(store).regions.iter().filter(idle).take(LOOKED_AT).copied().collect();
        let mut left = self.replica_operators_left();
        let mut without_target = false;
        for region in regions {
            if left == 0 {
                break;
            }
            match self.best_target(region) {
                Some(to) => {
                    let kind = Kind::MovePeer { from: store as u16, to };
                    left -= usize::from(self.dispatch(desc, "replica,region", region, kind));
                }
                None => without_target = true,
            }
        }
        // Stores whose allowance is used up for now are found again in a moment; only none at all is worth telling.
        if without_target && self.now.rem_euclid(10_000) == 0 && !self.has_any_target(store) {
            self.no_target += 1;
        }
    }

    fn has_any_target(&self, store: usize) -> bool {
        let Some(&region) = self.regions.held(store).regions.iter().next() else { return true };
        let peers = &self.regions.get(region).peers;
        (0..self.stores.len()).any(|other| {
            self.stores[other].joined
                && self.state_name(other) == "Up"
                && !self.low_space(other)
                && !peers.iter().any(|peer| usize::from(peer.store) == other)
        })
    }

    /// The store that may get a replica of a region and holds least.
    pub(crate) fn best_target(&self, region: u32) -> Option<u16> {
        let peers = &self.regions.get(region).peers;
        (0..self.stores.len())
            .filter(|&store| !peers.iter().any(|peer| usize::from(peer.store) == store) && self.takes_peers(store))
            .min_by(|&a, &b| self.region_score(a).total_cmp(&self.region_score(b)))
            .map(|store| store as u16)
    }

    fn make_up_some(&mut self) {
        if self.now.rem_euclid(5_000) != 0 || !self.settings.flag("enable-make-up-replica") {
            return;
        }
        let wanted = self.settings.replicas as usize;
        let short: Vec<u32> = (0..self.regions.len() as u32)
            .filter(|&region| {
                let it = self.regions.get(region);
                it.peers.len() < wanted && it.leader.is_some() && self.operators.of(region).is_none()
            })
            .take(LOOKED_AT)
            .collect();
        for region in short {
            if self.replica_operators_left() == 0 {
                return;
            }
            if let Some(to) = self.best_target(region) {
                self.dispatch("add-rule-peer", "replica,region", region, Kind::AddPeer { to });
            }
        }
    }
}
