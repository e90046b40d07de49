//! A provider within a budget: for one investigation, with the patience of the caller, and an account of every attempt.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use operator_protocols::BoxFuture;
use operator_reasoner::Usage;

use crate::budget::{Ledger, Settlement};
use crate::{Budget, Failure, Patience, Price, Provider, ProviderError, Reply, Request, estimate};

/// The time and the chance that a [`Metered`] provider lives by.
pub trait Pace: Send + Sync {
    /// The time since some fixed instant.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;
    /// A number from 0 to 1.
    fn chance(&self) -> f64;
}

/// The time of this process, and chance from whoever makes it.
pub struct ProcessPace<C> {
    start: tokio::time::Instant,
    chance: C,
}

impl<C> fmt::Debug for ProcessPace<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPace").field("start", &self.start).finish_non_exhaustive()
    }
}

impl<C: Fn() -> f64 + Send + Sync> ProcessPace<C> {
    /// Begins now; `chance` gives numbers from 0 to 1.
    pub fn new(chance: C) -> Self {
        Self { start: tokio::time::Instant::now(), chance }
    }
}

impl<C: Fn() -> f64 + Send + Sync> Pace for ProcessPace<C> {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn chance(&self) -> f64 {
        (self.chance)()
    }
}

/// A provider that calls another one, within a budget. Make one for each investigation.
pub struct Metered<'a> {
    provider: &'a dyn Provider,
    pace: &'a dyn Pace,
    patience: Patience,
    price: Price,
    ledger: Mutex<Ledger>,
    began: Mutex<Option<Duration>>,
    turned_away: Mutex<Vec<Failure>>,
}

impl fmt::Debug for Metered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

impl<'a> Metered<'a> {
    /// `provider` within `budget`.
    pub fn new(provider: &'a dyn Provider, budget: Budget, patience: Patience, pace: &'a dyn Pace) -> Self {
        Self {
            provider,
            pace,
            patience,
            price: provider.price(),
            ledger: Mutex::new(Ledger::new(budget)),
            began: Mutex::new(None),
            turned_away: Mutex::new(Vec::new()),
        }
    }

    /// What was spent so far, in all.
    pub fn spent(&self) -> Usage {
        self.ledger().spent()
    }

    /// The attempts that were turned away before another one was made, since this was last asked. For the audit: the last
    /// attempt of a call is the call's own answer or failure.
    pub fn turned_away(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.turned_away.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(
        &self,
        request: &Request,
        time_limit: Duration,
        heard: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Reply, Failure> {
        let began = {
            let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
            *began.get_or_insert_with(|| self.pace.now())
        };
        let until = self.pace.now().saturating_add(time_limit);
        let input = estimate::request(request);
        let mut made = 0;
        loop {
            let now = self.pace.now();
            let passed = now.saturating_sub(began);
            let reservation = self.ledger().reserve(&self.price, input, request.max_output_tokens.into(), passed)?;
            let time = reservation.time.min(until.saturating_sub(now));
            let answered = self.provider.send(request, time, heard).await;
            made += 1;
            let failure = match answered {
                Ok(reply) => {
                    self.ledger().settle(reservation, Settlement::Known(reply.usage));
                    return Ok(reply);
                }
                Err(mut failure) => {
                    let usage = self.ledger().settle(reservation, settlement(&failure));
                    if let Some(sent) = &mut failure.sent {
                        sent.usage = usage;
                    }
                    failure
                }
            };
            let Some(wait) = self.patience.wait(made, &failure.error, self.pace.chance()) else { return Err(failure) };
            let again = self.pace.now().saturating_add(wait);
            let end = until.min(began.saturating_add(reservation.time.saturating_add(passed)));
            if again >= end {
                // It asks for more patience than there is time.
                return Err(failure);
            }
            self.turned_away.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
            self.pace.sleep(wait).await;
        }
    }
}

fn settlement(failure: &Failure) -> Settlement {
    let told = failure.sent.as_ref().map(|sent| sent.usage).unwrap_or_default();
    match &failure.error {
        ProviderError::Budget { .. } | ProviderError::Refused { .. } => Settlement::Nothing,
        // Turned away at the door; in the middle of a stream it was let in first.
        ProviderError::Busy { .. } | ProviderError::Failed { .. } if told.input_tokens == 0 => Settlement::Nothing,
        ProviderError::Lost { .. } if failure.sent.is_none() => Settlement::Nothing,
        _ => Settlement::Unknown,
    }
}

impl Provider for Metered<'_> {
    fn name(&self) -> &str {
        self.provider.name()
    }

    fn model(&self) -> &str {
        self.provider.model()
    }

    fn uses_tools(&self) -> bool {
        self.provider.uses_tools()
    }

    fn price(&self) -> Price {
        self.price
    }

    fn send<'a>(
        &'a self,
        request: &'a Request,
        time_limit: Duration,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(self.call(request, time_limit, heard))
    }
}
