//! `cancel_operator`: what PD was asked to do with one region is called off. What PD does by itself is left alone: it
//! would only do it again.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{REGION_LIMITS, SETTLE, an_entity};
use super::live::{Live, OperatorStatus, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::Write;
use crate::names::REGION;

pub(super) struct CancelOperator;

impl PdAction for CancelOperator {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "cancel_operator".to_owned(),
            description: "Call off what PD was asked to do with a region".to_owned(),
            params: Vec::new(),
            targets: vec![an_entity(REGION)],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "PD does nothing with the region".to_owned(),
            settle_time: SETTLE,
            limits: Some(REGION_LIMITS),
        }
    }

    fn reads(&self, aim: &Aim<'_>) -> Vec<Part> {
        aim.region().map(|region| vec![Part::Region(region), Part::Replication]).unwrap_or_default()
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let region = aim.region()?;
        let members = control_plane::steers(live)?;
        quorum::is_there(live)?;
        let operator =
            running(live, region)?.ok_or_else(|| Refusal::no(format!("PD does nothing with region {region}")))?;
        if !operator.desc.starts_with("admin-") {
            return Err(Refusal::no(format!("{} is PD's own doing: it would do it again", operator.desc)));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("operator", operator.desc.as_str().into())]);
        Ok(Planned::new(Write::CancelOperator { region }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let region = aim.region()?;
        control_plane::has_one_leader(live)?;
        happened_if(running(live, region)?.is_none(), format!("PD does nothing with region {region}"))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

fn running(live: &Live, region: u64) -> Verdict<Option<&OperatorStatus>> {
    let read = live
        .operator_of
        .get(&region)
        .ok_or_else(|| Refusal::unknown(format!("what PD does with region {region}"), "it was not asked for"))?;
    Ok(known(read)?.as_ref().filter(|operator| operator.status == "RUNNING"))
}
