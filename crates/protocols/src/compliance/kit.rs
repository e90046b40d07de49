//! What an author hands in, and the order in which it is tried.

use std::sync::Arc;
use std::time::Duration;

use super::caller::{Caller, Pause, Writes};
use super::report::{Check, Report};
use super::session::Session;
use super::{actions, blindness, dead, evaluations, names, observations, probes, requests, signals};
use crate::{BoxFuture, Clock, InvariantChecker, Subject};

/// A subject and its checker.
pub type Made = (Box<dyn Subject>, Box<dyn InvariantChecker>);
type Factory = Box<dyn FnOnce() -> Made + Send>;

/// How often the healthy system is looked at.
const HEALTHY_ROUNDS: usize = 4;
/// How often the dead one is.
const DEAD_ROUNDS: usize = 2;
/// How often the operator looks unless told otherwise.
const INTERVAL: Duration = Duration::from_secs(5);

/// The checks of a subject, to be run.
#[must_use = "nothing is checked until it is run"]
pub struct Compliance {
    clock: Arc<dyn Clock>,
    healthy: Factory,
    dead: Option<Factory>,
    pause: Option<Pause>,
    writes: Option<Writes>,
    interval: Duration,
}

impl Compliance {
    /// Checks the subject that `healthy` makes: over a running system in which nothing is wrong. `clock` is the
    /// operator's, the one the subject's readings are dated by.
    pub fn new(clock: Arc<dyn Clock>, healthy: impl FnOnce() -> Made + Send + 'static) -> Self {
        Self { clock, healthy: Box::new(healthy), dead: None, pause: None, writes: None, interval: INTERVAL }
    }

    /// Checks the subject that `dead` makes too: of the same kind, over a system of which nothing answers.
    pub fn dead(mut self, dead: impl FnOnce() -> Made + Send + 'static) -> Self {
        self.dead = Some(Box::new(dead));
        self
    }

    /// How to let time pass: the sleep of the author's runtime, or a step of a clock made for the test. With it the
    /// observations are an interval apart, and a call that never answers is a failure instead of a hang; without it
    /// they follow at once, and only a late answer is noticed.
    pub fn pause(mut self, pause: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        self.pause = Some(Arc::new(pause));
        self
    }

    /// How much was written to the healthy system so far, by whoever counts that. Only what the subject writes may
    /// count: a system that writes by itself makes every look seem a write.
    pub fn writes(mut self, writes: impl Fn() -> BoxFuture<'static, u64> + Send + Sync + 'static) -> Self {
        self.writes = Some(Arc::new(writes));
        self
    }

    /// How far apart the observations are: 5 s unless stated.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Tries everything.
    pub async fn run(self) -> Report {
        let mut caller = Caller::new(Arc::clone(&self.clock), self.pause.clone(), self.writes);
        let session = Session::record(&mut caller, (self.healthy)(), HEALTHY_ROUNDS, self.interval).await;
        let (subject, mut checks) = match &session {
            Ok(session) => {
                (session.descriptor.subject.clone(), check_healthy(&mut caller, session, self.interval).await)
            }
            Err(fault) => ("a subject that cannot say who it is".to_owned(), vec![observations::nameless(fault)]),
        };
        if let Some(dead) = self.dead {
            let mut caller = Caller::new(self.clock, self.pause, None);
            let recorded = Session::record(&mut caller, dead(), DEAD_ROUNDS, self.interval).await;
            checks.extend(dead::checks(&mut caller, recorded, session.as_ref().ok(), self.interval).await);
        } else {
            checks.extend(dead::skipped());
        }
        Report { subject, checks }
    }
}

async fn check_healthy(caller: &mut Caller, session: &Session, interval: Duration) -> Vec<Check> {
    let mut checks = observations::checks(session);
    checks.extend(names::checks(session));
    checks.extend(signals::checks(session));
    checks.extend(evaluations::checks(session));
    checks.extend(blindness::checks(session, interval));
    checks.extend(actions::checks(session));
    checks.extend(requests::reading(caller, session).await);
    checks.extend(probes::checks(caller, session).await);
    checks.push(requests::wrote_nothing(
        caller,
        "reads.write_nothing",
        "observe, history, guard, effect and probes write nothing to the system",
    ));
    checks.extend(requests::refusing(caller, session).await);
    checks.push(requests::wrote_nothing(
        caller,
        "refusals.write_nothing",
        "a request that is refused writes nothing to the system",
    ));
    checks
}
