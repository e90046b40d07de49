//! A node: its settings, its identity, its side of Redis, and what it holds in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::admitted::Admitted;
use crate::call::CallError;
use crate::decision::{Defaults, StoredLimit};
use crate::drain::DrainState;
use crate::identity::Identity;
use crate::keys::LimiterKey;
use crate::local_limiter::LocalLimiter;
use crate::metrics::Metrics;
use crate::redis_client::RedisClient;
use crate::registry::{self, Heartbeat, Registry};
use crate::script::{FORGET, HEARTBEAT, NODES};
use crate::settings::{OnStop, Settings};
use crate::time::Monotonic;

/// Stored limits a node remembers for the time without Redis.
const MOST_LIMITS: usize = 100_000;

/// One node of the limiter.
#[derive(Debug)]
pub struct Node {
    /// What it was told at start.
    pub settings: Settings,
    /// Who it is.
    pub identity: Identity,
    /// `host:port` it advertises.
    pub address: String,
    /// Its metrics.
    pub metrics: Arc<Metrics>,
    /// Its side of Redis.
    pub redis: Arc<RedisClient>,
    /// Its monotonic clock; zero is its start.
    pub time: Monotonic,
    pub(crate) local: Mutex<LocalLimiter>,
    pub(crate) admitted: Mutex<Admitted>,
    pub(crate) drain: Mutex<DrainState>,
    /// The registry said something new to mirror: a heartbeat at once.
    pub(crate) mirror: tokio::sync::Notify,
    limits: RwLock<HashMap<LimiterKey, StoredLimit>>,
    registry: RwLock<Registry>,
    leaving: AtomicBool,
}

impl Node {
    /// A node that is not connected and not listening yet.
    ///
    /// # Errors
    /// The Redis URL cannot be used.
    pub fn new(settings: Settings, identity: Identity, address: String) -> Result<Self, redis::RedisError> {
        let metrics = Arc::new(Metrics::new(&identity.node_id));
        let time = Monotonic::start();
        let redis = RedisClient::new(&settings.redis_url, settings.redis_timeout(), time, metrics.clone())?;
        Ok(Self {
            redis: Arc::new(redis),
            settings,
            identity,
            address,
            metrics,
            time,
            local: Mutex::default(),
            admitted: Mutex::default(),
            drain: Mutex::default(),
            mirror: tokio::sync::Notify::new(),
            limits: RwLock::default(),
            registry: RwLock::default(),
            leaving: AtomicBool::new(false),
        })
    }

    pub(crate) fn defaults(&self) -> Defaults {
        Defaults { limit: self.settings.default_limit, window_ms: self.settings.default_window_ms }
    }

