//! When the next cycle is: an interval after the last by the environment's clock, which may be faster than ours.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{Clock, Timestamp};

use crate::environment::Environment;
use crate::error::LabError;

/// When cycles are.
pub(super) struct Pacing<'a> {
    environment: &'a dyn Environment,
    clock: Arc<dyn Clock>,
    interval: Duration,
    next: Option<Timestamp>,
}

impl<'a> Pacing<'a> {
    pub fn of(environment: &'a dyn Environment, interval: Duration) -> Self {
        Self { environment, clock: environment.clock(), interval, next: None }
    }

    /// Now, by the environment's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for the next cycle and gives its instant. The first is at once; one that took longer than the interval
    /// delays the next, and none is made up for.
    pub async fn tick(&mut self) -> Result<Timestamp, LabError> {
        if let Some(next) = self.next {
            self.environment.advance(next).await?;
        }
        let at = self.clock.now();
        self.next = Some(at.plus(self.interval));
        Ok(at)
    }
}
