//! Whose time the loops run in: a simulated system has a time of its own, which goes faster than the real one.

use std::sync::Arc;
use std::time::Duration;

use operator_core::SystemClock;
use operator_protocols::Clock;

/// The time the loops run in.
#[derive(Clone)]
pub struct Pace {
    /// Their present.
    pub clock: Arc<dyn Clock>,
    /// How many of its seconds go by in a real one, at least 1.
    pub speed: u32,
}

impl Default for Pace {
    /// Real time.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), speed: 1 }
    }
}

impl Pace {
    /// How long `of` this time lasts in real time.
    pub fn real(&self, of: Duration) -> Duration {
        of / self.speed.max(1)
    }
}
