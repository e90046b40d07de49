//! What can be broken: always a mechanism. A component that does not exist breaks nothing.

use super::handle::Shop;
use super::lanes::{CAPACITY, Job, LANES};
use super::model::{Due, MILLISECOND, SECOND};
use super::node::{CATALOG, Kind, Node, QUEUE, index_of};
use super::process::Planned;
use super::traffic::Surge;
use crate::{EventKind, Value};

impl Shop {
    /// How many shoppers come a second, on average.
    pub fn set_rate(&self, per_second: f64) {
        self.lock().traffic.rate = per_second.clamp(0.0, 10_000.0);
    }

    /// More shoppers come than usual, from now on; none do any more.
    pub fn surge(&self, surge: Option<Surge>) {
        let mut model = self.lock();
        let now = model.now;
        model.traffic.surge = surge.map(|surge| (now, surge));
    }

    /// The process ends at once.
    pub fn kill(&self, name: &str) {
        if let Some(node) = index_of(name) {
            self.lock().end(node);
        }
    }

    /// The process starts, if it does not run.
    pub fn revive(&self, name: &str) {
        if let Some(node) = index_of(name) {
            self.lock().start(node);
        }
    }

    /// Others use its machine: its own work takes so many times as long. 1 is as it should be.
    pub fn hog(&self, name: &str, times: f64) {
        self.node(name, |node| node.hogged = times.clamp(1.0, 1_000.0));
    }

    /// The same, in so many seconds.
    pub fn hog_later(&self, name: &str, times: u32, seconds: u32) {
        if let Some(node) = index_of(name) {
            self.lock().after(i64::from(seconds) * SECOND, Due::Hogged(node, times.clamp(1, 1_000)));
        }
    }

    /// A round trip over the link takes so much longer, in milliseconds.
    pub fn delay(&self, from: &str, to: &str, milliseconds: u32) {
        self.link(from, to, |link| link.delay = i64::from(milliseconds) * MILLISECOND);
    }

    /// The link carries nothing; it does again.
    pub fn cut(&self, from: &str, to: &str, cut: bool) {
        self.link(from, to, |link| link.cut = cut);
    }

    /// A replica of orders runs with another rate of tax, in percent, than its declaration says.
    pub fn set_vat(&self, name: &str, percent: u32) {
        self.node(name, |node| node.vat = percent);
    }

    /// A replica of orders reports to the catalog what it sold; it does not any more.
    pub fn set_reporting(&self, name: &str, reports: bool) {
        self.node(name, |node| node.reports_sales = reports);
    }

    /// Somebody takes waiting jobs out of a lane. Says how many.
    pub fn steal(&self, lane: &str, count: usize) -> usize {
        let lane = LANES.iter().position(|known| *known == lane);
        lane.map_or(0, |lane| self.lock().lanes.remove(lane, count))
    }

    /// Somebody who is none of the replicas of orders puts jobs into a lane. Says how many.
    pub fn smuggle(&self, lane: &str, count: usize) -> usize {
        let Some(lane) = LANES.iter().position(|known| *known == lane) else { return 0 };
        let mut model = self.lock();
        let put_at = model.now + model.nodes[QUEUE].clock_ahead;
        let count = count.min(CAPACITY.saturating_sub(model.lanes.held()));
        (0..count).for_each(|_| model.lanes.put(Job { lane, put_at, producer: None }));
        count
    }

    /// The queue ends, its journal is lost, and it starts again.
    pub fn lose_journal(&self) {
        let mut model = self.lock();
        model.end(QUEUE);
        (0..LANES.len()).for_each(|lane| {
            model.lanes.remove(lane, usize::MAX);
        });
        model.start(QUEUE);
    }

    /// Other people's files leave room for so many jobs on the queue's disk, what it holds included.
    pub fn fill_disk(&self, room: usize) {
        self.lock().lanes.foreign_files = CAPACITY.saturating_sub(room);
    }

    /// The queue's disk is its own again.
    pub fn free_disk(&self) {
        self.lock().lanes.foreign_files = 0;
    }

    /// The component's clock is ahead by so many milliseconds.
    pub fn set_clock(&self, name: &str, ahead_ms: i64) {
        self.node(name, |node| node.clock_ahead = ahead_ms.saturating_mul(MILLISECOND));
    }

    /// A version is rolled out to one component; its work costs so many times what the declared one's does.
    pub fn deploy(&self, name: &str, version: &str, cost: f64) {
        let Some(node) = index_of(name) else { return };
        self.lock().roll_out(node, version, cost.clamp(0.1, 1_000.0), EventKind::Deploy);
    }

    /// Somebody sets how many entries the catalog keeps at hand.
    pub fn set_cache_entries(&self, entries: u32) {
        self.lock().change_cache(entries);
    }

    /// The component's status cannot be read, though it works; it can be again.
    pub fn hide(&self, name: &str, hidden: bool) {
        self.node(name, |node| node.hidden = hidden);
    }

    /// From now on nothing can be read or commanded, though work goes on.
    pub fn unplug(&self) {
        self.lock().plugged_in = false;
    }

    /// Every replica of orders is drained, restarted and put back, one after the other, as planned.
    pub fn restart_orders_in_turn(&self) {
        self.lock().after(0, Due::Planned(Planned::Drain(0)));
    }

    /// A replica of orders is drained, or put back.
    pub fn set_drained(&self, name: &str, drained: bool) {
        if let Some(node) = index_of(name).filter(|node| Kind::of(*node) == Kind::Orders) {
            self.lock().set_drained(node, drained);
        }
    }

    /// How many jobs a lane holds.
    pub fn waiting(&self, lane: &str) -> usize {
        let lane = LANES.iter().position(|known| *known == lane);
        lane.map_or(0, |lane| self.lock().lanes.waiting[lane].len())
    }

    fn node(&self, name: &str, change: impl FnOnce(&mut Node)) {
        if let Some(node) = index_of(name) {
            change(&mut self.lock().nodes[node]);
        }
    }

    fn link(&self, from: &str, to: &str, change: impl FnOnce(&mut super::model::Link)) {
        if let (Some(from), Some(to)) = (index_of(from), index_of(to))
            && let Some(link) = self.lock().links.get_mut(&(from, to))
        {
            change(link);
        }
    }
}

impl super::model::Model {
    /// Another version of a component runs from now on.
    pub(super) fn roll_out(&mut self, node: usize, version: &str, cost: f64, kind: EventKind) {
        let it = &mut self.nodes[node];
        it.version_cost = cost;
        let before = std::mem::replace(&mut it.version, version.to_owned());
        let message = format!("{}: version {before} → {version}", it.name());
        let change = ("version", Value::from(before), Value::from(version));
        self.note("deploy", node, kind, Some(change), message);
    }

    /// The catalog keeps another number of entries at hand from now on.
    pub(super) fn change_cache(&mut self, entries: u32) {
        let before = std::mem::replace(&mut self.nodes[CATALOG].cache_entries, entries);
        let change = ("cache_entries", Value::from(before), Value::from(entries));
        let message = format!("catalog: cache_entries {before} → {entries}");
        self.note("setting", CATALOG, EventKind::ConfigChange, Some(change), message);
    }
}
