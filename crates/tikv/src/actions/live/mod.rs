//! What PD says right now, read for one action or one question. Guards trust nothing older.

mod ask;
mod read;
mod region;
mod replication;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{Timestamp, Unavailable};

pub(crate) use read::read;
pub(crate) use region::{Peer, Region, Role};
pub(crate) use replication::Replication;

use super::verdict::Read;
use crate::details::{Details, LimitDetail, OperatorDetail, SchedulerDetail, StoreDetail, StoreState};

/// A store that was not heard of for longer does not answer: PD's own bound for `Disconnected`
/// (`storeDisconnectDuration` in `pkg/core/store.go`).
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(20);

/// A part that can be asked for beside what every action needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Replicas, placement rules and location labels.
    Replication,
    /// Which schedulers there are, and which of them rest.
    Schedulers,
    /// Which checkers rest.
    Checkers,
    /// PD's settings under `schedule`.
    Settings,
    /// The stores' limits.
    Limits,
    /// What PD moves.
    Operators,
    /// What it moved lately.
    Records,
    /// How many regions lack a peer or have one that does not answer.
    Abnormal,
    /// Which regions are hot.
    Hot,
    /// What the balancing schedulers say of themselves.
    Diagnostics,
    /// How far removals and preparations are.
    Progress,
    /// One region, and what PD has it do.
    Region(u64),
}

/// What PD says right now. A part that was not asked for says so.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// When it was read.
    pub(crate) at: Timestamp,
    /// The members, and who leads.
    pub(crate) members: Read<Members>,
    /// Which members answer, as another one finds.
    pub(crate) health: Read<BTreeMap<String, bool>>,
    /// Whether PD's leader has heard of nearly all regions since it leads.
    pub(crate) initialized: Read<bool>,
    /// The stores by id, tombstones left out.
    pub(crate) stores: Read<BTreeMap<u64, StoreDetail>>,
    /// Stores whose leaders are evicted by request.
    pub(crate) drains: Read<BTreeSet<u64>>,
    /// Stores whose leaders PD evicts by itself because they are slow.
    pub(crate) slow_evicted: Read<BTreeSet<u64>>,
    pub(crate) replication: Read<Replication>,
    pub(crate) schedulers: Read<BTreeMap<String, SchedulerDetail>>,
    /// Whether a checker rests, by name.
    pub(crate) checkers: Read<BTreeMap<String, bool>>,
    pub(crate) settings: Read<BTreeMap<String, String>>,
    /// The stores' limits by id; none, where they cannot be set by hand.
    pub(crate) limits: Read<Option<BTreeMap<u64, LimitDetail>>>,
    pub(crate) operators: Read<Vec<OperatorDetail>>,
    pub(crate) records: Read<Vec<Record>>,
    /// How many regions, by PD's word for what ails them.
    pub(crate) abnormal: Read<BTreeMap<String, u64>>,
    /// Hot regions by id, with bytes a second.
    pub(crate) hot: Read<BTreeMap<u64, f64>>,
    pub(crate) diagnostics: Read<BTreeMap<String, Diagnostic>>,
    /// By store.
    pub(crate) progress: Read<BTreeMap<u64, Progress>>,
    /// Regions that were asked for; none, where there is no such region.
    pub(crate) regions: BTreeMap<u64, Read<Option<Region>>>,
    /// What PD has a region do, or had it do lately.
    pub(crate) operator_of: BTreeMap<u64, Read<Option<OperatorStatus>>>,
    /// What was seen when everything was last looked at; trends and Prometheus' numbers are only there.
    pub(crate) last: Option<LastLook>,
}

/// The last observation.
#[derive(Debug, Clone)]
pub(crate) struct LastLook {
    /// When it was made.
    pub(crate) at: Timestamp,
    /// What it held.
    pub(crate) details: Arc<Details>,
}

/// The members of PD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Members {
    pub(crate) cluster_id: u64,
    pub(crate) leader: Option<String>,
    pub(crate) etcd_leader: Option<String>,
    pub(crate) by_name: BTreeMap<String, Member>,
}

/// A member of PD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Member {
    pub(crate) version: String,
    pub(crate) priority: i64,
}

/// Something PD had a region do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) desc: String,
    pub(crate) region: u64,
    /// Whether it ended as it should.
    pub(crate) finished: bool,
}

/// What a scheduler says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Diagnostic {
    pub(crate) status: String,
    pub(crate) summary: String,
}

/// How far a store's removal or preparation is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Progress {
    pub(crate) action: String,
    /// From 0 to 1.
    pub(crate) done: f64,
    /// MiB a second.
    pub(crate) speed: f64,
    pub(crate) left_s: f64,
}

/// What PD says of a region's operator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OperatorStatus {
    /// `RUNNING`, `SUCCESS`, `TIMEOUT`, `CANCEL`, `REPLACE` …
    pub(crate) status: String,
    pub(crate) desc: String,
}

impl Live {
    /// Nothing read yet.
    pub(crate) fn unread(at: Timestamp) -> Self {
        fn unasked<T>(what: &str) -> Read<T> {
            Err(Unavailable::new(what, "it was not asked for"))
        }
        Self {
            at,
            members: unasked("the members of PD"),
            health: unasked("the health of PD's members"),
            initialized: unasked("whether PD has heard of all regions"),
            stores: unasked("the stores"),
            drains: unasked("the drained stores"),
            slow_evicted: unasked("the stores that PD evicts for slowness"),
            replication: unasked("the placement of replicas"),
            schedulers: unasked("the schedulers"),
            checkers: unasked("the checkers"),
            settings: unasked("PD's settings"),
            limits: unasked("the stores' limits"),
            operators: unasked("the operators"),
            records: unasked("the ended operators"),
            abnormal: unasked("the abnormal regions"),
            hot: unasked("the hot regions"),
            diagnostics: unasked("what the schedulers say"),
            progress: unasked("the progress of removals"),
            regions: BTreeMap::new(),
            operator_of: BTreeMap::new(),
            last: None,
        }
    }

    /// Seconds since the last heartbeat of a store; none, if PD does not say.
    pub(crate) fn heartbeat_age(&self, store: &StoreDetail) -> Option<Duration> {
        store.last_heartbeat_ms.map(|last| self.at.since(Timestamp::from_millis(last)))
    }

    /// Whether a store answers PD: by its heartbeat's age, and by PD's own word, since our clock may not be PD's.
    pub(crate) fn answers(&self, store: &StoreDetail) -> Option<bool> {
        if matches!(store.state_name.as_str(), "Disconnected" | "Down") {
            return Some(false);
        }
        self.heartbeat_age(store).map(|age| age <= SILENT_AFTER)
    }

    /// Stores that belong to the cluster, answer, and are not being removed.
    pub(crate) fn serving<'a>(
        &'a self,
        stores: &'a BTreeMap<u64, StoreDetail>,
    ) -> impl Iterator<Item = &'a StoreDetail> {
        stores.values().filter(|store| store.state == StoreState::Up && self.answers(store) == Some(true))
    }
}
