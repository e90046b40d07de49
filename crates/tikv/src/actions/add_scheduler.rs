//! `add_scheduler`: one of the schedulers that PD has by default, and that somebody removed, is added again. No other
//! scheduler can be added.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, Remedy, RemedyOn, Risk};

use super::aim::Aim;
use super::define::{SETTLE, UNDO_LIMITS, an_entity};
use super::live::{Live, Members, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::resume_scheduler::named;
use super::rules::{control_plane, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::{Scheduler, Write};
use crate::names::SCHEDULER;

pub(super) struct AddScheduler;

/// From this version on PD has the eviction of slow stores by default (`DefaultSchedulers` in `pkg/schedule/config`).
const EVICTS_SLOW_STORES_FROM: (u32, u32) = (8, 1);

impl PdAction for AddScheduler {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "add_scheduler".to_owned(),
            description: "Add a scheduler again that PD has by default and that was removed".to_owned(),
            params: Vec::new(),
            targets: vec![an_entity(SCHEDULER)],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: vec![
                Remedy::cures(FaultClass::ExternalMutation),
                Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject),
            ],
            expected_effect: "PD moves regions or leaders of that kind again".to_owned(),
            settle_time: SETTLE,
            limits: Some(UNDO_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Schedulers, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let scheduler = named(aim.name())?;
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        if known(&live.schedulers)?.contains_key(scheduler.name()) {
            return Err(Refusal::no(format!("PD has {} already", scheduler.name())));
        }
        if scheduler == Scheduler::EvictSlowStore {
            has_it_by_default(members)?;
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("present", false.into())]);
        Ok(Planned::new(Write::AddScheduler { scheduler }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let scheduler = named(aim.name())?;
        control_plane::has_one_leader(live)?;
        let there = known(&live.schedulers)?.contains_key(scheduler.name());
        happened_if(there, format!("PD has {}", scheduler.name()))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

fn has_it_by_default(members: &Members) -> Verdict {
    let version = members.leader.as_ref().and_then(|leader| members.by_name.get(leader)).map(|leader| &leader.version);
    let version = version.map_or("", String::as_str);
    let mut numbers = version.trim_start_matches('v').split(['.', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= EVICTS_SLOW_STORES_FROM => Ok(()),
        (Some(Ok(_)), Some(Ok(_))) => Err(Refusal::no(format!("PD {version} does not have it by default"))),
        _ => Err(Refusal::unknown("PD's version", format!("it says {version:?}"))),
    }
}
