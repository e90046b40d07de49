//! How a request goes through the shop: it is sent, waits its turn, is worked on, calls others, and is answered.

use super::accounts::ITEMS;
use super::call::{Answer, Call, Failure, Purpose};
use super::lanes::{Job, LANES};
use super::model::{Due, MILLISECOND, Model, SECOND};
use super::node::{CATALOG, FIRST_ORDERS, FRONTS, ORDERS, QUEUE};
use crate::LogLevel;

/// Of a hundred shoppers so many buy.
const BUY_PERCENT: f64 = 30.0;
/// Where nobody comes it is seen so often whether that has changed.
const CLOSED: i64 = 100 * MILLISECOND;
/// A process turns requests away when so many wait.
const BACKLOG: usize = 64;
/// A replica that refused is left alone for so long.
const SHUN: i64 = 2 * SECOND;
/// What a refusal takes.
const REFUSAL: i64 = MILLISECOND;

impl Model {
    pub(super) fn shopper(&mut self) {
        let rate = self.traffic.at(self.now, self.opened.unwrap_or(self.now));
        if rate <= 0.0 {
            // Nobody comes, until somebody says otherwise.
            return self.after(CLOSED, Due::Shopper);
        }
        let next = self.chance.until_next(rate);
        self.after(next, Due::Shopper);
        let purpose = if self.chance.fraction() * 100.0 < BUY_PERCENT {
            Purpose::Buy { lane: self.chance.index(LANES.len()), item: self.chance.index(ITEMS.len()) }
        } else {
            Purpose::Browse
        };
        self.turn += 1;
        // Whatever stands before the fronts knows which of them run.
        let turn = self.turn;
        let front =
            (0..FRONTS.len()).map(|other| (turn + other) % FRONTS.len()).find(|&front| self.nodes[front].running);
        match front {
            Some(front) => {
                self.send(None, front, None, purpose);
            }
            None => self.shoppers.record(self.now, 0, false, false),
        }
    }

    /// Sends a call.
    pub(super) fn send(&mut self, from: Option<usize>, to: usize, parent: Option<u64>, purpose: Purpose) -> u64 {
        let id = self.number();
        let call = Call {
            from,
            to,
            parent,
            purpose,
            sent: self.now,
            arrived: None,
            in_slot: false,
            step: 0,
            retried: false,
            given_up: false,
        };
        self.calls.insert(id, call);
        let (delay, cut) = match from.and_then(|from| self.links.get(&(from, to))) {
            Some(link) => (link.delay, link.cut),
            None => (0, false),
        };
        let hop = delay + (self.chance.fraction() * 1_000.0) as i64 + 500;
        if !cut {
            self.after(hop, Due::Arrives(id));
        }
        self.after(purpose.patience(), Due::GivenUp(id));
        id
    }

    pub(super) fn arrives(&mut self, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.arrived = Some(self.now);
        let node = &mut self.nodes[call.to];
        if !node.running {
            self.after(REFUSAL, Due::Answered(id, Err(Failure::Refused)));
            return;
        }
        if let Some(link) = call.from.and_then(|from| self.links.get_mut(&(from, call.to))) {
            link.received += 1;
        }
        if node.waiting.len() >= BACKLOG {
            self.finish(id, Err(Failure::Full));
        } else {
            let to = call.to;
            node.waiting.push_back(id);
            self.take_up(to);
        }
    }

    /// A process takes up what waits, as long as it has a slot.
    pub(super) fn take_up(&mut self, to: usize) {
        while self.nodes[to].busy < self.nodes[to].slots {
            let Some(id) = self.nodes[to].waiting.pop_front() else { return };
            let Some(call) = self.calls.get_mut(&id) else { continue };
            if call.given_up {
                self.calls.remove(&id);
                continue;
            }
            call.in_slot = true;
            let (chance, miss) = (self.chance.fraction(), self.chance.fraction());
            let node = &mut self.nodes[to];
            node.busy += 1;
            let work = node.work(chance, miss);
            self.after(work, Due::Worked(id));
        }
    }

