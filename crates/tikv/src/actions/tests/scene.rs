//! A healthy cluster of three members of PD and five stores, as PD tells it, to be changed by tests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{ActionRequest, Effect, Locus, Timestamp, Value};

use crate::actions::aim::Aim;
use crate::actions::live::{Live, Member, Members, Peer, Region, Replication, Role};
use crate::actions::settings::ALLOWED;
use crate::actions::verdict::{Planned, Refusal, Verdict};
use crate::actions::{Memory, Scheduler, pd_action};
use crate::details::{LimitDetail, NodeState, RuleDetail, SchedulerDetail, StoreDetail, StoreState};
use crate::names;

pub(crate) const SUBJECT: &str = "prod";
pub(crate) const AT: Timestamp = Timestamp::from_millis(1_795_467_450_000);
/// What a cluster's id looks like: above 2^53.
pub(crate) const CLUSTER: u64 = 7_711_473_329_502_372_226;
const GIB: f64 = 1_073_741_824.0;

pub(crate) fn store(id: u64) -> StoreDetail {
    StoreDetail {
        id,
        address: format!("10.0.0.{id}:20160"),
        status_address: format!("10.0.0.{id}:20180"),
        node_state: NodeState::Serving,
        state_name: "Up".into(),
        version: "8.5.0".into(),
        started: Some(1_795_000_000 + i64::try_from(id).unwrap_or_default()),
        last_heartbeat_ms: Some(AT.as_millis() - 5_000),
        capacity: Some(1_024.0 * GIB),
        available: Some(800.0 * GIB),
        used: Some(200.0 * GIB),
        leader_count: 60,
        region_count: 180,
        leader_score: 60.0,
        region_score: 22_145.0,
        leader_weight: 1.0,
        region_weight: 1.0,
        slow_score: Some(1),
        ..StoreDetail::default()
    }
}

pub(crate) fn region(id: u64, stores: [u64; 3]) -> Region {
    Region {
        id,
        start_key: format!("{id:08}"),
        end_key: format!("{:08}", id + 1),
        conf_ver: 1,
        version: 1,
        peers: stores.map(|store| Peer { store, role: Role::Voter }).to_vec(),
        leader: Some(stores[0]),
        size_mib: 96,
        keys: 960_000,
        ..Region::default()
    }
}

pub(crate) fn voters(count: u32) -> RuleDetail {
    RuleDetail { name: "pd/default".into(), role: "voter".into(), count, ..RuleDetail::default() }
}

pub(crate) fn healthy() -> Live {
    let member = |priority| Member { version: "v8.5.0".into(), priority };
    let members = Members {
        cluster_id: CLUSTER,
        leader: Some("pd-0".into()),
        etcd_leader: Some("pd-0".into()),
        by_name: ["pd-0", "pd-1", "pd-2"].map(|name| (name.to_owned(), member(0))).into(),
    };
    let regions = [(333, [2, 3, 4]), (334, [2, 3, 4]), (229, [1, 2, 3])];
    Live {
        members: Ok(members),
        health: Ok(["pd-0", "pd-1", "pd-2"].map(|name| (name.to_owned(), true)).into()),
        initialized: Ok(true),
        stores: Ok((1..=5).map(|id| (id, store(id))).collect()),
        drains: Ok(BTreeSet::new()),
        slow_evicted: Ok(BTreeSet::new()),
        replication: Ok(Replication { rules: vec![voters(3)], ..Replication::default() }),
        schedulers: Ok(Scheduler::ALL.map(|one| (one.name().to_owned(), SchedulerDetail::default())).into()),
        checkers: Ok([("merge".to_owned(), false), ("split".to_owned(), false)].into()),
        settings: Ok(ALLOWED.iter().map(|setting| (setting.key().to_owned(), setting.usual())).collect()),
        limits: Ok(Some((1..=5).map(|id| (id, LimitDetail { add_peer: 15.0, remove_peer: 15.0 })).collect())),
        operators: Ok(Vec::new()),
        records: Ok(Vec::new()),
        abnormal: Ok([("miss-peer".to_owned(), 0), ("down-peer".to_owned(), 0)].into()),
        hot: Ok(BTreeMap::new()),
        diagnostics: Ok(BTreeMap::new()),
        progress: Ok(BTreeMap::new()),
        regions: regions.map(|(id, stores)| (id, Ok(Some(region(id, stores))))).into(),
        operator_of: regions.map(|(id, _)| (id, Ok(None))).into(),
        ..Live::unread(AT)
    }
}

impl Live {
    pub(crate) fn store_mut(&mut self, id: u64) -> &mut StoreDetail {
        self.stores.as_mut().expect("stores").get_mut(&id).expect("the store")
    }

    pub(crate) fn region_mut(&mut self, id: u64) -> &mut Region {
        let read = self.regions.get_mut(&id).expect("it was read");
        read.as_mut().expect("it could be read").as_mut().expect("there is one")
    }

    /// The store was killed so long ago.
    pub(crate) fn silence(&mut self, id: u64, ago: Duration) {
        let store = self.store_mut(id);
        store.last_heartbeat_ms = Some(AT.minus(ago).as_millis());
        store.state_name = if ago > Duration::from_secs(1_800) { "Down" } else { "Disconnected" }.into();
    }

    pub(crate) fn offline(&mut self, id: u64) {
        let store = self.store_mut(id);
        (store.state, store.node_state) = (StoreState::Offline, NodeState::Removing);
        store.state_name = "Offline".into();
    }

