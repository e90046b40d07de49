//! `undrain_store`: a store may lead regions again. The request names the store: without its id, PD would take back the
//! drains of all stores.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, Remedy, RemedyOn, Risk};

use super::aim::Aim;
use super::define::{SETTLE_MOVES, UNDO_LIMITS, a_store, an_entity};
use super::live::{Live, Part};
use super::pd_action::{Patience, PdAction, happened};
use super::rules::{control_plane, quorum, store};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::Write;
use crate::names::DRAIN;

pub(super) struct UndrainStore;

pub(super) const NAME: &str = "undrain_store";

impl PdAction for UndrainStore {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: NAME.to_owned(),
            description: "Let a drained store lead regions again".to_owned(),
            params: Vec::new(),
            targets: vec![an_entity(DRAIN), a_store()],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: vec![
                Remedy::cures(FaultClass::ExternalMutation),
                Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject),
            ],
            expected_effect: "the store leads its share of the regions".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(UNDO_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let id = aim.store()?;
        let members = control_plane::steers(live)?;
        let target = store::exists(live, id)?;
        store::belongs(target)?;
        if !known(&live.drains)?.contains(&id) {
            return Err(Refusal::no(format!("store {id} is not drained")));
        }
        if known(&live.slow_evicted)?.contains(&id) {
            return Err(Refusal::no(format!("PD evicts the leaders of store {id} itself, since it is slow")));
        }
        store::answers(live, target)?;
        quorum::is_safe(live)?;
        let facts = facts([("cluster_id", members.cluster_id.into())]);
        let planned = Planned::new(Write::Undrain { store: id }, facts);
        Ok(planned.of_start(target.started.map(|started| started.to_string())))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let id = aim.store()?;
        control_plane::has_one_leader(live)?;
        if known(&live.drains)?.contains(&id) {
            return Ok(Effect::Absent);
        }
        if store::exists(live, id)?.leader_in_paused {
            return Ok(Effect::UnderWay { progress: None });
        }
        aim.memory.undrains(id);
        happened(format!("store {id} may lead again"))
    }

    fn patience(&self) -> Patience {
        Patience::seconds(2, 120)
    }
}
