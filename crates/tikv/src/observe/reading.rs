//! What PD's members said in one observation: everything asked side by side, each part by itself, so that one that fails
//! leaves the others.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::pd::{PdClient, PdError, api};

/// All questions to PD's leader together, however many members it takes to find it.
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
    /// What is written, and what is read, far more than the rest.
    pub(super) hot_writes: Answer<Option<api::HotRegions>>,
    pub(super) hot_reads: Answer<Option<api::HotRegions>>,
    /// None, where it was not asked for.
    pub(super) stats: Option<Answer<api::RegionStats>>,
    /// How far stores are that are being removed.
    pub(super) progress: BTreeMap<u64, Answer<Option<api::Progress>>>,
}

impl Reading {
    /// Asks everything; the numbers of regions only `with_stats`, as they cost PD a walk over all of them; progress only of
    /// the stores that are known to be `removing`.
    pub(super) async fn take(pd: &PdClient, with_stats: bool, removing: &[u64]) -> Self {
        let mut pd = Asking { pd, until: Instant::now() + WITHIN, silence: None };
        let (members, health, status, stores, schedule, replicate, rules, limits) = tokio::join!(
            pd.get("/members"),
            pd.get("/health"),
            pd.get("/cluster/status"),
            pd.get("/stores"),
            pd.get("/config/schedule"),
            pd.get("/config/replicate"),
            pd.optional("/config/rules"),
            pd.get("/stores/limit"),
        );
        // Where the leader is silent the rest would only be silent, too, and take its time.
        pd.silence = stores.as_ref().err().filter(|error| error.is_silence()).cloned();
        let drains = format!("/scheduler-config/{EVICT_LEADER}/list");
        let slow = format!("/scheduler-config/{EVICT_SLOW_STORE}/list");
        let (schedulers, paused, disabled, drains, slow, operators, hot_writes, hot_reads, stats, progress) = tokio::join!(
            pd.optional("/schedulers"),
            pd.optional("/schedulers?status=paused"),
            pd.optional("/schedulers?status=disabled"),
            pd.optional(&drains),
            pd.optional(&slow),
            pd.optional("/operators"),
            pd.optional("/hotspot/regions/write"),
            pd.optional("/hotspot/regions/read"),
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
            hot_writes,
            hot_reads,
            stats,
            progress,
        }
    }
}

/// Asks PD until the time is over, or it is not worth asking on.
struct Asking<'a> {
    pd: &'a PdClient,
    until: Instant,
    silence: Option<PdError>,
}

impl Asking<'_> {
    /// The answer to one question about the cluster; `path` without its version.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        match &self.silence {
            None => in_time(path, self.until, self.pd.get(&format!("/pd/api/v1{path}"))).await,
            Some(silence) => Err(silence.clone()),
        }
    }

    async fn optional<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        match &self.silence {
            None => in_time(path, self.until, self.pd.get_optional(&format!("/pd/api/v1{path}"))).await,
            Some(silence) => Err(silence.clone()),
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

/// Gives a question up when its time is over.
pub(super) async fn in_time<T>(path: &str, until: Instant, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
    let late = || PdError::Timeout { member: "PD".to_owned(), why: format!("{path}, within the time there was") };
    timeout_at(until, asking).await.unwrap_or_else(|_| Err(late()))
}