    pub(crate) fn drain(&mut self, id: u64) {
        self.drains.as_mut().expect("drains").insert(id);
        self.store_mut(id).leader_in_paused = true;
    }
}

pub(crate) fn at_store(id: u64) -> Locus {
    names::store_locus(SUBJECT, id)
}

pub(crate) fn at_region(id: u64) -> Locus {
    names::region_locus(SUBJECT, id)
}

pub(crate) fn at(kind: &str, key: &str) -> Locus {
    Locus::entity(SUBJECT, kind, key)
}

pub(crate) fn request<const N: usize>(action: &str, target: Locus, params: [(&str, Value); N]) -> ActionRequest {
    ActionRequest {
        intent: format!("intent-{action}"),
        action: action.to_owned(),
        target,
        params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

pub(in crate::actions) fn plan_with(live: &Live, memory: &Memory, request: &ActionRequest) -> Verdict<Planned> {
    pd_action(&request.action).expect("the action").plan(live, &Aim { request, memory })
}

/// What would be sent; or the refusal, `unknown: …` where something is not known.
pub(crate) fn sent(live: &Live, request: &ActionRequest) -> Result<String, String> {
    told(plan_with(live, &Memory::default(), request))
}

pub(in crate::actions) fn told(plan: Verdict<Planned>) -> Result<String, String> {
    plan.map(|planned| planned.write.to_string()).map_err(|refusal| match refusal {
        Refusal::No(why) => why,
        Refusal::Unknown(why) => format!("unknown: {why}"),
    })
}

pub(crate) fn effect(live: &Live, memory: &Memory, request: &ActionRequest) -> Effect {
    let effect = pd_action(&request.action).expect("the action").effect(live, &Aim { request, memory });
    super::super::pd_action::told(&request.action, effect)
}

/// One request for every action of PD's that holds in the scene it is given.
pub(crate) fn holding() -> Vec<(Live, ActionRequest)> {
    let plain = healthy();
    let mut running = healthy();
    running.operator_of.insert(
        333,
        Ok(Some(crate::actions::live::OperatorStatus {
            status: "RUNNING".into(),
            desc: "admin-transfer-leader".into(),
        })),
    );
    let mut drained = healthy();
    drained.drain(4);
    let mut paused = healthy();
    let schedulers = paused.schedulers.as_mut().expect("schedulers");
    schedulers.insert("balance-region-scheduler".into(), SchedulerDetail { paused: true, disabled: false });
    schedulers.remove("balance-leader-scheduler");
    paused.checkers = Ok([("merge".to_owned(), true), ("split".to_owned(), false)].into());
    let mut changed = healthy();
    changed.settings.as_mut().expect("settings").insert("region-schedule-limit".into(), "0".into());
    let mut emptied = healthy();
    emptied.store_mut(4).leader_count = 0;
    let mut removing = healthy();
    removing.offline(4);
    let mut small = healthy();
    for id in [333, 334] {
        small.region_mut(id).size_mib = 20;
    }
    let pd = |name: &str| Locus::component(SUBJECT, name);
    vec![
        (plain.clone(), request("transfer_leader", at_region(333), [("to_store", 3_i64.into())])),
        (
            plain.clone(),
            request("transfer_peer", at_region(333), [("from_store", 3_i64.into()), ("to_store", 5_i64.into())]),
        ),
        (running, request("cancel_operator", at_region(333), [])),
        (plain.clone(), request("split_region", at_region(333), [("policy", "approximate".into())])),
        (small, request("merge_region", at_region(333), [("into", 334_i64.into())])),
        (plain.clone(), request("scatter_region", at_region(333), [])),
        (plain.clone(), request("drain_store", at_store(4), [("minutes", 30_i64.into())])),
        (drained.clone(), request("undrain_store", at(names::DRAIN, "store-4"), [])),
        (drained, request("undrain_store", at_store(4), [])),
        (
            plain.clone(),
            request("pause_scheduler", at(names::SCHEDULER, "balance-region-scheduler"), [("seconds", 600_i64.into())]),
        ),
        (paused.clone(), request("resume_scheduler", at(names::SCHEDULER, "balance-region-scheduler"), [])),
        (paused.clone(), request("add_scheduler", at(names::SCHEDULER, "balance-leader-scheduler"), [])),
        (
            plain.clone(),
            request("pause_checker", Locus::Nothing, [("checker", "merge".into()), ("seconds", 600_i64.into())]),
        ),
        (paused, request("resume_checker", Locus::Nothing, [("checker", "merge".into())])),
        (
            plain.clone(),
            request("set_store_limit", at_store(4), [("direction", "add-peer".into()), ("rate", 30_i64.into())]),
        ),
        (
            plain.clone(),
            request("set_store_weight", at_store(4), [("leader", Value::Float(0.5)), ("region", Value::Float(1.0))]),
        ),
        (plain.clone(), request("config_set", at(names::SETTING, "leader-schedule-limit"), [("value", "8".into())])),
        (changed, request("config_restore", at(names::SETTING, "region-schedule-limit"), [("value", "2048".into())])),
        (emptied, request("offline_store", at_store(4), [])),
        (removing, request("cancel_offline", at_store(4), [])),
        (plain.clone(), request("pd_transfer_leader", pd("pd-0"), [("to", "any".into())])),
        (plain, request("pd_resign", pd("pd-0"), [])),
    ]
}
