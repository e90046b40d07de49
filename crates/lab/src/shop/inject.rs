//! Breaking the shop, and mending it. A fault is its own undo: what it broke is put back to what the shop declares.

use operator_protocols::shop::Surge;

use super::environment::Inner;
use super::fault::Fault;
use crate::environment::{Cleared, Injected};
use crate::error::LabError;

/// The version every component is declared to run, and the one a fault rolls out.
const DECLARED: &str = "1.4.0";
const NEXT: &str = "1.5.0";
/// How many entries the catalog is declared to keep at hand.
const DECLARED_CACHE: u32 = 10_000;
/// What every replica of orders is declared to charge, in percent.
const DECLARED_TAX: u32 = 20;
/// From an innocent change to what it is not to blame for, in seconds.
const LATER: u32 = 60;

impl Inner {
    /// Breaks something: how to take it back is on disk before.
    pub(super) fn inject(&self, fault: &Fault) -> Result<Injected, LabError> {
        let what = fault.to_string();
        let number = self.journal().begin(&what, fault.clone())?;
        tracing::info!(fault = %what, "injecting");
        self.break_it(fault);
        Ok(Injected { number, what })
    }

    fn break_it(&self, fault: &Fault) {
        let shop = &self.shop;
        let cost = |times: u32| f64::from(times);
        match fault {
            Fault::KillComponent { component } => shop.kill(component),
            Fault::HogMachine { component, times } => shop.hog(component, cost(*times)),
            Fault::DelayLink { from, to, delay_ms } => shop.delay(from, to, *delay_ms),
            Fault::CutLink { from, to } => shop.cut(from, to, true),
            Fault::WrongTax { replica, percent } => shop.set_vat(replica, *percent),
            Fault::StopReporting { replica } => shop.set_reporting(replica, false),
            Fault::StealJobs { lane, jobs } => {
                shop.steal(lane, *jobs as usize);
            }
            Fault::SmuggleJobs { lane, jobs } => {
                shop.smuggle(lane, *jobs as usize);
            }
            Fault::LoseJournal {} => shop.lose_journal(),
            Fault::FillDisk { room } => shop.fill_disk(*room as usize),
            Fault::Crowd { times } => shop.surge(Some(Surge::Stays(cost(*times)))),
            Fault::JumpClock { component, by_ms } => shop.set_clock(component, i64::from(*by_ms)),
            Fault::SlowVersion { component, times } => shop.deploy(component, NEXT, cost(*times)),
            Fault::SmallCache { entries } => shop.set_cache_entries(*entries),
            Fault::HogAfterDeploy { component, deployed, times } => {
                shop.deploy(deployed, NEXT, 1.0);
                shop.hog_later(component, *times, LATER);
            }
            Fault::HideStatus { component } => shop.hide(component, true),
            Fault::LoadWave { percent, for_s } => {
                shop.surge(Some(Surge::Wave(f64::from(*percent) / 100.0, f64::from(*for_s))));
            }
            Fault::RollingRestart {} => shop.restart_orders_in_turn(),
            Fault::GoodVersion { component } => shop.deploy(component, NEXT, 1.0),
            Fault::Nothing {} => {}
        }
    }

    /// Takes back everything that is not taken back yet, latest first.
    pub(super) fn undo_all(&self) -> Result<Cleared, LabError> {
        let mut cleared = Cleared::default();
        let open = self.journal().open_entries().to_vec();
        for entry in open.into_iter().rev() {
            self.undo(&entry.undo);
            self.journal().done(entry.number)?;
            cleared.undone.push(entry.what);
        }
        Ok(cleared)
    }

    /// Taking back what is mended already changes nothing.
    fn undo(&self, fault: &Fault) {
        let shop = &self.shop;
        match fault {
            Fault::KillComponent { component } => shop.revive(component),
            Fault::HogMachine { component, .. } | Fault::HogAfterDeploy { component, .. } => shop.hog(component, 1.0),
            Fault::DelayLink { from, to, .. } => shop.delay(from, to, 0),
            Fault::CutLink { from, to } => shop.cut(from, to, false),
            Fault::WrongTax { replica, .. } => shop.set_vat(replica, DECLARED_TAX),
            Fault::StopReporting { replica } => shop.set_reporting(replica, true),
            Fault::FillDisk { .. } => shop.free_disk(),
            Fault::Crowd { .. } | Fault::LoadWave { .. } => shop.surge(None),
            Fault::JumpClock { component, .. } => shop.set_clock(component, 0),
            Fault::SlowVersion { component, .. } => shop.deploy(component, DECLARED, 1.0),
            Fault::SmallCache { .. } => shop.set_cache_entries(DECLARED_CACHE),
            Fault::HideStatus { component } => shop.hide(component, false),
            // What was planned stays done, and what is gone stays gone.
            Fault::StealJobs { .. }
            | Fault::SmuggleJobs { .. }
            | Fault::LoseJournal {}
            | Fault::RollingRestart {}
            | Fault::GoodVersion { .. }
            | Fault::Nothing {} => {}
        }
    }
}
