//! What PD's members said in one observation: everything asked side by side, each part by itself, so that one that fails
//! leaves the others.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::pd::{PdClient, PdError, api};

/// Every question to PD's leader, however many members it takes to find it.
const WITHIN: Duration = Duration::from_secs(5);
/// The scheduler that evicts leaders by request.
pub(super) const EVICT_LEADER: &str = "evict-leader-scheduler";
/// The scheduler by which PD evicts leaders from a slow store.
const EVICT_SLOW_STORE: &str = "evict-slow-store-scheduler";

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<T, PdError>;

/// What PD said. Where another version of PD has no such thing, there is none.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) members: Answer<api::Members>,
    pub(super) health: Answer<Vec<api::Health>>,
    pub(super) status: Answer<api::ClusterStatus>,
    pub(super) stores: Answer<api::Stores>,
    pub(super) schedule: Answer<BTreeMap<String, api::Setting>>,
    pub(super) replicate: Answer<api::Replicate>,
    pub(super) rules: Answer<Option<Vec<api::Rule>>>,
    pub(super) limits: Answer<BTreeMap<u64, api::Limits>>,
    pub(super) schedulers: Answer<Option<Vec<String>>>,
    pub(super) paused: Answer<Option<Vec<String>>>,
    pub(super) disabled: Answer<Option<Vec<String>>>,
    pub(super) drains: Answer<Option<api::EvictedStores>>,
    pub(super) slow: Answer<Option<api::EvictedSlowStores>>,
    pub(super) operators: Answer<Option<Vec<api::Operator>>>,
    /// None, where it was not asked for.
    pub(super) stats: Option<Answer<api::RegionStats>>,
    /// How far stores are that are being removed.
    pub(super) progress: BTreeMap<u64, Answer<Option<api::Progress>>>,
}

impl Reading {
    /// Asks everything; the numbers of regions only `with_stats`, as they cost PD a walk over all of them; progress only of
    /// the stores that are known to be `removing`.
    pub(super) async fn take(pd: &PdClient, with_stats: bool, removing: &[u64]) -> Self {
        let (members, health, status, stores, schedule, replicate, rules, limits) = tokio::join!(
            get(pd, "/members"),
            get(pd, "/health"),
            get(pd, "/cluster/status"),
            get(pd, "/stores"),
            get(pd, "/config/schedule"),
            get(pd, "/config/replicate"),
            optional(pd, "/config/rules"),
            get(pd, "/stores/limit"),
        );
        // Where the leader is silent the rest would only be silent, too, and take its time.
        let pd = match &stores {
            Err(error) if error.is_silence() => Asking::No(error.clone()),
            _ => Asking::Yes(pd),
        };
        let drains = format!("/scheduler-config/{EVICT_LEADER}/list");
        let slow = format!("/scheduler-config/{EVICT_SLOW_STORE}/list");
        let (schedulers, paused, disabled, drains, slow, operators, stats, progress) = tokio::join!(
            pd.optional("/schedulers"),
            pd.optional("/schedulers?status=paused"),
            pd.optional("/schedulers?status=disabled"),
            pd.optional(&drains),
            pd.optional(&slow),
            pd.optional("/operators"),
            async { if with_stats { Some(pd.get("/stats/region").await) } else { None } },
            pd.progress(removing),
        );
        Self {
            members,
            health,
            status,
            stores,
            schedule,
            replicate,
            rules,
            limits,
            schedulers,
            paused,
            disabled,
            drains,
            slow,
            operators,
            stats,
            progress,
        }
    }
}

/// Whether it is worth asking on.
enum Asking<'a> {
    Yes(&'a PdClient),
    No(PdError),
}

impl Asking<'_> {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        match self {
            Self::Yes(pd) => get(pd, path).await,
            Self::No(error) => Err(error.clone()),
        }
    }

    async fn optional<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        match self {
            Self::Yes(pd) => optional(pd, path).await,
            Self::No(error) => Err(error.clone()),
        }
    }

    async fn progress(&self, stores: &[u64]) -> BTreeMap<u64, Answer<Option<api::Progress>>> {
        let mut found = BTreeMap::new();
        for &id in stores {
            found.insert(id, self.optional(&format!("/stores/progress?id={id}")).await);
        }
        found
    }
}

/// The answer to one question about the cluster; `path` without its version.
pub(super) async fn get<T: DeserializeOwned>(pd: &PdClient, path: &str) -> Answer<T> {
    in_time(path, pd.get(&format!("/pd/api/v1{path}"))).await
}

async fn optional<T: DeserializeOwned>(pd: &PdClient, path: &str) -> Answer<Option<T>> {
    in_time(path, pd.get_optional(&format!("/pd/api/v1{path}"))).await
}

/// Gives a question up when its time is over.
pub(super) async fn in_time<T>(path: &str, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
    let late = || PdError::Timeout { member: "PD".to_owned(), why: format!("{path} within {WITHIN:?}") };
    timeout(WITHIN, asking).await.unwrap_or_else(|_| Err(late()))
}
