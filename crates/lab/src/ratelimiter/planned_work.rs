//! Work that is planned and harmless, really done while load runs: one node after the other is restarted, counters are
//! reset, limits are changed and put back. Whoever takes this for a fault is wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::environment::Inner;
use super::node_api::{NodeApi, StoredLimit};
use crate::error::LabError;
use crate::process::Supervisor;

/// The keys whose limits are changed, as the load generator names them.
pub(super) const CHANGED_KEYS: [&str; 3] = ["key-2", "key-4", "key-6"];
/// A limit is changed by less than five times: more would rightly be told.
const FACTOR: u32 = 2;
/// The highest limit that a node takes.
const HIGHEST_LIMIT: u32 = 1_000_000_000;
/// How many keys the load generator's counters are reset among.
const KEYS: usize = 50;
/// One node is restarted every so many pieces of work.
const RESTART_EVERY: usize = 5;

/// A key and what was stored for it before the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitBefore {
    /// The key.
    pub key: String,
    /// What was stored, if anything.
    pub before: Option<StoredLimit>,
}

impl LimitBefore {
    /// The limit that applied before.
    fn usual(&self, default_limit: u32) -> u32 {
        self.before.map_or(default_limit, |stored| stored.limit)
    }

    /// What the work raises it to.
    fn raised(&self, default_limit: u32) -> u32 {
        self.usual(default_limit).saturating_mul(FACTOR).min(HIGHEST_LIMIT)
    }
}

/// Work under way. Dropped, it is broken off: then its environment is gone as well.
#[derive(Debug)]
pub(super) struct PlannedWork {
    enough: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl PlannedWork {
    /// Lets the piece it is at be finished, and no other begin: a node half restarted would go down after everything
    /// was mended.
    async fn end(mut self) {
        self.enough.send_replace(true);
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "planned work did not end by itself");
        }
    }
}

impl Drop for PlannedWork {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the work is done with.
struct Worker {
    supervisor: Arc<Supervisor>,
    client: reqwest::Client,
    nodes: Vec<(String, SocketAddr)>,
    default_limit: u32,
    limits: Vec<LimitBefore>,
}

impl Inner {
    /// What is stored for the keys whose limits will be changed.
    pub(super) async fn limits_before_work(&self) -> Result<Vec<LimitBefore>, LabError> {
        let mut limits = Vec::new();
        for key in CHANGED_KEYS {
            limits.push(LimitBefore { key: key.to_owned(), before: self.api().stored_limit(key).await? });
        }
        Ok(limits)
    }

    /// Begins the work, in place of any that is under way: a piece every `every_s` seconds for `for_s` seconds.
    pub(super) async fn begin_work(&self, limits: &[LimitBefore], every_s: u32, for_s: u32) {
        self.stop_work().await;
        let worker = Worker {
            supervisor: Arc::clone(&self.supervisor),
            client: self.http.clone(),
            nodes: self.places.node_addresses().map(|(name, address)| (name.to_owned(), address)).collect(),
            default_limit: self.config.default_limit,
            limits: limits.to_vec(),
        };
        let (every, length) = (Duration::from_secs(every_s.into()), Duration::from_secs(for_s.into()));
        let (enough, told) = watch::channel(false);
        let task = tokio::spawn(async move { worker.work(every, length, told).await });
        *self.planned() = Some(PlannedWork { enough, task });
    }

    /// Ends the work after the piece it is at, if there is any, and leaves everything as it is then.
    pub(super) async fn stop_work(&self) {
        let under_way = self.planned().take();
        if let Some(work) = under_way {
            work.end().await;
        }
    }

    /// Ends the work, starts a node that was being restarted, and puts back the limits that are still as the work left
    /// them.
    pub(super) async fn end_work(&self, limits: &[LimitBefore]) -> Result<(), LabError> {
        self.stop_work().await;
        for name in self.config.node_names() {
            self.supervisor.start(&name).await?;
        }
        let default = self.config.default_limit;
        for limit in limits {
            let now = self.api().stored_limit(&limit.key).await?;
            let of_work = |stored: StoredLimit| [limit.usual(default), limit.raised(default)].contains(&stored.limit);
            match &limit.before {
                _ if !now.is_some_and(of_work) || now == limit.before => {}
                Some(stored) => self.api().put_limit(&limit.key, stored).await?,
                None => self.api().delete_limit(&limit.key).await?,
            }
        }
        Ok(())
    }
}

impl Worker {
    async fn work(&self, every: Duration, length: Duration, mut enough: watch::Receiver<bool>) {
        let end = Instant::now() + length;
        let mut pieces = interval(every);
        pieces.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for piece in 0.. {
            tokio::select! {
                biased;
                _ = enough.changed() => break,
                _ = pieces.tick() => {}
            }
            if Instant::now() >= end {
                break;
            }
            if let Err(error) = self.piece(piece).await {
                tracing::warn!(piece, %error, "a piece of planned work was not done");
            }
        }
    }

    async fn piece(&self, piece: usize) -> Result<(), LabError> {
        let api = NodeApi { client: &self.client, nodes: self.nodes.iter().map(|(_, address)| *address).collect() };
        api.reset(&format!("key-{}", (piece * 7) % KEYS)).await?;
        let changed = &self.limits[piece % self.limits.len()];
        let higher = (piece / self.limits.len()).is_multiple_of(2);
        let limit = if higher { changed.raised(self.default_limit) } else { changed.usual(self.default_limit) };
        let window_ms = changed.before.and_then(|stored| stored.window_ms);
        api.put_limit(&changed.key, &StoredLimit { limit, window_ms }).await?;
        if piece % RESTART_EVERY == RESTART_EVERY - 1 {
            let (node, _) = &self.nodes[(piece / RESTART_EVERY) % self.nodes.len()];
            self.supervisor.stop(node).await?;
            self.supervisor.start(node).await?;
        }
        Ok(())
    }
}
