//! Planned work, as the usual tools do it: nothing is wrong meanwhile.

use super::scheduler::EVICT_LEADER;
use super::store::Store;
use super::{Simulator, timing};

/// How long a tool waits for leaders to go before it goes on (tiup: `--transfer-timeout` 600 s).
const TRANSFER_TIMEOUT: i64 = 600_000;

/// Planned work under way.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The stores that are still to be done, by index.
    left: Vec<usize>,
    /// What is being done with the first of them.
    doing: Doing,
    /// Since when.
    since: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Drain,
    AwaitNoLeaders,
    AwaitUp,
    Undrain,
    Rest,
}

impl Planned {
    /// Store after store is drained, restarted, and given its leaders back.
    pub(crate) fn rolling_restart(stores: usize, now: i64) -> Self {
        Self { left: (0..stores).collect(), doing: Doing::Drain, since: now }
    }
}

impl Simulator {
    pub(super) fn step_planned(&mut self) {
        let Some(planned) = &self.planned else { return };
        let Some(&store) = planned.left.first() else {
            self.planned = None;
            return;
        };
        let (id, waited) = (self.stores[store].id, self.now - planned.since);
        let next = match planned.doing {
            Doing::Drain => {
                self.evict_by_request(id);
                Some(Doing::AwaitNoLeaders)
            }
            Doing::AwaitNoLeaders if self.regions.held(store).leaders == 0 || waited > TRANSFER_TIMEOUT => {
                self.ask_to_end(store, true);
                Some(Doing::AwaitUp)
            }
            Doing::AwaitUp => {
                let back = self.stores[store].works(self.now) && self.now >= self.stores[store].caught_up_at;
                (back && self.stores[store].process.ends_at.is_none() && waited > timing::STORE_BOOT + 1_000)
                    .then_some(Doing::Undrain)
            }
            Doing::Undrain => {
                self.end_eviction(id);
                Some(Doing::Rest)
            }
            Doing::Rest if waited > 30_000 => Some(Doing::Drain),
            Doing::AwaitNoLeaders | Doing::Rest => None,
        };
        let now = self.now;
        if let (Some(next), Some(planned)) = (next, &mut self.planned) {
            if planned.doing == Doing::Rest {
                planned.left.remove(0);
            }
            (planned.doing, planned.since) = (next, now);
        }
    }

    /// Leaders go from a store until that is taken back.
    pub(crate) fn evict_by_request(&mut self, store: u64) {
        self.schedulers.present.entry(EVICT_LEADER.to_owned()).or_insert(0);
        self.schedulers.evicted.insert(store);
    }

    /// Leaders may come to a store again; whether they were evicted.
    pub(crate) fn end_eviction(&mut self, store: u64) -> bool {
        let was = self.schedulers.evicted.remove(&store);
        if self.schedulers.evicted.is_empty() {
            self.schedulers.present.remove(EVICT_LEADER);
        }
        was
    }

    /// A store's process is asked to end (`SIGTERM`): it hands over what it leads first.
    pub(crate) fn ask_to_end(&mut self, store: usize, starts_again: bool) {
        let process = &mut self.stores[store].process;
        if process.running {
            process.ends_at = Some(self.now + timing::GRACEFUL_SHUTDOWN);
            process.starts_again = starts_again;
        }
    }

    /// A new store joins, empty.
    pub(crate) fn join(&mut self) -> u64 {
        let id = self.stores.iter().map(|store| store.id).max().unwrap_or(0) + 1;
        let capacity = self.stores.first().map_or(5e11, |store| store.capacity);
        let labels = vec![("host".to_owned(), format!("host-{id}"))];
        let mut store = Store::serving(id, capacity, labels, self.now);
        store.record.started_at = self.now - 1;
        store.record.node_state = 0;
        store.record.last_heartbeat = self.now;
        store.process.ready_at = self.now + timing::STORE_BOOT;
        self.stores.push(store);
        self.regions.add_store();
        id
    }
}
