//! `transfer_leader`: a region is led from another store that holds a voter of it.
//!
//! PD itself only looks whether there is a voter: a leader sent to a store that does not answer would hang for a minute.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{REGION_LIMITS, SETTLE, an_entity, an_id};
use super::live::{Live, Part, Role};
use super::pd_action::{Patience, PdAction};
use super::region_operator;
use super::rules::{region, store};
use super::verdict::{Planned, Refusal, Verdict};
use super::write::Write;
use crate::names::REGION;

pub(super) struct TransferLeader;

const TO_STORE: &str = "to_store";

impl PdAction for TransferLeader {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "transfer_leader".to_owned(),
            description: "Have another store that holds a replica of a region lead it".to_owned(),
            params: vec![an_id(TO_STORE, "The id of the store that should lead")],
            targets: vec![an_entity(REGION)],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "the region is led from that store".to_owned(),
            settle_time: SETTLE,
            limits: Some(REGION_LIMITS),
        }
    }

    fn reads(&self, aim: &Aim<'_>) -> Vec<Part> {
        aim.region().map(region_operator::reads).unwrap_or_default()
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (id, to) = (aim.region()?, aim.number(TO_STORE)?);
        let (cluster, found) = region_operator::target(live, id)?;
        if region::has_leader(found)? == to {
            return Err(Refusal::no(format!("store {to} leads region {id} already")));
        }
        match found.peer_on(to) {
            Some(peer) if peer.role == Role::Voter => {}
            Some(_) => return Err(Refusal::no(format!("the replica of region {id} on store {to} does not vote"))),
            None => return Err(Refusal::no(format!("region {id} has no replica on store {to}"))),
        }
        if found.down.contains(&to) || found.pending.contains(&to) {
            return Err(Refusal::no(format!("the replica of region {id} on store {to} is behind")));
        }
        let target = store::is_fit(live, to)?;
        store::takes_leaders(live, target)?;
        let planned =
            Planned::new(Write::TransferLeader { region: id, to }, region_operator::region_facts(cluster, found));
        Ok(planned.of_start(target.started.map(|started| started.to_string())))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let (id, to) = (aim.region()?, aim.number(TO_STORE)?);
        let led = format!("region {id} is led from store {to}");
        region_operator::effect(live, id, "transfer-leader", |region| Ok(region.leader == Some(to)), led)
    }

    fn patience(&self) -> Patience {
        region_operator::FOR_A_LEADER
    }
}
