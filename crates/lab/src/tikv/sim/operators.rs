//! What PD moves: at most one operator a region.

use std::collections::{BTreeMap, VecDeque};

use super::limits::Allowances;
use super::operator::{Kind, Operator, Status};
use super::{Simulator, timing};

/// What PD moves, and what it moved within the last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    running: BTreeMap<u32, Operator>,
    ended: VecDeque<Operator>,
    /// What may be moved right now.
    pub(crate) allowances: Allowances,
}

impl Operators {
    /// Those that go on, in the order of their regions.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Operator> {
        self.running.values()
    }

    /// Those that ended within the last ten minutes, oldest first.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &Operator> {
        self.ended.iter()
    }

    /// The one of a region.
    pub(crate) fn of(&self, region: u32) -> Option<&Operator> {
        self.running.get(&region)
    }

    /// How many go on of which this is true.
    pub(crate) fn count(&self, which: impl Fn(&Operator) -> bool) -> usize {
        self.running.values().filter(|operator| which(operator)).count()
    }

    /// Snapshots that a store sends and receives.
    pub(crate) fn snapshots(&self, store: u16) -> (u32, u32) {
        let mut both = (0, 0);
        for operator in self.running.values().filter(|operator| operator.added) {
            both.1 += u32::from(operator.adds_to() == Some(store));
            both.0 += u32::from(operator.removes_from() == Some(store));
        }
        both
    }

    /// PD's leader is another: it knows nothing of them.
    pub(crate) fn forget(&mut self) {
        self.running.clear();
    }

    fn end(&mut self, region: u32, status: Status, now: i64) {
        if let Some(mut operator) = self.running.remove(&region) {
            operator.status = status;
            operator.ended = now;
            self.ended.push_back(operator);
        }
    }
}

impl Simulator {
    /// Has a region do something, unless it does something already.
    pub(crate) fn dispatch(&mut self, desc: &str, class: &'static str, region: u32, kind: Kind) -> bool {
        if self.operators.of(region).is_some() {
            return false;
        }
        let size = f64::from(self.regions.get(region).size);
        let copying = (size / timing::SNAPSHOT_MIB_PER_MS) as i64;
        let (takes, timeout) = match kind {
            Kind::TransferLeader { .. } | Kind::Scatter { .. } => (timing::MOVE_LEADER, 60_000),
            Kind::MovePeer { .. } => (timing::MOVE_PEER + copying, 420_000 + (size * 6_000.0) as i64),
            Kind::AddPeer { .. } => (timing::MOVE_PEER / 2 + copying, 420_000 + (size * 6_000.0) as i64),
            Kind::Split | Kind::Merge => (timing::MOVE_LEADER, 60_000),
        };
        let operator = Operator {
            desc: desc.to_owned(),
            class,
            kind,
            region,
            created: self.now,
            progress: 0,
            takes,
            timeout,
            status: Status::Running,
            ended: 0,
            added: false,
        };
        if let Some(store) = operator.adds_to() {
            self.operators.allowances.add(store);
        }
        if let Some(store) = operator.removes_from() {
            self.operators.allowances.remove(store);
        }
        self.operators.running.insert(region, operator);
        true
    }

    /// Calls a region's operator off.
    pub(crate) fn cancel(&mut self, region: u32) -> bool {
        let Some(operator) = self.operators.of(region).cloned() else { return false };
        self.take_back(&operator);
        self.operators.end(region, Status::Cancel, self.now);
        true
    }

    pub(super) fn step_operators(&mut self) {
        let now = self.now;
        let regions: Vec<u32> = self.operators.running.keys().copied().collect();
        for region in regions {
            let Some(operator) = self.operators.of(region).cloned() else { continue };
            if now - operator.created > operator.timeout {
                self.take_back(&operator);
                self.operators.end(region, Status::Timeout, now);
            } else if self.can_go_on(&operator) {
                self.go_on(operator);
            }
        }
        while self.operators.ended.front().is_some_and(|operator| now - operator.ended > timing::OPERATOR_RECORD) {
            self.operators.ended.pop_front();
        }
    }

    /// A region is told what to do in the answer to its heartbeat, and needs its leader and whoever else takes part.
    fn can_go_on(&self, operator: &Operator) -> bool {
        let Some(leader) = self.regions.get(operator.region).leader else { return false };
        let target = match operator.kind {
            Kind::TransferLeader { to, .. } | Kind::Scatter { to } => Some(to),
            _ => operator.adds_to(),
        };
        self.reaches_pd(leader.into()) && target.is_none_or(|to| self.linked(leader.into(), to.into()))
    }

    fn go_on(&mut self, mut operator: Operator) {
        let region = operator.region;
        operator.progress += timing::TICK;
        if let Some(to) = operator.adds_to()
            && !operator.added
            && operator.progress >= timing::MOVE_PEER / 4
        {
            self.regions.add_peer(region, to, true);
            operator.added = true;
        }
        let done = operator.progress >= operator.takes;
        if done {
            self.carry_out(&operator);
        }
        self.operators.running.insert(region, operator);
        if done {
            self.operators.end(region, Status::Success, self.now);
        }
    }

    fn carry_out(&mut self, operator: &Operator) {
        let region = operator.region;
        match operator.kind {
            Kind::TransferLeader { to, .. } | Kind::Scatter { to } => {
                if self.regions.get(region).peers.iter().any(|peer| peer.store == to && !peer.learner) {
                    self.leads(region, to);
                }
            }
            Kind::MovePeer { from, to } => {
                self.regions.promote(region, to);
                if self.regions.get(region).leader == Some(from) {
                    let next = self.regions.get(region).peers.iter().map(|peer| peer.store).find(|&store| {
                        store != from && self.linked(from.into(), store.into()) && self.takes_leaders(store.into())
                    });
                    self.leads(region, next.unwrap_or(to));
                }
                self.regions.remove_peer(region, from);
            }
            Kind::AddPeer { to } => self.regions.promote(region, to),
            Kind::Split => {
                self.regions.split(region);
            }
            Kind::Merge => {}
        }
    }

    fn take_back(&mut self, operator: &Operator) {
        if let Some(to) = operator.adds_to()
            && operator.added
        {
            self.regions.remove_peer(operator.region, to);
        }
    }
}
