//! PD's schedulers: balance, hot regions, and evictions of leaders.

use std::collections::{BTreeMap, BTreeSet};

use super::operator::Kind;
use super::{Simulator, timing};

/// The schedulers that PD runs unless somebody took them away.
const DEFAULT: [&str; 5] = [BALANCE_REGION, BALANCE_LEADER, HOT_REGION, EVICT_SLOW, "evict-stopping-store-scheduler"];
/// Moves replicas.
pub(crate) const BALANCE_REGION: &str = "balance-region-scheduler";
/// Moves leaders.
pub(crate) const BALANCE_LEADER: &str = "balance-leader-scheduler";
/// PD calls hot what was reported to be so this many times in a row (`hot-region-cache-hits-threshold`).
pub(crate) const HOT_AFTER: i64 = 3;
/// Moves what is hot.
pub(crate) const HOT_REGION: &str = "balance-hot-region-scheduler";
/// Evicts leaders from a store that is slow.
pub(crate) const EVICT_SLOW: &str = "evict-slow-store-scheduler";
/// Evicts leaders from stores that somebody named.
pub(crate) const EVICT_LEADER: &str = "evict-leader-scheduler";
/// How many leaders of a store are evicted at once (PD: `batch` 3).
pub(crate) const BATCH: usize = 3;
/// How many regions' difference balance leaves alone.
const TOLERATED: f64 = 5.0;
/// At most so many regions of a store are looked at for one that can be moved.
const LOOKED_AT: usize = 200;

/// PD's schedulers.
#[derive(Debug)]
pub(crate) struct Schedulers {
    /// By name: until when it is paused, if it is.
    pub(crate) present: BTreeMap<String, i64>,
    /// Checkers that are paused, by name, and until when.
    pub(crate) paused_checkers: BTreeMap<String, i64>,
    /// Stores whose leaders are evicted by request.
    pub(crate) evicted: BTreeSet<u64>,
    /// The store whose leaders are evicted because it is slow.
    pub(crate) slow: Option<u64>,
    slow_well_since: Option<i64>,
    /// Since when regions report that they are hot.
    hot_since: Option<i64>,
    hot_moved_at: i64,
}

impl Schedulers {
    pub(crate) fn new(without: &[String]) -> Self {
        let present = DEFAULT.into_iter().filter(|name| !without.iter().any(|other| other == name));
        Self {
            present: present.map(|name| (name.to_owned(), 0)).collect(),
            paused_checkers: BTreeMap::new(),
            evicted: BTreeSet::new(),
            slow: None,
            slow_well_since: None,
            hot_since: None,
            hot_moved_at: 0,
        }
    }

    /// Whether PD keeps leaders away from a store.
    pub(crate) fn evicts(&self, store: u64) -> bool {
        self.evicted.contains(&store) || self.slow == Some(store)
    }

    /// Whether a scheduler is there and not paused.
    pub(crate) fn runs(&self, name: &str, now: i64) -> bool {
        self.present.get(name).is_some_and(|&until| until <= now)
    }

    /// The names of schedulers that are known but not there by default, or there by default.
    pub(crate) fn known(name: &str) -> bool {
        DEFAULT.contains(&name) || matches!(name, EVICT_LEADER | "grant-leader-scheduler" | "split-bucket-scheduler")
    }
}

impl Simulator {
    pub(super) fn step_scheduling(&mut self) {
        self.refill_allowances();
        if !self.pd_takes_in() {
            return;
        }
        self.step_operators();
        self.schedulers.hot_since = self.load.hot.and(self.schedulers.hot_since.or(Some(self.now)));
        if !self.initialized() || self.settings.flag("halt-scheduling") {
            return;
        }
        self.check_rules();
        self.watch_slow_stores();
        let runs = |name: &str| self.schedulers.runs(name, self.now);
        let (leaders, regions, hot, slow) =
            (runs(BALANCE_LEADER), runs(BALANCE_REGION), runs(HOT_REGION), runs(EVICT_SLOW));
        if runs(EVICT_LEADER) {
            let evicted: Vec<u64> = self.schedulers.evicted.iter().copied().collect();
            for store in evicted {
                self.evict(store, "evict-leader-scheduler");
            }
        }
        if slow && let Some(store) = self.schedulers.slow {
            self.evict(store, "evict-slow-store-scheduler");
        }
        self.evict_stopping();
        if leaders {
            self.balance_leaders();
        }
        if regions {
            self.balance_regions();
        }
        if hot {
            self.move_hot_region();
        }
    }