    /// How it decides now: `coordinated`, or the failure mode's name.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        if self.redis.coordinated() { "coordinated" } else { self.settings.on_redis_failure.name() }
    }

    /// Whether it was told to stop.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Whether it is drained.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        let mut drain = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        drain.current(self.time.now_us()).is_some()
    }

    /// The stored limit of a key as this node last saw it.
    pub(crate) fn stored_limit(&self, key: &LimiterKey) -> Option<StoredLimit> {
        self.limits.read().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Remembers what is stored for a key, or that nothing is.
    pub(crate) fn learn_limit(&self, key: &LimiterKey, stored: Option<StoredLimit>) {
        if self.stored_limit(key) == stored {
            return;
        }
        let mut limits = self.limits.write().unwrap_or_else(PoisonError::into_inner);
        match stored {
            Some(stored) if limits.len() < MOST_LIMITS || limits.contains_key(key) => {
                limits.insert(key.clone(), stored);
            }
            Some(_) => {}
            None => {
                limits.remove(key);
            }
        }
    }

    /// Nodes that may be deciding, by the last reading of the registry that said something.
    #[must_use]
    pub fn live_nodes(&self) -> u64 {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).live()
    }

    /// Reads the registry and keeps what it says.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn read_registry(&self) -> Result<Registry, CallError> {
        let mut answers = self.redis.read(&NODES, vec![registry::read_call()]).await?;
        let answer = answers.pop().unwrap_or(Err(CallError::NotSent))?;
        let read = registry::parse(&answer)?;
        let heartbeat_us = i64::try_from(self.settings.node_heartbeat_seconds).unwrap_or(1).saturating_mul(1_000_000);
        if read.counts(heartbeat_us) {
            *self.registry.write().unwrap_or_else(PoisonError::into_inner) = read.clone();
        }
        Ok(read)
    }

    /// Replaces what is known of stored limits.
    pub(crate) fn replace_limits(&self, limits: HashMap<LimiterKey, StoredLimit>) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Tells the registry that this node lives, and what it is.
    ///
    /// # Errors
    /// Redis did not take it.
    pub async fn heartbeat(&self) -> Result<(), CallError> {
        if self.is_leaving() && self.settings.on_stop == OnStop::Deregister {
            return Ok(());
        }
        let now = self.time.now_us();
        let (drain, drain_version) = {
            let mut state = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
            (state.current(now).cloned(), state.version())
        };
        let heartbeat = Heartbeat {
            identity: &self.identity,
            address: &self.address,
            mode: self.mode(),
            ttl_ms: self.settings.node_ttl_seconds * 1000,
            leaving: self.is_leaving(),
            drain: drain.as_ref().map(|d| (d.owner.as_str(), ((d.until_us - now) / 1000).max(1))),
            drain_version,
        };
        let answer = self.redis.write(&HEARTBEAT, heartbeat.call()).await?;
        let other = crate::call::text(&answer, 2)?;
        if !other.is_empty() {
            tracing::warn!(node_id = self.identity.node_id, boot_id = other, "another node uses the same id");
        }
        Ok(())
    }

    /// Told to stop: not ready any more, and the registry knows why.
    pub async fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        let told = match self.settings.on_stop {
            OnStop::Leave => self.heartbeat().await,
            OnStop::Deregister => {
                let call = registry::forget_call(&self.identity.node_id, Some(&self.identity.boot_id));
                self.redis.write(&FORGET, call).await.map(|_| ())
            }
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the registry does not know that this node leaves");
        }
    }

    /// Heartbeats until the node leaves; at once when something changed or Redis came back.
    pub async fn keep_registered(self: Arc<Self>) {
        let every = Duration::from_secs(self.settings.node_heartbeat_seconds);
        while !self.is_leaving() {
            if self.redis.coordinated() {
                let beaten = self.heartbeat().await;
                let read = self.read_registry().await.map(|_| ());
                if let Err(error) = beaten.and(read) {
                    tracing::debug!(%error, "no heartbeat");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = self.mirror.notified() => {}
                () = self.redis.came_back.notified() => {}
            }
        }
    }

    /// Reads the stored limits whenever Redis came back with another `run_id`, so that they are known if it goes.
    pub async fn keep_limits(self: Arc<Self>) {
        let mut known = None;
        loop {
            let run_id = self.redis.run_id();
            if run_id != known && self.redis.connected() && self.read_limits().await.is_ok() {
                known = run_id;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Connects anew, reads registry and stored limits again and replaces what was known. Returns how many there are.
    ///
    /// # Errors
    /// Redis did not answer; what was known stays.
    pub async fn resync(&self) -> Result<(usize, usize), CallError> {
        self.redis.reconnect();
        let limits = self.read_limits().await?;
        let nodes = self.read_registry().await?.nodes.len();
        Ok((nodes, limits))
    }

    /// Keeps the memory's bounds and the gauges that follow from it; never returns.
    pub async fn maintain(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let active = self.local.lock().unwrap_or_else(PoisonError::into_inner).sweep(self.time.now_us());
            let second = self.redis.now_or_wall_us().div_euclid(1_000_000);
            let (tracked, untracked) = {
                let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
                admitted.maintain(second);
                admitted.coverage()
            };
            let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            self.metrics.active_counters.set(gauge(active));
            self.metrics.admitted_tracked.set(gauge(tracked));
            self.metrics.admitted_untracked.set(gauge(untracked));
        }
    }

    /// Measures how late timers are; never returns.
    pub async fn measure_lag(self: Arc<Self>) {
        const EVERY: Duration = Duration::from_millis(100);
        let mut recent = std::collections::VecDeque::from([0.0; 50]);
        loop {
            let started = std::time::Instant::now();
            tokio::time::sleep(EVERY).await;
            // Timers of this runtime are coarse to a millisecond.
            let lag = started.elapsed().saturating_sub(EVERY + Duration::from_millis(1)).as_secs_f64();
            recent.pop_front();
            recent.push_back(lag);
            self.metrics.loop_lag.set(recent.iter().copied().fold(0.0, f64::max));
        }
    }
}
