//! `resume_checker`: the merging or the splitting of regions goes on.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk, TargetKind};

use super::aim::Aim;
use super::define::{SETTLE, UNDO_LIMITS, a_word};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::{Checker, Write};

pub(super) struct ResumeChecker;

pub(super) const NAME: &str = "resume_checker";
pub(super) const CHECKER: &str = "checker";

impl PdAction for ResumeChecker {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: NAME.to_owned(),
            description: "Have PD merge or split regions again".to_owned(),
            params: vec![a_word(CHECKER, "Which of the two", &the_checker(), None)],
            targets: vec![TargetKind::Whole],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "PD merges or splits regions again".to_owned(),
            settle_time: SETTLE,
            limits: Some(UNDO_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Checkers, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let checker = named(aim)?;
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        if !rests(live, checker)? {
            return Err(Refusal::no(format!("the {} checker does not rest", checker.name())));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("paused", true.into())]);
        Ok(Planned::new(Write::ResumeChecker { checker }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let checker = named(aim)?;
        control_plane::has_one_leader(live)?;
        happened_if(!rests(live, checker)?, format!("the {} checker goes on", checker.name()))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

pub(super) fn the_checker() -> [&'static str; 2] {
    Checker::ALL.map(Checker::name)
}

pub(super) fn named(aim: &Aim<'_>) -> Verdict<Checker> {
    let name = aim.text(CHECKER)?;
    Checker::named(name).ok_or_else(|| Refusal::no(format!("{name:?} is no checker that may be paused")))
}

pub(super) fn rests(live: &Live, checker: Checker) -> Verdict<bool> {
    let found = known(&live.checkers)?.get(checker.name()).copied();
    found.ok_or_else(|| Refusal::unknown(format!("whether the {} checker rests", checker.name()), "PD does not say"))
}