    fn leader_operators_left(&self) -> usize {
        let running = self.operators.count(|operator| operator.class.contains("leader") && operator.moves_leader());
        self.settings.limit("leader-schedule-limit").saturating_sub(running)
    }

    /// The replica of a region that is best for leading it, other than where it is led now.
    fn best_leader(&self, region: u32) -> Option<u16> {
        let it = self.regions.get(region);
        let leader = it.leader?;
        let fit = it.peers.iter().filter(|peer| peer.store != leader && !peer.learner && !peer.pending);
        fit.map(|peer| peer.store)
            .filter(|&store| self.takes_leaders(store.into()))
            .min_by(|&a, &b| self.expected_leaders(a.into()).total_cmp(&self.expected_leaders(b.into())))
    }

    /// What a store leads once everything under way is done, by its weight.
    fn expected_leaders(&self, store: usize) -> f64 {
        let mut count = self.regions.held(store).known_leaders as f64;
        for operator in self.operators.running() {
            if let Kind::TransferLeader { from, to } = operator.kind {
                count += f64::from(i8::from(usize::from(to) == store) - i8::from(usize::from(from) == store));
            }
        }
        count / self.stores[store].record.weights.0.max(1e-6)
    }

    fn evict(&mut self, store: u64, desc: &str) {
        let Some(index) = self.store_by_id(store) else { return };
        let own = |operator: &super::Operator| matches!(operator.kind, Kind::TransferLeader { from, .. } if usize::from(from) == index);
        let room = self.leader_operators_left().min(BATCH.saturating_sub(self.operators.count(own)).max(1));
        for region in self.led_and_idle(index).into_iter().take(room) {
            if let Some(to) = self.best_leader(region) {
                self.dispatch(desc, "leader", region, Kind::TransferLeader { from: index as u16, to });
            }
        }
    }

    /// A store that was asked to end hands over what it leads, faster than by schedule.
    fn evict_stopping(&mut self) {
        let stopping: Vec<usize> =
            (0..self.stores.len()).filter(|&index| self.stores[index].process.ends_at.is_some()).collect();
        for index in stopping {
            for region in self.led_and_idle(index).into_iter().take(4) {
                if let Some(to) = self.best_leader(region) {
                    self.leads(region, to);
                }
            }
        }
    }

    fn led_and_idle(&self, index: usize) -> Vec<u32> {
        let led = |region: &&u32| self.regions.get(**region).leader == Some(index as u16);
        let idle = |region: &&u32| self.operators.of(**region).is_none();
        self.regions.held(index).regions.iter().filter(led).filter(idle).take(LOOKED_AT).copied().collect()
    }

    fn watch_slow_stores(&mut self) {
        let slow: Vec<u64> = self
            .stores
            .iter()
            .filter(|store| store.joined && store.record.slow_score >= 80.0 && store.works(self.now))
            .map(|store| store.id)
            .collect();
        match (self.schedulers.slow, slow.as_slice()) {
            // PD helps only where exactly one is slow.
            (None, &[one]) if self.schedulers.runs(EVICT_SLOW, self.now) => self.schedulers.slow = Some(one),
            (Some(evicted), _) => {
                let well = self.store_by_id(evicted).is_none_or(|index| self.stores[index].record.slow_score <= 1.0);
                let since = self.schedulers.slow_well_since.filter(|_| well).or(well.then_some(self.now));
                self.schedulers.slow_well_since = since;
                if since.is_some_and(|since| self.now - since >= timing::SLOW_STORE_RECOVERY) {
                    (self.schedulers.slow, self.schedulers.slow_well_since) = (None, None);
                }
            }
            _ => {}
        }
    }

