//! The shop as whoever runs it holds it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::model::Model;
use super::node::index_of;
use crate::Timestamp;

/// The shops of this process that can be found by name.
static OPEN: Mutex<BTreeMap<String, Weak<Mutex<Model>>>> = Mutex::new(BTreeMap::new());
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A running shop. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct Shop {
    model: Arc<Mutex<Model>>,
}

/// How a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Whether it answers.
    pub running: bool,
    /// How often it was started, the start that is under way included.
    pub starts: u64,
    /// The name of its last start.
    pub incarnation: String,
}

impl Shop {
    /// A shop in which chance follows from `seed`. It opens at the first step.
    pub fn new(seed: u64) -> Self {
        Self { model: Arc::new(Mutex::new(Model::new(seed))) }
    }

    /// A shop of which nothing answers.
    pub(super) fn closed() -> Self {
        let shop = Self::new(0);
        shop.unplug();
        shop
    }

    /// Lets time pass until `to`. Time that goes backwards changes nothing.
    pub fn step(&self, to: Timestamp) {
        self.lock().step(to.as_millis().saturating_mul(1_000));
    }

    /// Gives it a name by which a configuration within this process finds it, as long as a handle is left.
    pub fn publish(&self) -> String {
        let name = format!("shop-{}", OPENED.fetch_add(1, Ordering::Relaxed) + 1);
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, shop| shop.strong_count() > 0);
        open.insert(name.clone(), Arc::downgrade(&self.model));
        name
    }

    /// The shop that was published under `name`.
    pub fn published(name: &str) -> Option<Self> {
        let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(name)?.upgrade().map(|model| Self { model })
    }

    /// How the process of a component is; none, if there is no such component.
    pub fn process(&self, name: &str) -> Option<Process> {
        let model = self.lock();
        let node = &model.nodes[index_of(name)?];
        Some(Process { running: node.running, starts: node.starts, incarnation: node.incarnation() })
    }

    /// How many shoppers got what they asked for, and how many did not.
    pub fn shoppers(&self) -> (u64, u64) {
        let shoppers = &self.lock().shoppers;
        (shoppers.calls - shoppers.failures, shoppers.failures)
    }

    /// How long half of the last shoppers waited at most, and 99 of 100, in seconds; none without shoppers.
    pub fn shopper_times(&self) -> Option<(f64, f64)> {
        let shoppers = &self.lock().shoppers;
        Some((shoppers.quantile(50)?, shoppers.quantile(99)?))
    }

    /// Its present; none before it has opened.
    pub fn now(&self) -> Option<Timestamp> {
        let model = self.lock();
        model.opened.map(|_| Timestamp::from_millis(model.now / 1_000))
    }

    /// How many commands were obeyed: what looking must never change.
    pub fn commands_obeyed(&self) -> u64 {
        self.lock().commands_obeyed
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
