//! `config_set`: one of the few settings of PD that may be changed gets another value within its bounds.

use operator_protocols::{ActionClass, ActionDefinition, Effect, ParamSource, Risk};

use super::aim::Aim;
use super::define::{SETTING_LIMITS, SETTLE_MOVES, a_text, an_entity};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, quorum};
use super::settings::{Assignment, Setting};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::Write;
use crate::names::SETTING;

pub(super) struct ConfigSet;

pub(super) const VALUE: &str = "value";

impl PdAction for ConfigSet {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "config_set".to_owned(),
            description: "Give a setting of PD's scheduling another value within its bounds".to_owned(),
            params: vec![a_text(VALUE, "The new value, as PD writes it: 64, 1h0m0s, true", 64, ParamSource::Policy)],
            targets: vec![an_entity(SETTING)],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "PD schedules by the new value".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(SETTING_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Settings, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let setting = setting(aim)?;
        let planned = change(live, aim, setting)?;
        let now = value_now(live, setting)?;
        if setting.only_upward() && setting.raises(now, aim.text(VALUE)?) != Some(true) {
            return Err(Refusal::no(format!(
                "{} is {now} and may only be raised: lowered, the replicas of a store that restarts would be copied",
                setting.key()
            )));
        }
        Ok(planned)
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        has_value(live, aim)
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

/// The setting it is aimed at.
pub(super) fn setting(aim: &Aim<'_>) -> Verdict<&'static Setting> {
    let key = aim.name();
    Setting::named(key).ok_or_else(|| Refusal::no(format!("the setting {key:?} is none that may be changed")))
}

/// The change, where PD steers and it is one.
pub(super) fn change(live: &Live, aim: &Aim<'_>, setting: &Setting) -> Verdict<Planned> {
    let assignment = Assignment::new(setting, aim.text(VALUE)?).map_err(Refusal::No)?;
    let members = control_plane::steers(live)?;
    quorum::is_safe(live)?;
    let now = value_now(live, setting)?;
    if setting.same(now, &assignment.text()) {
        return Err(Refusal::no(format!("{} is {now} already", setting.key())));
    }
    let facts = facts([("cluster_id", members.cluster_id.into()), ("value_now", now.into())]);
    Ok(Planned::new(Write::Configure(assignment), facts))
}

pub(super) fn value_now<'a>(live: &'a Live, setting: &Setting) -> Verdict<&'a str> {
    let found = known(&live.settings)?.get(setting.key()).map(String::as_str);
    found.ok_or_else(|| Refusal::no(format!("this PD has no setting {}", setting.key())))
}

/// Whether the setting has the value that was to be set.
pub(super) fn has_value(live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
    let setting = setting(aim)?;
    let wanted = Assignment::new(setting, aim.text(VALUE)?).map_err(Refusal::No)?.text();
    control_plane::has_one_leader(live)?;
    happened_if(setting.same(value_now(live, setting)?, &wanted), format!("{} is {wanted}", setting.key()))
}