    /// A call has come a step further: it makes the next call it needs, or is done.
    pub(super) fn goes_on(&mut self, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let (at, step, front) = (call.to, call.step, call.from);
        match (call.purpose, step) {
            (Purpose::Browse, 0) => self.call_on(at, CATALOG, id, Purpose::Lookup),
            (Purpose::Buy { lane, item }, 0) => match self.replica() {
                Some(replica) => self.call_on(at, replica, id, Purpose::PlaceOrder { lane, item }),
                None => self.finish(id, Err(Failure::Failed)),
            },
            (Purpose::PlaceOrder { .. } | Purpose::DryRun, 0) => self.call_on(at, CATALOG, id, Purpose::Lookup),
            (Purpose::PlaceOrder { lane, .. }, 1) => self.call_on(at, QUEUE, id, Purpose::Put { lane }),
            (Purpose::DryRun, 1) => self.call_on(at, QUEUE, id, Purpose::Ping),
            (Purpose::PlaceOrder { item, .. }, _) => {
                self.accounts.sold[at - FIRST_ORDERS][item] += 1;
                self.finish(id, Ok(None));
            }
            (Purpose::Put { .. }, _) if self.lanes.is_full() => {
                self.log.write(self.now, at, LogLevel::Error, "cannot write: no space left on disk".to_owned());
                self.finish(id, Err(Failure::Full));
            }
            (Purpose::Put { lane }, _) => {
                // Who gave up in the meantime has been cut off: nothing is written for them.
                if !call.given_up {
                    let put_at = self.now + self.nodes[at].clock_ahead;
                    let producer = front.map(|front| front - FIRST_ORDERS);
                    self.lanes.put(Job { lane, put_at, producer });
                    // The queue and its client agree on what was put, in one step.
                    if let Some(producer) = producer {
                        self.accounts.put[producer][lane] += 1;
                    }
                }
                self.finish(id, Ok(None));
            }
            (Purpose::Take, _) => {
                let packer = front.map(|front| front - super::node::FIRST_PACKER);
                let now = self.now + self.nodes[at].clock_ahead;
                let job = packer.filter(|_| !call.given_up).and_then(|packer| self.lanes.take(packer, now));
                self.finish(id, Ok(job));
            }
            _ => self.finish(id, Ok(None)),
        }
    }

    fn call_on(&mut self, from: usize, to: usize, within: u64, purpose: Purpose) {
        self.send(Some(from), to, Some(within), purpose);
    }

    /// The replica of orders whose turn it is: none that is drained, and none that just refused, if another is left.
    fn replica(&mut self) -> Option<usize> {
        self.turn += 1;
        let turn = self.turn;
        let all = (0..ORDERS.len()).map(|other| (turn + other) % ORDERS.len());
        let open: Vec<usize> = all.filter(|&replica| !self.nodes[FIRST_ORDERS + replica].drained).collect();
        let willing = open.iter().copied().find(|&replica| self.shunned[replica] <= self.now);
        willing.or(open.first().copied()).map(|replica| FIRST_ORDERS + replica)
    }

    /// A front tries a drained replica.
    pub(super) fn dry_run(&mut self, node: usize) {
        for front in 0..FRONTS.len() {
            if self.nodes[front].running {
                self.send(Some(front), node, None, Purpose::DryRun);
            }
        }
    }

    /// The callee is done with a call.
    pub(super) fn finish(&mut self, id: u64, answer: Answer) {
        let Some(call) = self.calls.get(&id).cloned() else { return };
        let arrived = call.arrived.unwrap_or(self.now);
        let node = &mut self.nodes[call.to];
        node.served.record(self.now, self.now - arrived, answer.is_ok(), true);
        if call.in_slot {
            node.busy = node.busy.saturating_sub(1);
            if let Some(call) = self.calls.get_mut(&id) {
                call.in_slot = false;
            }
        }
        self.answered(id, answer);
        self.take_up(call.to);
    }

    /// The caller has its answer.
    pub(super) fn answered(&mut self, id: u64, answer: Answer) {
        let Some(call) = self.calls.remove(&id) else { return };
        if call.given_up {
            return;
        }
        self.caller_learns(&call, answer);
    }

    /// The caller waits no longer.
    pub(super) fn given_up(&mut self, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.given_up {
            return;
        }
        call.given_up = true;
        let call = call.clone();
        if call.arrived.is_none() {
            self.calls.remove(&id);
        }
        self.caller_learns(&call, Err(Failure::TimedOut));
    }

    fn caller_learns(&mut self, call: &Call, answer: Answer) {
        let Some(from) = call.from else {
            let took = self.now - call.sent;
            return self.shoppers.record(self.now, took, answer.is_ok(), true);
        };
        if let Some(link) = self.links.get_mut(&(from, call.to)) {
            let reached = answer.err().is_none_or(Failure::reached);
            link.meter.record(self.now, self.now - call.sent, answer.is_ok(), reached);
        }
        if let Err(failure) = answer {
            let message = format!("call to {} failed: {}", self.nodes[call.to].name(), failure.words());
            self.log.write(self.now, from, LogLevel::Error, message);
        }
        match (call.purpose, answer) {
            (Purpose::Take, answer) => return self.has_taken(from, answer),
            (Purpose::PlaceOrder { .. }, Err(Failure::Refused)) => {
                self.shunned[call.to - FIRST_ORDERS] = self.now + SHUN;
                if self.tries_another(call) {
                    return;
                }
            }
            _ => {}
        }
        let Some(parent) = call.parent else { return };
        match answer {
            Ok(_) => {
                if let Some(parent) = self.calls.get_mut(&parent) {
                    parent.step += 1;
                }
                self.goes_on(parent);
            }
            Err(_) => self.finish(parent, Err(Failure::Failed)),
        }
    }

    /// An order that was refused is placed with another replica, once.
    fn tries_another(&mut self, call: &Call) -> bool {
        let (Some(from), Some(parent), false) = (call.from, call.parent, call.retried) else { return false };
        let Some(other) = self.replica().filter(|other| *other != call.to) else { return false };
        let id = self.send(Some(from), other, Some(parent), call.purpose);
        if let Some(call) = self.calls.get_mut(&id) {
            call.retried = true;
        }
        true
    }
}
