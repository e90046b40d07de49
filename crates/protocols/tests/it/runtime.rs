//! A runtime of a dozen lines, and a clock that moves only when told: enough for futures of the standard library.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use operator_protocols::{BoxFuture, Clock, Timestamp};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `future` to its end on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}

/// A clock that stands still until somebody waits on it.
#[derive(Clone)]
pub struct StillClock(Arc<AtomicI64>);

impl StillClock {
    /// Late in 2023.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_700_000_000_000)))
    }

    /// Time passes when the future is awaited.
    pub fn pass(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let millis = Arc::clone(&self.0);
        let by = i64::try_from(duration.as_millis()).expect("a test waits less than that");
        Box::pin(async move {
            millis.fetch_add(by, Ordering::SeqCst);
        })
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
