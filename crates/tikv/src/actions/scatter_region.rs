//! `scatter_region`: the replicas and the leader of a region are spread anew. A hot region is not scattered: that moves the
//! heat, and PD refuses it.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{REGION_LIMITS, SETTLE, an_entity};
use super::live::{Live, Part};
use super::pd_action::{Patience, PdAction, happened};
use super::region_operator;
use super::rules::{control_plane, maintenance, region};
use super::verdict::{Planned, Refusal, Verdict, known};
use super::write::Write;
use crate::names::REGION;

pub(super) struct ScatterRegion;

impl PdAction for ScatterRegion {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "scatter_region".to_owned(),
            description: "Spread the replicas and the leader of a region anew".to_owned(),
            params: Vec::new(),
            targets: vec![an_entity(REGION)],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "the region is on, and led from, stores that have less to do".to_owned(),
            settle_time: SETTLE,
            limits: Some(REGION_LIMITS),
        }
    }

    fn reads(&self, aim: &Aim<'_>) -> Vec<Part> {
        let mut parts = aim.region().map(region_operator::reads).unwrap_or_default();
        parts.push(Part::Hot);
        parts
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let id = aim.region()?;
        let (cluster, found) = region_operator::target(live, id)?;
        maintenance::is_nobody_elses(live, aim.memory)?;
        region::is_whole(live, found)?;
        region::is_not_hot(live, id)?;
        Ok(Planned::new(Write::ScatterRegion { region: id }, region_operator::region_facts(cluster, found)))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let id = aim.region()?;
        control_plane::has_one_leader(live)?;
        let read = live.operator_of.get(&id).ok_or_else(|| Refusal::unknown("the operator", "it was not asked for"))?;
        match known(read)? {
            Some(operator) if operator.desc.contains("scatter") && operator.status == "SUCCESS" => {
                happened(format!("region {id} was scattered"))
            }
            _ => region_operator::running(live, id, "scatter"),
        }
    }

    fn patience(&self) -> Patience {
        region_operator::FOR_A_PEER
    }
}
