//! `config_restore`: a setting of PD that was changed gets the value it had before, if that is one it may have.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, ParamSource, Remedy, RemedyOn, Risk};

use super::aim::Aim;
use super::config_set::{VALUE, change, has_value, setting};
use super::define::{SETTING_LIMITS, SETTLE_MOVES, a_text, an_entity};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction};
use super::verdict::{Planned, Verdict};
use crate::names::SETTING;

pub(super) struct ConfigRestore;

impl PdAction for ConfigRestore {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "config_restore".to_owned(),
            description: "Give a setting of PD's scheduling the value again that it had before it was changed"
                .to_owned(),
            params: vec![a_text(VALUE, "The value it had, as PD writes it", 64, ParamSource::ChangeBefore)],
            targets: vec![an_entity(SETTING)],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: vec![Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject)],
            expected_effect: "PD schedules as before the change".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(SETTING_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Settings, Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        change(live, aim, setting(aim)?)
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        has_value(live, aim)
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}
