//! `pause_checker`: the merging or the splitting of regions rests for a while, and goes on by itself. The checkers that
//! replace and place replicas are never paused.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk, TargetKind};

use super::aim::Aim;
use super::define::{SETTING_LIMITS, SETTLE, a_count, a_word};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::resume_checker::{self, CHECKER, named, rests, the_checker};
use super::rules::{control_plane, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts};
use super::write::Write;

pub(super) struct PauseChecker;

const SECONDS: &str = "seconds";

impl PdAction for PauseChecker {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "pause_checker".to_owned(),
            description: "Have PD merge or split no regions for a while; it goes on by itself".to_owned(),
            params: vec![
                a_word(CHECKER, "Which of the two", &the_checker(), None),
                a_count(SECONDS, "For how many seconds", 60, 3_600, Some(600)),
            ],
            targets: vec![TargetKind::Whole],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: Some(resume_checker::NAME.to_owned()),
            remedies: Vec::new(),
            expected_effect: "PD starts no more of it".to_owned(),
            settle_time: SETTLE,
            limits: Some(SETTING_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Checkers, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let checker = named(aim)?;
        let seconds = u32::try_from(aim.number(SECONDS)?).map_err(|_| Refusal::no(format!("{SECONDS} is too long")))?;
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        if rests(live, checker)? {
            return Err(Refusal::no(format!("the {} checker rests already", checker.name())));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("paused", false.into())]);
        Ok(Planned::new(Write::PauseChecker { checker, seconds }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let checker = named(aim)?;
        control_plane::has_one_leader(live)?;
        happened_if(rests(live, checker)?, format!("the {} checker rests", checker.name()))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}
