//! Work that is planned and harmless, really done while load runs: one node after the other is restarted, counters are
//! reset, limits are changed and put back. Whoever takes this for a fault is wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
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

/// Work under way. Dropped, it ends after the piece it is at.
#[derive(Debug)]
pub(super) struct PlannedWork(JoinHandle<()>);

impl Drop for PlannedWork {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the work is done with.
struct Worker {
    supervisor: Arc<Supervisor>,
    client: reqwest::Client,
    nodes: Vec<(String, SocketAddr)>,
    default_limit: u32,
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

    /// Begins the work: a piece every `every_s` seconds for `for_s` seconds.
    pub(super) fn begin_work(&self, every_s: u32, for_s: u32) {
        let worker = Worker {
            supervisor: Arc::clone(&self.supervisor),
            client: self.http.clone(),
            nodes: self.places.node_addresses().map(|(name, address)| (name.to_owned(), address)).collect(),
            default_limit: self.config.default_limit,
        };
        let (every, length) = (Duration::from_secs(every_s.into()), Duration::from_secs(for_s.into()));
        let task = tokio::spawn(async move { worker.work(every, length).await });
        *self.planned() = Some(PlannedWork(task));
    }

    /// Ends the work, puts limits back, and starts a node that was being restarted.
    pub(super) async fn end_work(&self, limits: &[LimitBefore]) -> Result<(), LabError> {
        let ended = self.planned().take();
        drop(ended);
        for name in self.config.node_names() {
            self.supervisor.start(&name).await?;
        }
        for LimitBefore { key, before } in limits {
            match before {
                Some(stored) => self.api().put_limit(key, stored).await?,
                None => self.api().delete_limit(key).await?,
            }
        }
        Ok(())
    }
}

impl Worker {
    async fn work(&self, every: Duration, length: Duration) {
        let end = Instant::now() + length;
        let mut pieces = interval(every);
        pieces.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for piece in 0.. {
            pieces.tick().await;
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
        let key = CHANGED_KEYS[piece % CHANGED_KEYS.len()];
        let higher = (piece / CHANGED_KEYS.len()).is_multiple_of(2);
        let limit = if higher { self.default_limit.saturating_mul(FACTOR) } else { self.default_limit };
        api.put_limit(key, &StoredLimit { limit, window_ms: None }).await?;
        if piece % RESTART_EVERY == RESTART_EVERY - 1 {
            let (node, _) = &self.nodes[(piece / RESTART_EVERY) % self.nodes.len()];
            self.supervisor.stop(node).await?;
            self.supervisor.start(node).await?;
        }
        Ok(())
    }
}
