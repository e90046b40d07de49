//! `resume_scheduler`: a scheduler of PD that somebody paused goes on.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, Remedy, RemedyOn, Risk};

use super::aim::Aim;
use super::define::{SETTLE, UNDO_LIMITS, an_entity};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::{Scheduler, Write};
use crate::details::SchedulerDetail;
use crate::names::SCHEDULER;

pub(super) struct ResumeScheduler;

pub(super) const NAME: &str = "resume_scheduler";

impl PdAction for ResumeScheduler {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: NAME.to_owned(),
            description: "Have a paused scheduler of PD go on".to_owned(),
            params: Vec::new(),
            targets: vec![an_entity(SCHEDULER)],
            risk: Risk::Low,
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
        if !state(live, scheduler)?.paused {
            return Err(Refusal::no(format!("{} does not rest", scheduler.name())));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("paused", true.into())]);
        Ok(Planned::new(Write::ResumeScheduler { scheduler }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let scheduler = named(aim.name())?;
        control_plane::has_one_leader(live)?;
        happened_if(!state(live, scheduler)?.paused, format!("{} goes on", scheduler.name()))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

pub(super) fn named(name: &str) -> Verdict<Scheduler> {
    Scheduler::named(name).ok_or_else(|| Refusal::no(format!("{name:?} is none of PD's default schedulers")))
}

/// A scheduler that there is.
pub(super) fn state(live: &Live, scheduler: Scheduler) -> Verdict<SchedulerDetail> {
    let found = known(&live.schedulers)?.get(scheduler.name());
    found.cloned().ok_or_else(|| Refusal::no(format!("PD has no {}", scheduler.name())))
}
