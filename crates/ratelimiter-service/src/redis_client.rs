//! A node's side of Redis: two connections kept alive, and the decision whether Redis can be decided with.
//!
//! Scripts that write go over one connection, reads over another: a write that hangs in a paused Redis
//! blocks everything behind it on its connection, and reads must go on saying that Redis is there.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redis::Value;
use tokio::sync::{Notify, watch};

use crate::call::{Answers, Call, CallError, Reply, int};
use crate::link::Link;
use crate::metrics::Metrics;
use crate::script::Script;
use crate::time::{Monotonic, wall_us};

/// How many calls running must fail before a node stops asking Redis for decisions.
const FAILURES: u32 = 3;
/// How long a call that timed out is still listened for, to learn its outcome.
pub const LISTEN: Duration = Duration::from_secs(120);

/// What came of waiting for an answer.
pub enum Waited<T> {
    /// It came in time.
    InTime(Result<T, CallError>),
    /// It did not; it may still come.
    TimedOut(Reply<T>),
}

/// Both connections and the breaker.
pub struct RedisClient {
    pub(crate) client: redis::Client,
    pub(crate) time: Monotonic,
    pub(crate) timeout: Duration,
    pub(crate) metrics: Arc<Metrics>,
    scripts: RwLock<Option<Arc<Link>>>,
    reads: RwLock<Option<Arc<Link>>>,
    run_id: RwLock<Option<String>>,
    broken: AtomicBool,
    failures: AtomicU32,
    /// A call failed: look at once.
    pub(crate) suspicion: Notify,
    /// A read failed: look at once.
    pub(crate) read_failed: Notify,
    /// Decisions go through Redis again.
    pub(crate) came_back: Notify,
    /// Connect anew, both.
    pub(crate) renew: watch::Sender<u64>,
}

