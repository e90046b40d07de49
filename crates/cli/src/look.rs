//! Looking at a subject without a loop: a few observations, judged; nothing is stored and nothing can be done.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{Evaluation, History, InvariantChecker, Observation, Subject, Unavailable};

use crate::host::now;

/// What the last of a few observations showed.
pub struct Look {
    /// The observation.
    pub seen: Arc<Observation>,
    /// How every invariant was judged by it, with the earlier ones as its past.
    pub judged: Vec<Evaluation>,
}

/// Observes `times` times, `every` apart, and judges the last.
pub async fn look(subject: &dyn Subject, checker: &dyn InvariantChecker, times: u32, every: Duration) -> Look {
    let mut history = History::new();
    let mut last = Look { seen: Arc::new(Observation::new(now())), judged: Vec::new() };
    for n in 0..times {
        if n > 0 {
            tokio::time::sleep(every).await;
        }
        let seen = Arc::new(observe(subject).await);
        last = Look { judged: checker.check(&history, &seen), seen: Arc::clone(&seen) };
        history.push(seen, checker.lookback().max(every * times));
    }
    last
}

/// One observation, given up on after the subject's own deadline.
pub async fn observe(subject: &dyn Subject) -> Observation {
    let at = now();
    let deadline = subject.descriptor().observe_deadline;
    match tokio::time::timeout(deadline, subject.observe(at)).await {
        Ok(mut seen) => {
            seen.discard_readings_that_are_not_finite();
            seen
        }
        Err(_) => {
            let mut nothing = Observation::new(at);
            let why = format!("it took longer than {} s", deadline.as_secs_f64());
            nothing.unavailable.push(Unavailable::new("the whole observation", why));
            nothing
        }
    }
}
