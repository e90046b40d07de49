//! One declared process: what it is to be, and its current start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use operator_protocols::ProcessStatus;

use super::child::{RunningChild, exit_in_words};
use super::spec::ProcessSpec;

/// One declared process.
#[derive(Debug)]
pub(super) struct Slot {
    /// Held by whoever starts or stops it; signals and status do not wait for that.
    pub(super) operation: tokio::sync::Mutex<()>,
    pub(super) spec: Mutex<ProcessSpec>,
    pub(super) current: Mutex<Option<Arc<RunningChild>>>,
}

impl Slot {
    pub(super) fn current(&self) -> Option<Arc<RunningChild>> {
        lock(&self.current).clone()
    }

    pub(super) fn running(&self) -> Option<Arc<RunningChild>> {
        self.current().filter(|child| child.exit().is_none())
    }

    pub(super) fn status(&self) -> ProcessStatus {
        let current = self.current();
        let exit = current.as_ref().and_then(|child| child.exit());
        ProcessStatus {
            running: current.is_some() && exit.is_none(),
            incarnation: current.map(|child| child.incarnation.clone()),
            exit: exit.map(exit_in_words),
        }
    }
}

/// A poisoned lock only means that a reader panicked: the values are replaced whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
