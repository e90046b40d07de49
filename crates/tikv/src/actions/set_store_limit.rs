//! `set_store_limit`: how many replicas a minute may come to a store or leave it, at most doubled or halved at a time.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{SETTING_LIMITS, SETTLE_MOVES, a_count, a_store, a_word};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, quorum, store};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::{Limited, Write};
use crate::details::StoreState;

pub(super) struct SetStoreLimit;

const DIRECTION: &str = "direction";
const RATE: &str = "rate";
/// How much a limit may grow or shrink at a time.
const STEP: f64 = 2.0;

impl PdAction for SetStoreLimit {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "set_store_limit".to_owned(),
            description: "Set how many replicas a minute may come to a store or leave it".to_owned(),
            params: vec![
                a_word(DIRECTION, "Whether replicas come or leave", &Limited::ALL.map(Limited::name), None),
                a_count(RATE, "Replicas a minute", 1, 200, None),
            ],
            targets: vec![a_store()],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "replicas move faster or slower".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(SETTING_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Limits, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (id, limited, rate) = (aim.store()?, direction(aim)?, aim.number(RATE)?);
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        let target = store::exists(live, id)?;
        if target.state == StoreState::Offline && limited == Limited::RemovePeer {
            return Err(Refusal::no(format!("store {id} is being removed: PD limits its removal by itself")));
        }
        if target.state == StoreState::Tombstone {
            return Err(Refusal::no(format!("store {id} was removed")));
        }
        let now = limit(live, id, limited)?;
        let wanted = rate as f64;
        if (wanted - now).abs() < 1e-9 {
            return Err(Refusal::no(format!("it is {now} already")));
        }
        if wanted > now * STEP || wanted < now / STEP {
            return Err(Refusal::no(format!("it is {now}; it may be doubled or halved at a time")));
        }
        let rate = u32::try_from(rate).map_err(|_| Refusal::no(format!("{RATE} is too high")))?;
        let facts = facts([("cluster_id", members.cluster_id.into()), ("rate_now", now.into())]);
        Ok(Planned::new(Write::StoreLimit { store: id, limited, rate }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let (id, limited, rate) = (aim.store()?, direction(aim)?, aim.number(RATE)?);
        control_plane::has_one_leader(live)?;
        let now = limit(live, id, limited)?;
        happened_if((now - rate as f64).abs() < 1e-9, format!("the {} limit of store {id} is {now}", limited.name()))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

fn direction(aim: &Aim<'_>) -> Verdict<Limited> {
    let name = aim.text(DIRECTION)?;
    Limited::named(name).ok_or_else(|| Refusal::no(format!("{name:?} is neither add-peer nor remove-peer")))
}

fn limit(live: &Live, id: u64, limited: Limited) -> Verdict<f64> {
    let limits = known(&live.limits)?
        .as_ref()
        .ok_or_else(|| Refusal::no("PD limits stores by itself here (store-limit-version v2)"))?;
    let limit =
        limits.get(&id).ok_or_else(|| Refusal::unknown(format!("the limit of store {id}"), "PD does not tell it"))?;
    let rate = match limited {
        Limited::AddPeer => limit.add_peer,
        Limited::RemovePeer => limit.remove_peer,
    };
    if rate.is_finite() && rate > 0.0 {
        return Ok(rate);
    }
    Err(Refusal::unknown(format!("the limit of store {id}"), "it is no positive number"))
}
