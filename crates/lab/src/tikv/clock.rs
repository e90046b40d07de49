//! The clock of a simulated cluster.

use std::sync::atomic::{AtomicI64, Ordering};

use operator_protocols::{Clock, Timestamp};

/// A clock that shows the time of a simulated cluster.
#[derive(Debug)]
pub(super) struct VirtualClock(AtomicI64);

impl VirtualClock {
    pub(super) fn at(milliseconds: i64) -> Self {
        Self(AtomicI64::new(milliseconds))
    }

    pub(super) fn set(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
