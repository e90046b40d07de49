//! `merge_region`: a small region becomes part of its neighbour.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{REGION_LIMITS, SETTLE, an_entity, an_id};
use super::live::{Live, Part};
use super::pd_action::{Patience, PdAction, happened};
use super::region_operator;
use super::rules::{control_plane, region};
use super::verdict::{Planned, Refusal, Verdict};
use super::write::Write;
use crate::names::REGION;

pub(super) struct MergeRegion;

const INTO: &str = "into";
/// TiKV splits what is larger at once, in the versions that split earliest (`region-max-size` up to 8.3).
const MAX_MIB: u64 = 144;

impl PdAction for MergeRegion {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "merge_region".to_owned(),
            description: "Make a small region part of its neighbour".to_owned(),
            params: vec![an_id(INTO, "The id of the neighbour, which stays")],
            targets: vec![an_entity(REGION)],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "there is one region less".to_owned(),
            settle_time: SETTLE,
            limits: Some(REGION_LIMITS),
        }
    }

    fn reads(&self, aim: &Aim<'_>) -> Vec<Part> {
        let mut parts = aim.region().map(region_operator::reads).unwrap_or_default();
        parts.extend(aim.number(INTO).map(Part::Region));
        parts
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (source, into) = (aim.region()?, aim.number(INTO)?);
        if source == into {
            return Err(Refusal::no("a region cannot become part of itself"));
        }
        let (cluster, from) = region_operator::target(live, source)?;
        let (_, neighbour) = region_operator::target(live, into)?;
        region::is_whole(live, from)?;
        region::is_whole(live, neighbour)?;
        if !from.adjoins(neighbour) {
            return Err(Refusal::no(format!("regions {source} and {into} are not neighbours")));
        }
        if from.table() != neighbour.table() {
            return Err(Refusal::no(format!("regions {source} and {into} are of different tables")));
        }
        let sum = from.size_mib.saturating_add(neighbour.size_mib);
        if sum >= MAX_MIB {
            return Err(Refusal::no(format!("together they have {sum} MiB, and would be split again")));
        }
        let mut facts = region_operator::region_facts(cluster, from);
        facts.insert("into_version".to_owned(), neighbour.version.into());
        facts.insert("into_conf_ver".to_owned(), neighbour.conf_ver.into());
        Ok(Planned::new(Write::MergeRegion { source, into }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let (source, into) = (aim.region()?, aim.number(INTO)?);
        // A leader that has not heard of all regions knows no source either.
        control_plane::steers(live)?;
        region::exists(live, into)?;
        match region::exists(live, source) {
            Err(Refusal::No(_)) => happened(format!("region {source} is part of region {into}")),
            Err(unknown) => Err(unknown),
            Ok(_) => region_operator::running(live, source, "merge-region"),
        }
    }

    fn patience(&self) -> Patience {
        region_operator::FOR_A_PEER
    }
}
