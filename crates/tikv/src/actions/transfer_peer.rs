//! `transfer_peer`: a replica of a region moves from one store to another.
//!
//! PD looks neither at space nor at labels when it is asked for this, so the rules here are all there are.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{REGION_LIMITS, SETTLE, an_entity, an_id};
use super::live::{Live, Part};
use super::pd_action::{Patience, PdAction};
use super::region_operator;
use super::rules::{isolation, maintenance, region, store};
use super::verdict::{Planned, Refusal, Verdict};
use super::write::Write;
use crate::names::REGION;

pub(super) struct TransferPeer;

const FROM_STORE: &str = "from_store";
const TO_STORE: &str = "to_store";
/// So much of the new store must be free, which is more than PD's own bound.
const MIN_FREE: f64 = 0.25;

impl PdAction for TransferPeer {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "transfer_peer".to_owned(),
            description: "Move a replica of a region from one store to another".to_owned(),
            params: vec![
                an_id(FROM_STORE, "The id of the store that holds the replica"),
                an_id(TO_STORE, "The id of the store that should hold it"),
            ],
            targets: vec![an_entity(REGION)],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "the region has a replica on the one store and none on the other".to_owned(),
            settle_time: SETTLE,
            limits: Some(REGION_LIMITS),
        }
    }

    fn reads(&self, aim: &Aim<'_>) -> Vec<Part> {
        aim.region().map(region_operator::reads).unwrap_or_default()
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (id, from, to) = (aim.region()?, aim.number(FROM_STORE)?, aim.number(TO_STORE)?);
        let (cluster, found) = region_operator::target(live, id)?;
        maintenance::is_nobody_elses(live, aim.memory)?;
        region::is_whole(live, found)?;
        if found.peer_on(from).is_none() {
            return Err(Refusal::no(format!("region {id} has no replica on store {from}")));
        }
        if found.peer_on(to).is_some() {
            return Err(Refusal::no(format!("region {id} has a replica on store {to} already")));
        }
        let source = store::exists(live, from)?;
        store::belongs(source)?;
        store::answers(live, source)?;
        let target = store::is_fit(live, to)?;
        has_room(target.capacity, target.available, to)?;
        isolation::is_kept(live, found, source, target)?;
        let write = Write::TransferPeer { region: id, from, to };
        let planned = Planned::new(write, region_operator::region_facts(cluster, found));
        Ok(planned.of_start(target.started.map(|started| started.to_string())))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let (id, from, to) = (aim.region()?, aim.number(FROM_STORE)?, aim.number(TO_STORE)?);
        let moved = format!("region {id} has a replica on store {to} and none on store {from}");
        let there = |region: &super::live::Region| {
            Ok(region.peer_on(to).is_some() && region.peer_on(from).is_none() && !region.pending.contains(&to))
        };
        region_operator::effect(live, id, "move-peer", there, moved)
    }

    fn patience(&self) -> Patience {
        region_operator::FOR_A_PEER
    }
}

fn has_room(capacity: Option<f64>, available: Option<f64>, store: u64) -> Verdict {
    match (capacity, available) {
        (Some(capacity), Some(available)) if capacity > 0.0 && available / capacity > MIN_FREE => Ok(()),
        (Some(capacity), Some(_)) if capacity > 0.0 => {
            Err(Refusal::no(format!("less than {:.0} % of store {store} would be free", 100.0 * MIN_FREE)))
        }
        _ => Err(Refusal::unknown(format!("the space of store {store}"), "PD does not say")),
    }
}
