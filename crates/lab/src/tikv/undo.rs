//! How each fault is taken back. The model ends with its process, and so does everything broken in it; the journal tells
//! whoever starts the next one what was broken.

use serde::{Deserialize, Serialize};

use super::environment::Inner;
use super::fault::Fault;
use super::sim::{Simulator, pair};
use crate::environment::Cleared;
use crate::error::LabError;

/// How to take a fault back. Kept in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The fault.
    pub fault: Fault,
    /// The members that it killed or hung.
    #[serde(default)]
    pub members: Vec<String>,
    /// What a setting was before.
    #[serde(default)]
    pub before: Option<String>,
}

impl Inner {
    /// Takes back everything that is not taken back yet, latest first.
    pub(super) fn undo_all(&self) -> Result<Cleared, LabError> {
        let mut cleared = Cleared::default();
        let open = self.journal().open_entries().to_vec();
        for entry in open.into_iter().rev() {
            self.simulator().undo(&entry.undo);
            self.journal().done(entry.number)?;
            cleared.undone.push(entry.what);
        }
        self.serve()?;
        Ok(cleared)
    }
}

impl Simulator {
    /// Takes a fault back. Taking back what is mended already changes nothing.
    pub(super) fn undo(&mut self, undo: &Undo) {
        let stores: Vec<usize> = undo.fault.stores().iter().filter_map(|store| self.store_by_name(store)).collect();
        match &undo.fault {
            Fault::KillStore { .. } | Fault::KillTwoStores { .. } => self.start_stores(&stores),
            Fault::PoisonedLabel { .. } => {
                self.start_stores(&stores);
                for &store in &stores {
                    self.stores[store].labels.retain(|(key, _)| key != super::inject::POISONED);
                }
            }
            Fault::OfflineWhileDegraded { .. } => {
                self.start_stores(&stores);
                for &store in &stores {
                    // A store that is gone by now cannot be called back.
                    let _ = self.set_state(store, "Up");
                }
            }
            Fault::SlowNetwork { .. }
            | Fault::SlowDisk { .. }
            | Fault::SlowDisks { .. }
            | Fault::ForeignFiles { .. }
            | Fault::FillDisk { .. }
            | Fault::IsolateStore { .. }
            | Fault::CutPdLink { .. }
            | Fault::StealCpu { .. } => {
                for &store in &stores {
                    self.stores[store].damage = super::sim::Damage::default();
                }
            }
            Fault::CutLink { .. } => {
                if let [a, b] = stores[..] {
                    self.cut_links.remove(&pair(a, b));
                }
            }
            Fault::KillPdLeader {} | Fault::KillPdQuorum {} | Fault::HangPdLeader {} | Fault::JumpClock { .. } => {
                for member in &undo.members {
                    if let Some(index) = self.member_by_name(member) {
                        self.start_process(super::driver::Which::Member(index));
                        let member = &mut self.members[index];
                        (member.disk_hangs, member.stopped, member.clock_jumped) = (false, false, None);
                    }
                }
            }
            Fault::LeftoverDrain { .. } => {
                for &store in &stores {
                    let id = self.stores[store].id;
                    self.end_eviction(id);
                }
            }
            Fault::WriteHotspot { .. } => self.load.hot = None,
            Fault::WriteBurst { .. } => self.load.write_burst = 1.0,
            Fault::DisableScheduling { setting } => {
                let before = undo.before.as_deref().and_then(|before| before.parse::<i64>().ok());
                // The setting was there when it was set to zero.
                let _ = self.settings.set(setting, &before.unwrap_or(2_048).into());
            }
            Fault::StopPrometheus {} => self.prometheus_runs = true,
            Fault::RollingRestart {} => {
                self.planned = None;
                let evicted: Vec<u64> = self.schedulers.evicted.iter().copied().collect();
                for store in evicted {
                    self.end_eviction(store);
                }
            }
            // What was planned stays done.
            Fault::RestartStore { .. } | Fault::ScaleOut {} | Fault::Decommission { .. } => {}
        }
    }

    fn start_stores(&mut self, stores: &[usize]) {
        for &store in stores {
            self.start_process(super::driver::Which::Store(store));
        }
    }
}