    fn balance_leaders(&mut self) {
        if self.now.rem_euclid(1_000) != 0 {
            return;
        }
        for _ in 0..self.leader_operators_left() {
            let mut stores: Vec<(f64, usize)> = (0..self.stores.len())
                .filter(|&store| self.state_name(store) == "Up" && self.stores[store].joined)
                .map(|store| (self.expected_leaders(store), store))
                .collect();
            stores.sort_by(|a, b| a.0.total_cmp(&b.0));
            let Some(&(most, from)) = stores.last() else { return };
            let close = |least: f64| most - least <= TOLERATED;
            let targets = stores.iter().filter(|(least, store)| !close(*least) && self.takes_leaders(*store));
            let targets: Vec<usize> = targets.map(|&(_, store)| store).collect();
            if !targets.into_iter().any(|to| self.transfer_any(from, to)) {
                return;
            }
        }
    }

    /// Transfers one leader between two stores, if they have a region in common for which that can be done.
    fn transfer_any(&mut self, from: usize, to: usize) -> bool {
        let fit = |region: &u32| {
            let it = self.regions.get(*region);
            it.leader == Some(from as u16)
                && it.peers.iter().any(|peer| usize::from(peer.store) == to && !peer.learner && !peer.pending)
                && self.operators.of(*region).is_none()
        };
        let region = self.regions.held(from).regions.iter().copied().find(fit);
        let kind = Kind::TransferLeader { from: from as u16, to: to as u16 };
        region.is_some_and(|region| self.dispatch("balance-leader", "leader", region, kind))
    }

    fn balance_regions(&mut self) {
        let limit = self.settings.limit("region-schedule-limit");
        let running = self.operators.count(|operator| operator.class == "region");
        if running >= limit || self.now.rem_euclid(1_000) != 0 {
            return;
        }
        let mut stores: Vec<(f64, usize)> = (0..self.stores.len())
            .filter(|&store| self.stores[store].joined && self.state_name(store) == "Up")
            .map(|store| (self.region_score_of(store, self.expected_size(store)), store))
            .collect();
        stores.sort_by(|a, b| a.0.total_cmp(&b.0));
        let average = self.regions.all().first().map_or(96.0, |region| f64::from(region.size));
        let Some(&(most, from)) = stores.last() else { return };
        for &(least, to) in &stores {
            if most - least <= 2.0 * TOLERATED * average || to == from {
                return;
            }
            let may = self.takes_peers(to) && self.operators.allowances.may_remove(from as u16);
            if may && self.move_any(from, to) {
                return;
            }
        }
    }

    /// MiB a store holds once everything under way is done.
    fn expected_size(&self, store: usize) -> f64 {
        let mut size = self.regions.held(store).size as f64;
        for operator in self.operators.running() {
            let moved = f64::from(self.regions.get(operator.region).size);
            if operator.adds_to().map(usize::from) == Some(store) && !operator.added {
                size += moved;
            }
            if operator.removes_from().map(usize::from) == Some(store) {
                size -= moved;
            }
        }
        size.max(0.0)
    }

    fn move_any(&mut self, from: usize, to: usize) -> bool {
        let fit = |region: &u32| {
            let it = self.regions.get(*region);
            it.leader.is_some()
                && self.operators.of(*region).is_none()
                && !it.peers.iter().any(|peer| usize::from(peer.store) == to || peer.pending || peer.learner)
        };
        let region = self.regions.held(from).regions.iter().copied().take(LOOKED_AT * 5).find(fit);
        region.is_some_and(|region| {
            self.dispatch("balance-region", "region", region, Kind::MovePeer { from: from as u16, to: to as u16 })
        })
    }

    /// How many times in a row what is hot was reported to be so: a region reports its writes once a minute.
    pub(crate) fn hot_reports(&self) -> i64 {
        self.schedulers.hot_since.map_or(0, |since| (self.now - since) / 60_000)
    }

    /// What has been hot for three reports, a minute each, is led by another store from then on: which moves the heat and
    /// does not cool it.
    fn move_hot_region(&mut self) {
        let Some(hot) = self.load.hot else { return };
        let limit = self.settings.limit("hot-region-schedule-limit");
        if self.hot_reports() < HOT_AFTER || self.now - self.schedulers.hot_moved_at < 300_000 || limit == 0 {
            return;
        }
        self.schedulers.hot_moved_at = self.now;
        if let Some(region) = self.regions.at(hot.row)
            && let (Some(from), Some(to)) = (self.regions.get(region).leader, self.best_leader(region))
        {
            self.dispatch("move-hot-write-leader", "hot-region,leader", region, Kind::TransferLeader { from, to });
        }
    }
}
