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
    /// How many of its seconds go by in a real one.
    pub speed: f64,
}

impl Default for Pace {
    /// Real time.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), speed: 1.0 }
    }
}

impl Pace {
    /// How long `of` this time lasts in real time.
    pub fn real(&self, of: Duration) -> Duration {
        Duration::try_from_secs_f64(of.as_secs_f64() / self.speed).unwrap_or(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_goes_faster_lasts_shorter_and_one_that_makes_no_sense_is_real() {
        let at = |speed| Pace { speed, ..Pace::default() }.real(Duration::from_secs(60));
        assert_eq!([at(1.0), at(20.0), at(0.5)], [60, 3, 120].map(Duration::from_secs));
        assert_eq!([at(0.0), at(f64::NAN), at(-1.0)], [60; 3].map(Duration::from_secs));
    }
}
