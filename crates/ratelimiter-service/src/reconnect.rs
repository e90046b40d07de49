//! Keeps a node connected to Redis: one task for the reading connection, one for the one scripts go over.
//!
//! The second pings with a script that may write, once a second and at once when a call failed. A ping that is not
//! answered takes Redis out of decisions until it is, or until a new connection answers one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::{Call, CallError, Reply};
use crate::link::{ConnectError, Link};
use crate::redis_client::RedisClient;
use crate::script::PING;

/// How often an idle connection is pinged.
const PING_EVERY: Duration = Duration::from_secs(1);
/// How often while Redis refuses.
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// First and longest pause between two attempts to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

struct Backoff(Duration);

impl Backoff {
    async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(BACKOFF.1);
    }
}

fn patience(redis: &RedisClient) -> Duration {
    // Connecting takes about five round trips.
    (redis.timeout * 5).max(Duration::from_secs(2))
}

async fn open(redis: &RedisClient) -> Result<Arc<Link>, ConnectError> {
    let opened = Link::open(&redis.client, redis.time, patience(redis)).await;
    if let Err(error) = &opened {
        redis.metrics.redis_errors.inc();
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::debug!(%error, cause, "no connection to Redis");
    }
    opened.map(Arc::new)
}

/// Keeps the reading connection; never returns.
pub async fn keep_reads(redis: Arc<RedisClient>) {
    let mut backoff = Backoff(BACKOFF.0);
    let mut renew = redis.renew.subscribe();
    loop {
        if let Ok(link) = open(&redis).await {
            backoff = Backoff(BACKOFF.0);
            redis.set_read_link(Some(link.clone()));
            let mut missed = 0;
            // One answer may be late; two are a lost Redis.
            while missed < 2 && !link.is_dead() {
                tokio::select! {
                    () = tokio::time::sleep(PING_EVERY) => {}
                    () = redis.read_failed.notified() => {}
                    _ = renew.changed() => break,
                }
                match tokio::time::timeout(redis.timeout, link.read_time()).await {
                    Ok(Ok(())) => missed = 0,
                    Ok(Err(error)) => {
                        redis.metrics.redis_errors.inc();
                        tracing::debug!(%error, "ping failed");
                        missed += 1;
                    }
                    Err(_) => {
                        redis.metrics.redis_errors.inc();
                        missed += 1;
                    }
                }
            }
            // A renewal keeps the old link until the new one is there.
            if missed >= 2 || link.is_dead() {
                redis.set_read_link(None);
            }
        } else {
            redis.set_read_link(None);
            backoff.pause().await;
        }
    }
}

/// Keeps the connection scripts go over, and the breaker; never returns.
pub async fn keep_scripts(redis: Arc<RedisClient>) {
    let mut backoff = Backoff(BACKOFF.0);
    let mut next = None;
    loop {
        let link = match next.take() {
            Some(link) => link,
            None => match candidate(&redis).await {
                Some(link) => link,
                None => {
                    backoff.pause().await;
                    continue;
                }
            },
        };
        backoff = Backoff(BACKOFF.0);
        redis.set_script_link(Some(link.clone()));
        redis.works();
        next = watch(&redis, &link).await;
        if next.is_none() {
            redis.fails(&"connection lost");
        }
    }
}

/// A new connection that has proved that scripts run over it in time.
async fn candidate(redis: &RedisClient) -> Option<Arc<Link>> {
    let link = open(redis).await.ok()?;
    let ping = start_ping(redis, &link)?;
    let started = Instant::now();
    let answer = tokio::time::timeout(redis.timeout, ping).await;
    redis.metrics.redis_roundtrip.observe(started.elapsed().as_secs_f64());
    matches!(answer, Ok(Ok(()))).then_some(link)
}

fn start_ping(redis: &RedisClient, link: &Arc<Link>) -> Option<Reply<()>> {
    let deadline = link.deadline(redis.timeout)?;
    let calls = link.call(&PING, vec![Call::default()], Some(deadline));
    Some(Box::pin(async move {
        let answer = calls.await?.pop().unwrap_or(Err(CallError::NotSent))?;
        if crate::call::int(&answer, 0)? == 2 { Err(CallError::Late) } else { Ok(()) }
    }))
}

/// Watches a connection until it is to be replaced: by a better one, or (`None`) by whichever can be made.
async fn watch(redis: &RedisClient, link: &Arc<Link>) -> Option<Arc<Link>> {
    let mut renew = redis.renew.subscribe();
    let mut every = PING_EVERY;
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = redis.suspicion.notified() => {}
            _ = renew.changed() => return candidate(redis).await,
        }
        if link.is_dead() {
            return None;
        }
        let mut ping = start_ping(redis, link)?;
        let started = Instant::now();
        let mut answer = tokio::time::timeout(redis.timeout, &mut ping).await.ok();
        redis.metrics.redis_roundtrip.observe(started.elapsed().as_secs_f64());
        if answer.is_none() {
            redis.metrics.redis_errors.inc();
            redis.fails(&CallError::TimedOut(redis.timeout));
        }
        let waited = answer.is_none();
        while answer.is_none() {
            // Either Redis as a whole hangs, and the ping is answered when it goes on, or only this connection.
            answer = tokio::time::timeout(PING_EVERY, &mut ping).await.ok();
            if answer.is_none()
                && let Some(better) = candidate(redis).await
            {
                return Some(better);
            }
        }
        match answer {
            Some(Ok(())) => {
                every = PING_EVERY;
                redis.works();
            }
            Some(Err(CallError::Lost(_))) | None => return None,
            Some(Err(error)) => {
                redis.failed(&error);
                // A ping that was late because Redis had paused: the next one says whether it is in time again.
                every = if waited && matches!(error, CallError::Late) { Duration::ZERO } else { RETRY_EVERY };
            }
        }
    }
}
