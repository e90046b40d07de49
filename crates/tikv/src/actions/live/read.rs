//! Asking PD: everything that is needed at once, each part by itself, so that one that fails leaves the others.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Timestamp, Unavailable};

use super::ask::{Ask, Resting};
use super::{Live, Member, Members, Part};
use crate::actions::verdict::Read;
use crate::actions::write::Scheduler;
use crate::details::{SchedulerDetail, StoreDetail};
use crate::pd::{PdClient, api};

const EVICT_LEADER: &str = "evict-leader-scheduler";

/// Asks PD for what every action needs and for `parts`.
pub(crate) async fn read(pd: &PdClient, parts: &[Part], at: Timestamp) -> Live {
    let unread = Live::unread(at);
    let ask = Ask { pd, parts };
    let (evicted, slow_ones) = (evictions(EVICT_LEADER), evictions(Scheduler::EvictSlowStore.name()));
    let (members, health, status, stores, names, drains, slow) = tokio::join!(
        ask.one("the members of PD", "/members"),
        ask.one::<Vec<api::Health>>("the health of PD's members", "/health"),
        ask.one::<api::ClusterStatus>("whether PD has heard of all regions", "/cluster/status"),
        ask.one::<api::Stores>("the stores", "/stores"),
        ask.list("the schedulers", "/schedulers"),
        ask.optional::<api::EvictedStores>("the drained stores", &evicted),
        ask.optional::<api::EvictedSlowStores>("the slow stores", &slow_ones),
    );
    let (replication, resting, checkers, settings, limits, operators, records) = tokio::join!(
        ask.when(Part::Replication, unread.replication, ask.replication()),
        ask.when(Part::Schedulers, Err(not_asked()), ask.resting()),
        ask.when(Part::Checkers, unread.checkers, ask.checkers()),
        ask.when(Part::Settings, unread.settings, ask.settings()),
        ask.when(Part::Limits, unread.limits, ask.limits()),
        ask.when(Part::Operators, unread.operators, ask.operators()),
        ask.when(Part::Records, unread.records, ask.records(at)),
    );
    let (abnormal, hot, diagnostics) = tokio::join!(
        ask.when(Part::Abnormal, unread.abnormal, ask.abnormal()),
        ask.when(Part::Hot, unread.hot, ask.hot()),
        ask.when(Part::Diagnostics, unread.diagnostics, ask.diagnostics()),
    );
    let stores = stores.and_then(by_id);
    let progress = ask.when(Part::Progress, unread.progress, ask.progress(&stores)).await;
    let (mut regions, mut operator_of) = (BTreeMap::new(), BTreeMap::new());
    for part in parts {
        if let Part::Region(id) = part {
            let (region, operator) = tokio::join!(ask.region(*id), ask.operator_of(*id));
            regions.insert(*id, region);
            operator_of.insert(*id, operator);
        }
    }
    let drains = present(&names, EVICT_LEADER, drains.map(|found| found.map(|list| list.stores.into_keys().collect())));
    let slow_evicted = present(
        &names,
        Scheduler::EvictSlowStore.name(),
        slow.map(|found| found.map(|list| list.stores.into_iter().collect())),
    );
    let schedulers = resting.and_then(|resting| Ok(with_rest(&names?, &resting)));
    Live {
        at,
        members: members.map(of_members),
        health: health.map(|all| all.into_iter().map(|one| (one.name, one.health)).collect()),
        initialized: status.map(|status| status.is_initialized),
        stores,
        drains,
        slow_evicted,
        replication,
        schedulers,
        checkers,
        settings,
        limits,
        operators,
        records,
        abnormal,
        hot,
        diagnostics,
        progress,
        regions,
        operator_of,
        last: None,
    }
}

fn evictions(scheduler: &str) -> String {
    format!("/scheduler-config/{scheduler}/list")
}

fn not_asked() -> Unavailable {
    Unavailable::new("the schedulers", "they were not asked for")
}

/// The stores that a scheduler evicts leaders from. Without the scheduler there are none; with it, its list must be told.
fn present(names: &Read<Vec<String>>, scheduler: &str, list: Read<Option<BTreeSet<u64>>>) -> Read<BTreeSet<u64>> {
    if let Some(stores) = list? {
        return Ok(stores);
    }
    match names {
        Ok(names) if names.iter().any(|name| name == scheduler) => {
            Err(Unavailable::new(format!("the stores of {scheduler}"), "this PD does not list them"))
        }
        Ok(_) => Ok(BTreeSet::new()),
        Err(why) => Err(why.clone()),
    }
}

fn with_rest(names: &[String], resting: &Resting) -> BTreeMap<String, SchedulerDetail> {
    let detail = |name: &String| SchedulerDetail {
        paused: resting.paused.contains(name),
        disabled: resting.disabled.contains(name),
    };
    names.iter().map(|name| (name.clone(), detail(name))).collect()
}

fn by_id(told: api::Stores) -> Read<BTreeMap<u64, StoreDetail>> {
    let mut stores = BTreeMap::new();
    for one in told.stores {
        let store = crate::observe::store_detail(one);
        if stores.insert(store.id, store).is_some() {
            return Err(Unavailable::new("the stores", "PD tells two of one id"));
        }
    }
    Ok(stores)
}

fn of_members(told: api::Members) -> Members {
    let member = |one: api::Member| (one.name, Member { version: one.binary_version, priority: one.leader_priority });
    Members {
        cluster_id: told.header.cluster_id,
        leader: told.leader.map(|leader| leader.name),
        etcd_leader: told.etcd_leader.map(|leader| leader.name),
        by_name: told.members.into_iter().map(member).collect(),
    }
}
