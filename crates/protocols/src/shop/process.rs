//! Processes start, end, and are restarted as planned.

use super::call::Failure;
use super::meter::Meter;
use super::model::{Due, Model, SECOND};
use super::node::{DECLARED_VAT, FIRST_ORDERS, FIRST_PACKER, Kind, ORDERS};
use crate::{EventKind, LogLevel};

/// What a process takes until it answers.
const BOOT: i64 = 3 * SECOND;
/// Between the steps of planned work.
const PACE: i64 = 15 * SECOND;

/// A step of a planned restart of every replica of orders, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Planned {
    Drain(usize),
    Restart(usize),
    Undrain(usize),
}

impl Model {
    /// The process ends at once. Whoever waits for it learns that the connection is gone; what it waited for is
    /// answered to nobody.
    pub(super) fn end(&mut self, node: usize) {
        if !self.nodes[node].running {
            return;
        }
        self.nodes[node].running = false;
        self.nodes[node].busy = 0;
        self.nodes[node].waiting.clear();
        let own: Vec<u64> = self.calls.iter().filter(|(_, call)| call.from == Some(node)).map(|(id, _)| *id).collect();
        for id in own {
            match self.calls.get_mut(&id) {
                Some(call) if call.arrived.is_some() => call.given_up = true,
                _ => {
                    self.calls.remove(&id);
                }
            }
        }
        let open: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.to == node && call.arrived.is_some())
            .map(|(id, _)| *id)
            .collect();
        for id in open {
            self.answered(id, Err(Failure::Refused));
        }
        if self.nodes[node].kind == Kind::Packer {
            self.lanes.give_back(node - FIRST_PACKER);
        }
    }

    /// The process starts, as declared. It answers when it has booted.
    pub(super) fn start(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        if it.running {
            return;
        }
        it.starts += 1;
        it.vat = DECLARED_VAT;
        it.reports_sales = true;
        let starts = it.starts;
        self.after(BOOT, Due::Booted(node, starts));
    }

    pub(super) fn booted(&mut self, node: usize, starts: u64) {
        let now = self.now;
        let it = &mut self.nodes[node];
        if it.running || it.starts != starts {
            return;
        }
        it.running = true;
        it.started = now;
        it.served = Meter::starting(now);
        let (name, version) = (it.name(), it.version.clone());
        for (_, link) in self.links.iter_mut().filter(|((from, _), _)| *from == node) {
            link.meter = Meter::starting(now);
        }
        for (_, link) in self.links.iter_mut().filter(|((_, to), _)| *to == node) {
            link.received = 0;
        }
        if let Some(packer) = node.checked_sub(FIRST_PACKER) {
            self.packed[packer] = Meter::starting(now);
            self.after(0, Due::Looks(packer, starts));
        }
        self.log.write(now, node, LogLevel::Info, format!("started, version {version}"));
        self.note("start", node, EventKind::Restart, None, format!("{name} started"));
    }

    pub(super) fn set_drained(&mut self, node: usize, drained: bool) {
        if self.nodes[node].drained != drained {
            self.nodes[node].drained = drained;
            let name = self.nodes[node].name();
            let what = if drained { "drained" } else { "takes orders again" };
            self.note("routing", node, EventKind::Action, None, format!("{name} {what}"));
        }
    }

    pub(super) fn plan_goes_on(&mut self, step: Planned) {
        let next = match step {
            Planned::Drain(replica) => {
                self.set_drained(FIRST_ORDERS + replica, true);
                Planned::Restart(replica)
            }
            Planned::Restart(replica) => {
                self.end(FIRST_ORDERS + replica);
                self.start(FIRST_ORDERS + replica);
                Planned::Undrain(replica)
            }
            Planned::Undrain(replica) => {
                self.set_drained(FIRST_ORDERS + replica, false);
                if replica + 1 >= ORDERS.len() {
                    return;
                }
                Planned::Drain(replica + 1)
            }
        };
        self.after(PACE, Due::Planned(next));
    }
}
