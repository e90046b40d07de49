//! `pause_scheduler`: one of PD's balancing schedulers rests for a while, and goes on by itself: a pause has an end in PD.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{SETTING_LIMITS, SETTLE, a_count, an_entity};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::resume_scheduler::{self, state};
use super::rules::{control_plane, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts};
use super::write::{Scheduler, Write};
use crate::names::SCHEDULER;

pub(super) struct PauseScheduler;

const SECONDS: &str = "seconds";

impl PdAction for PauseScheduler {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "pause_scheduler".to_owned(),
            description: "Have one of PD's balancing schedulers rest for a while; it goes on by itself".to_owned(),
            params: vec![a_count(SECONDS, "For how many seconds", 60, 3_600, Some(600))],
            targets: vec![an_entity(SCHEDULER)],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: Some(resume_scheduler::NAME.to_owned()),
            remedies: Vec::new(),
            expected_effect: "PD starts no more moves of that kind".to_owned(),
            settle_time: SETTLE,
            limits: Some(SETTING_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Schedulers, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let scheduler = balancing(aim.name())?;
        let seconds = aim.number(SECONDS)?;
        let seconds = u32::try_from(seconds).map_err(|_| Refusal::no(format!("{SECONDS} is too long")))?;
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        if state(live, scheduler)?.paused {
            return Err(Refusal::no(format!("{} rests already", scheduler.name())));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("paused", false.into())]);
        Ok(Planned::new(Write::PauseScheduler { scheduler, seconds }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let scheduler = balancing(aim.name())?;
        control_plane::has_one_leader(live)?;
        happened_if(state(live, scheduler)?.paused, format!("{} rests", scheduler.name()))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

fn balancing(name: &str) -> Verdict<Scheduler> {
    Scheduler::named(name)
        .filter(|scheduler| *scheduler != Scheduler::EvictSlowStore)
        .ok_or_else(|| Refusal::no(format!("{name:?} is none of PD's balancing schedulers")))
}
