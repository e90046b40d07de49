//! How packers work: they take what has waited longest, pack it, and throw away what seems too old to them.

use super::call::{Answer, Purpose};
use super::lanes::Job;
use super::model::{Due, MILLISECOND, Model, SECOND};
use super::node::{CATALOG, FIRST_ORDERS, FIRST_PACKER, QUEUE};
use crate::LogLevel;

/// A job older than that, by the packer's clock, is not worth packing any more.
const STALE: i64 = 300 * SECOND;
/// Who finds nothing looks again after so long.
const IDLE: i64 = 50 * MILLISECOND;
/// Who is not answered asks again after so long.
const RETRY: i64 = 500 * MILLISECOND;

impl Model {
    fn is_at_work(&self, packer: usize, starts: u64) -> bool {
        let node = &self.nodes[FIRST_PACKER + packer];
        node.running && node.starts == starts
    }

    pub(super) fn looks_for_work(&mut self, packer: usize, starts: u64) {
        if self.is_at_work(packer, starts) && self.lanes.leased[packer].is_none() {
            self.send(Some(FIRST_PACKER + packer), QUEUE, None, Purpose::Take);
        }
    }

    pub(super) fn has_taken(&mut self, node: usize, answer: Answer) {
        let packer = node - FIRST_PACKER;
        let starts = self.nodes[node].starts;
        match answer {
            Err(_) => {
                self.lanes.give_back(packer);
                self.after(RETRY, Due::Looks(packer, starts));
            }
            Ok(None) => self.after(IDLE, Due::Looks(packer, starts)),
            Ok(Some(job)) if self.now + self.nodes[node].clock_ahead - job.put_at > STALE => {
                let message = "job thrown away: older than 300 s".to_owned();
                self.log.write(self.now, node, LogLevel::Warn, message);
                self.done_with(packer);
                self.packed[packer].record(self.now, 0, false, true);
                self.after(IDLE, Due::Looks(packer, starts));
            }
            Ok(Some(_)) => {
                let (chance, miss) = (self.chance.fraction(), self.chance.fraction());
                let work = self.nodes[node].work(chance, miss);
                self.nodes[node].busy = 1;
                self.after(work, Due::Packed(packer, starts));
                self.nodes[node].served.record(self.now, work, true, true);
            }
        }
    }

    pub(super) fn has_packed(&mut self, packer: usize, starts: u64) {
        if self.is_at_work(packer, starts) {
            self.done_with(packer);
            self.nodes[FIRST_PACKER + packer].busy = 0;
            self.packed[packer].record(self.now, 0, true, true);
            self.looks_for_work(packer, starts);
        }
    }

    fn done_with(&mut self, packer: usize) {
        match self.lanes.leased[packer].take() {
            Some(Job { lane, producer: Some(producer), .. }) => self.accounts.done[producer][lane] += 1,
            Some(Job { lane, producer: None, .. }) => self.accounts.foreign_done[lane] += 1,
            None => {}
        }
    }

    /// A replica of orders tells the catalog what it sold.
    pub(super) fn report_sales(&mut self, replica: usize) {
        let node = &self.nodes[FIRST_ORDERS + replica];
        let cut = self.links.get(&(node.index, CATALOG)).is_some_and(|link| link.cut);
        if node.running && node.reports_sales && !cut && self.nodes[CATALOG].running {
            self.accounts.recorded[replica] = self.accounts.sold[replica];
        }
    }
}