impl std::fmt::Debug for RedisClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisClient").field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl RedisClient {
    /// Prepares a client that is not connected yet; [`crate::reconnect`] keeps it connected.
    ///
    /// # Errors
    /// The URL is none for Redis. The error does not repeat it, since it may hold a password.
    pub fn new(
        url: &str,
        timeout: Duration,
        time: Monotonic,
        metrics: Arc<Metrics>,
    ) -> Result<Self, redis::RedisError> {
        Ok(Self {
            client: redis::Client::open(url)?,
            time,
            timeout,
            metrics,
            scripts: RwLock::default(),
            reads: RwLock::default(),
            run_id: RwLock::default(),
            broken: AtomicBool::new(true),
            failures: AtomicU32::new(0),
            suspicion: Notify::new(),
            read_failed: Notify::new(),
            came_back: Notify::new(),
            renew: watch::Sender::new(0),
        })
    }

    /// Whether decisions go through Redis now.
    #[must_use]
    pub fn coordinated(&self) -> bool {
        !self.broken.load(Ordering::Relaxed) && self.script_link().is_some_and(|link| !link.is_dead())
    }

    /// Whether Redis answers pings, which it also does in a write pause.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.read_link().is_some()
    }

    /// The Redis scripts go to, or the last one they went to.
    #[must_use]
    pub fn run_id(&self) -> Option<String> {
        self.run_id.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Redis's clock in µs as well as this node knows it; `None` if it never learned.
    #[must_use]
    pub fn now_us(&self) -> Option<i64> {
        let known = |link: Option<Arc<Link>>| link.and_then(|l| l.redis_now());
        known(self.script_link()).or_else(|| known(self.read_link()))
    }

    /// Redis's clock, or without it this host's.
    #[must_use]
    pub fn now_or_wall_us(&self) -> i64 {
        self.now_us().unwrap_or_else(wall_us)
    }

    pub(crate) fn script_link(&self) -> Option<Arc<Link>> {
        self.scripts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn read_link(&self) -> Option<Arc<Link>> {
        self.reads.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_script_link(&self, link: Option<Arc<Link>>) {
        if let Some(link) = &link {
            let mut run_id = self.run_id.write().unwrap_or_else(PoisonError::into_inner);
            if run_id.as_deref() != Some(link.run_id()) {
                tracing::info!(run_id = link.run_id(), before = run_id.as_deref(), "working with this Redis");
                *run_id = Some(link.run_id().to_owned());
            }
        }
        *self.scripts.write().unwrap_or_else(PoisonError::into_inner) = link;
    }

    pub(crate) fn set_read_link(&self, link: Option<Arc<Link>>) {
        self.metrics.redis_up.set(i64::from(link.is_some()));
        *self.reads.write().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// Redis answered in time: decisions go through it.
    pub(crate) fn works(&self) {
        self.failures.store(0, Ordering::Relaxed);
        if self.broken.swap(false, Ordering::Relaxed) {
            tracing::info!("deciding with Redis");
            self.came_back.notify_one();
        }
    }

    /// Redis failed for certain: decisions do without it until it answers again.
    pub(crate) fn fails(&self, why: &dyn std::fmt::Display) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::warn!(%why, "deciding without Redis");
        }
    }

    /// Counts a failure that may be a chance one; several running take Redis out of decisions.
    pub(crate) fn failed(&self, error: &CallError) {
        self.metrics.redis_errors.inc();
        if matches!(error, CallError::Late) {
            self.metrics.late.inc();
        }
        if matches!(error, CallError::Refused(_) | CallError::Lost(_))
            || self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES
        {
            self.fails(error);
        }
    }

    fn suspect(&self, error: &CallError) {
        self.failed(error);
        self.suspicion.notify_one();
    }

    /// Starts calls of a script that writes, with a deadline that fits a caller who waits for `timeout`.
    /// Returns that deadline (µs by Redis's clock) and the answers to come.
    ///
    /// # Errors
    /// Decisions do without Redis at the moment; nothing was sent.
    pub fn start(
        &self,
        script: &'static Script,
        calls: Vec<Call>,
        timeout: Duration,
    ) -> Result<(i64, Reply<Answers>), CallError> {
        let link = self.script_link().filter(|_| self.coordinated()).ok_or(CallError::NotSent)?;
        let deadline = link.deadline(timeout).ok_or(CallError::NotSent)?;
        Ok((deadline, link.call(script, calls, Some(deadline))))
    }

    /// Waits for an answer, counts it, and feeds the breaker.
    pub async fn wait<T: Send + 'static>(&self, mut reply: Reply<T>, timeout: Duration) -> Waited<T> {
        let started = Instant::now();
        let answer = tokio::time::timeout(timeout, &mut reply).await;
        self.metrics.redis_roundtrip.observe(started.elapsed().as_secs_f64());
        match answer {
            Ok(Ok(value)) => Waited::InTime(Ok(value)),
            Ok(Err(error)) => {
                self.suspect(&error);
                Waited::InTime(Err(error))
            }
            Err(_) => {
                self.suspect(&CallError::TimedOut(timeout));
                Waited::TimedOut(reply)
            }
        }
    }

    /// What one answer of a script means for the breaker: a late one is a failure too.
    ///
    /// # Errors
    /// The call's own, or that it was late.
    pub fn judge(&self, answer: Result<Vec<Value>, CallError>) -> Result<Vec<Value>, CallError> {
        let judged = answer.and_then(|values| if int(&values, 0)? == 2 { Err(CallError::Late) } else { Ok(values) });
        match &judged {
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(error) => self.suspect(error),
        }
        judged
    }

    /// One call of a script that writes, for management. The call is followed to its end even if the caller
    /// stops waiting, so that one whose outcome is never learned is counted.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn write(self: &Arc<Self>, script: &'static Script, call: Call) -> Result<Vec<Value>, CallError> {
        // Management may wait a little longer than a check does.
        let timeout = self.timeout.max(Duration::from_secs(1));
        let (_, reply) = self.start(script, vec![call], timeout)?;
        let client = self.clone();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            match client.wait(reply, timeout).await {
                Waited::InTime(answer) => {
                    let outcome = answer
                        .and_then(|mut a| a.pop().unwrap_or_else(|| Err(CallError::Malformed("no answer".to_owned()))));
                    let outcome = client.judge(outcome);
                    if outcome.as_ref().is_err_and(|e| !e.without_effect()) {
                        client.metrics.unanswered.inc();
                    }
                    let _ = sender.send(outcome);
                }
                Waited::TimedOut(reply) => {
                    let _ = sender.send(Err(CallError::TimedOut(timeout)));
                    if !client.had_no_effect(reply).await {
                        client.metrics.unanswered.inc();
                    }
                }
            }
        });
        receiver.await.unwrap_or(Err(CallError::TimedOut(timeout)))
    }

    async fn had_no_effect(&self, reply: Reply<Answers>) -> bool {
        match tokio::time::timeout(LISTEN, reply).await {
            Ok(Ok(answers)) => answers.iter().all(|answer| match answer {
                Ok(values) => int(values, 0).is_ok_and(|status| status == 2),
                Err(error) => error.without_effect(),
            }),
            Ok(Err(error)) => error.without_effect(),
            Err(_) => false,
        }
    }

    /// Read-only script calls, in order.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read(&self, script: &'static Script, calls: Vec<Call>) -> Result<Answers, CallError> {
        let link = self.read_link().ok_or(CallError::NotSent)?;
        self.within(link.call(script, calls, None)).await
    }

    /// One plain reading command.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn query<T: redis::FromRedisValue + Send>(&self, command: redis::Cmd) -> Result<T, CallError> {
        let link = self.read_link().ok_or(CallError::NotSent)?;
        self.within(async move { link.query(&command).await }).await
    }

    /// Plain reading commands in one go; what each answered, errors included.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn query_many(&self, pipeline: redis::Pipeline) -> Result<Vec<Value>, CallError> {
        let link = self.read_link().ok_or(CallError::NotSent)?;
        self.within(async move { link.query_many(&pipeline).await }).await
    }

    async fn within<T>(&self, reply: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        // Reads page through much; a slow one is no reason to doubt Redis.
        let timeout = self.timeout.max(Duration::from_secs(2));
        let answer = tokio::time::timeout(timeout, reply).await.unwrap_or(Err(CallError::TimedOut(timeout)));
        if answer.is_err() {
            self.metrics.redis_errors.inc();
            self.read_failed.notify_one();
        }
        answer
    }

    /// Makes both connections be made anew.
    pub fn reconnect(&self) {
        self.renew.send_modify(|generation| *generation += 1);
    }
}
