//! One connection to one Redis: what it is called (`run_id`), what is known of its clock, and how scripts go over it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};

use crate::call::{Answers, Call, CallError, Reply, unpack};
use crate::redis_clock::{Reading, RedisClock};
use crate::script::{self, Script};
use crate::time::Monotonic;

/// Why no usable connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Redis cannot be reached or refuses.
    #[error("cannot connect to Redis")]
    Redis(#[from] RedisError),
    /// It took too long.
    #[error("Redis did not answer within {0:?}")]
    TimedOut(Duration),
    /// It is too old.
    #[error("Redis {0} is too old: 7.0 or later is needed")]
    TooOld(String),
    /// It did not say who it is.
    #[error("Redis does not state its {0}")]
    Unknown(&'static str),
}

/// A connection whose Redis is known.
pub struct Link {
    connection: MultiplexedConnection,
    run_id: String,
    time: Monotonic,
    clock: Mutex<RedisClock>,
    dead: AtomicBool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("run_id", &self.run_id).field("dead", &self.dead).finish_non_exhaustive()
    }
}

impl Link {
    /// Connects, asks Redis who it is and what time it has, and loads the scripts. At most `patience` in all.
    ///
    /// # Errors
    /// Redis cannot be reached in time, or is not one this node can work with.
    pub async fn open(client: &Client, time: Monotonic, patience: Duration) -> Result<Self, ConnectError> {
        let opening = Self::open_unbounded(client, time, patience);
        tokio::time::timeout(patience, Box::pin(opening)).await.map_err(|_| ConnectError::TimedOut(patience))?
    }

    async fn open_unbounded(client: &Client, time: Monotonic, patience: Duration) -> Result<Self, ConnectError> {
        // Time-outs of single answers are the callers': an answer that comes late still says what became of a call.
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(patience)).set_response_timeout(None);
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let field = |name: &'static str| {
            info.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).ok_or(ConnectError::Unknown(name))
        };
        let version = field("redis_version")?;
        if version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < 7) {
            return Err(ConnectError::TooOld(version.to_owned()));
        }
        let run_id = field("run_id")?.to_owned();
        let mut load = redis::pipe();
        for script in script::ALL {
            load.cmd("SCRIPT").arg("LOAD").arg(script.source);
        }
        let _: Vec<String> = load.query_async(&mut connection).await?;
        let link = Self { connection, run_id, time, clock: Mutex::default(), dead: AtomicBool::new(false) };
        link.read_time().await?;
        Ok(link)
    }

    /// Which Redis this is: its `run_id`.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether the connection has failed.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// About what Redis's clock shows now, in µs.
    #[must_use]
    pub fn redis_now(&self) -> Option<i64> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).estimate(self.time.now_us())
    }

    /// Asks for Redis's time, without limit of time.
    ///
    /// # Errors
    /// Redis or the connection failed.
    pub async fn read_time(&self) -> Result<(), RedisError> {
        let sent = self.time.now_us();
        let answer: Result<(i64, i64), _> = redis::cmd("TIME").query_async(&mut self.connection.clone()).await;
        match answer {
            Ok((seconds, micros)) => {
                self.learn(sent, seconds.saturating_mul(1_000_000).saturating_add(micros));
                Ok(())
            }
            Err(error) => Err(self.note(error)),
        }
    }

    /// A deadline on Redis's clock for what is sent now by a caller who waits for `timeout`: after four fifths of it.
    #[must_use]
    pub fn deadline(&self, timeout: Duration) -> Option<i64> {
        let budget = i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX) / 5 * 4;
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).deadline(self.time.now_us(), budget)
    }

    fn learn(&self, sent: i64, redis: i64) {
        let received = self.time.now_us();
        let reading = self.clock.lock().unwrap_or_else(PoisonError::into_inner).learn(sent, received, redis);
        if reading == Reading::StartedAfresh {
            tracing::debug!(run_id = self.run_id, "readings of Redis's clock contradict each other: starting afresh");
        }
    }

    fn note(&self, error: RedisError) -> RedisError {
        if error.code().is_none() || error.kind() == ErrorKind::Io {
            self.dead.store(true, Ordering::Relaxed);
        }
        error
    }

    /// Sends script calls in one go; they run in order. The answers of each, as the script gave them.
    /// `deadline` is by Redis's clock; `None` for read-only scripts, which take none.
    #[must_use]
    pub fn call(
        self: &std::sync::Arc<Self>,
        script: &'static Script,
        calls: Vec<Call>,
        deadline: Option<i64>,
    ) -> Reply<Answers> {
        let link = self.clone();
        Box::pin(async move {
            let mut answers = link.pipeline(script, &calls, deadline).await?;
            let missing =
                |answer: &Value| matches!(answer, Value::ServerError(e) if e.kind() == Some(ServerErrorKind::NoScript));
            if answers.iter().any(missing) {
                let load = redis::cmd("SCRIPT").arg("LOAD").arg(script.source).to_owned();
                let _: String = link.query(&load).await?;
                let again: Vec<usize> = (0..answers.len()).filter(|&i| missing(&answers[i])).collect();
                let calls: Vec<Call> = again.iter().map(|&i| calls[i].clone()).collect();
                for (i, answer) in again.into_iter().zip(link.pipeline(script, &calls, deadline).await?) {
                    answers[i] = answer;
                }
            }
            Ok(answers.into_iter().map(unpack).collect())
        })
    }

    async fn pipeline(&self, script: &Script, calls: &[Call], deadline: Option<i64>) -> Result<Vec<Value>, CallError> {
        let mut pipeline = Pipeline::with_capacity(calls.len());
        let deadline = deadline.map(|d| d.to_string());
        for call in calls {
            let command = if script.read_only { "EVALSHA_RO" } else { "EVALSHA" };
            pipeline.cmd(command).arg(script.sha()).arg(call.keys.len());
            for part in call.keys.iter().chain(&deadline).chain(&call.args) {
                pipeline.arg(part);
            }
        }
        let sent = self.time.now_us();
        let answers = self.connection.clone().req_packed_commands(&pipeline, 0, calls.len()).await;
        let answers = answers.map_err(|e| CallError::from_redis(self.note(e)))?;
        // The first says the time nearest to sending; each would do.
        if let Some(Value::Array(first)) = answers.first()
            && let Some(Value::Int(now)) = first.get(1)
        {
            self.learn(sent, *now);
        }
        if answers.len() == calls.len() {
            Ok(answers)
        } else {
            Err(CallError::Malformed(format!("{} answers to {} calls", answers.len(), calls.len())))
        }
    }

    /// Runs plain commands in one go, without limit of time; what each answered, errors included.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn query_many(&self, pipeline: &Pipeline) -> Result<Vec<Value>, CallError> {
        let answers = self.connection.clone().req_packed_commands(pipeline, 0, pipeline.len()).await;
        answers.map_err(|e| CallError::from_redis(self.note(e)))
    }

    /// Runs one plain command, without limit of time.
    ///
    /// # Errors
    /// Redis or the connection failed.
    pub async fn query<T: redis::FromRedisValue>(&self, command: &Cmd) -> Result<T, CallError> {
        command.query_async(&mut self.connection.clone()).await.map_err(|e| CallError::from_redis(self.note(e)))
    }
}
