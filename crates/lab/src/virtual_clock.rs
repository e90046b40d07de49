//! The clock of a simulated system.

use std::sync::atomic::{AtomicI64, Ordering};

use operator_protocols::{Clock, Timestamp};

/// A clock that shows the time of a simulated system.
#[derive(Debug)]
pub(crate) struct VirtualClock(AtomicI64);

impl VirtualClock {
    pub(crate) fn at(milliseconds: i64) -> Self {
        Self(AtomicI64::new(milliseconds))
    }

    pub(crate) fn set(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
