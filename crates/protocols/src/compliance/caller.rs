//! Calls into a subject that outlive its panics, its delays and its writes, and remember them.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::{BoxFuture, Clock, Timestamp};

/// A future that ends when so much time has passed.
pub(super) type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;
/// How much was written to the system so far.
pub(super) type Writes = Arc<dyn Fn() -> BoxFuture<'static, u64> + Send + Sync>;

pub(super) struct Caller {
    clock: Arc<dyn Clock>,
    pause: Option<Pause>,
    writes: Option<Writes>,
    limit: Duration,
    last: Option<Timestamp>,
    wrote: Vec<String>,
}

impl Caller {
    pub(super) fn new(clock: Arc<dyn Clock>, pause: Option<Pause>, writes: Option<Writes>) -> Self {
        Self { clock, pause, writes, limit: Duration::MAX, last: None, wrote: Vec::new() }
    }

    /// From now on a call that takes longer than `limit` is a fault.
    pub(super) fn limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// The present: later than every present before it, so that observations follow one another.
    pub(super) fn now(&mut self) -> Timestamp {
        let after_last = self.last.map(|last| last.plus(Duration::from_millis(1)));
        let now = self.clock.now().max(after_last.unwrap_or(Timestamp::from_millis(i64::MIN)));
        self.last = Some(now);
        now
    }

    /// The latest instant at which something seen just now may have been true.
    pub(super) fn latest(&self) -> Timestamp {
        self.clock.now().max(self.last.unwrap_or_default())
    }

    pub(super) async fn wait(&self, duration: Duration) {
        if let Some(pause) = &self.pause {
            pause(duration).await;
        }
    }

    pub(super) fn counts_writes(&self) -> bool {
        self.writes.is_some()
    }

    /// What was written to the system by calls that must not, since this was last asked.
    pub(super) fn take_writes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wrote)
    }

    /// Makes a call that must not write to the system.
    pub(super) async fn call<'a, T: Send>(
        &mut self,
        what: &str,
        call: impl FnOnce() -> BoxFuture<'a, T> + Send,
    ) -> Result<T, String> {
        let before = self.written().await;
        let answer = self.bounded(call).await.map_err(|fault| format!("{what} {fault}"));
        let after = self.written().await;
        if before != after {
            self.wrote.push(format!("{what} changed the count of writes from {before} to {after}"));
        }
        answer
    }

    async fn written(&self) -> u64 {
        match &self.writes {
            Some(writes) => writes().await,
            None => 0,
        }
    }

    async fn bounded<'a, T>(&self, call: impl FnOnce() -> BoxFuture<'a, T> + Send) -> Result<T, String> {
        let began = self.clock.now();
        let mut work = caught(call)?;
        let mut timer = None;
        let answer = poll_fn(|context| match caught(|| work.as_mut().poll(context)) {
            Err(panic) => Poll::Ready(Err(panic)),
            Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
            Ok(Poll::Pending) => match self
                .pause
                .as_ref()
                .map(|pause| timer.get_or_insert_with(|| pause(self.limit)).as_mut().poll(context))
            {
                Some(Poll::Ready(())) => Poll::Ready(Err(self.late())),
                Some(Poll::Pending) | None => Poll::Pending,
            },
        })
        .await?;
        if self.clock.now().since(began) > self.limit { Err(self.late()) } else { Ok(answer) }
    }

    fn late(&self) -> String {
        format!("did not answer within {:?}", self.limit)
    }
}

/// What `call` returns, or what it panicked with.
pub(super) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| format!("panicked: {}", text(&*payload)))
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("with something that is no text")
}
