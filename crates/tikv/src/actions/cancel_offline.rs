//! `cancel_offline`: a store that is being removed stays. Not after a removal by force, which cannot be taken back.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, Remedy, RemedyOn, Risk};

use super::aim::Aim;
use super::define::{SETTLE, UNDO_LIMITS, a_store};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, quorum, store};
use super::verdict::{Planned, Refusal, Verdict, facts};
use super::write::Write;
use crate::details::StoreState;

pub(super) struct CancelOffline;

pub(super) const NAME: &str = "cancel_offline";

impl PdAction for CancelOffline {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: NAME.to_owned(),
            description: "Let a store stay that PD is to remove".to_owned(),
            params: Vec::new(),
            targets: vec![a_store()],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: vec![
                Remedy::cures(FaultClass::ExternalMutation),
                Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject),
            ],
            expected_effect: "the store belongs to the cluster again and keeps its regions".to_owned(),
            settle_time: SETTLE,
            limits: Some(UNDO_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Replication]
    }

    /// A lagging peer elsewhere is no objection, as it is for other actions: this one only ends the moving.
    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let id = aim.store()?;
        let members = control_plane::steers(live)?;
        quorum::is_there(live)?;
        let target = store::exists(live, id)?;
        match target.state {
            StoreState::Offline => {}
            StoreState::Up => return Err(Refusal::no(format!("store {id} is not being removed"))),
            StoreState::Tombstone => return Err(Refusal::no(format!("store {id} was removed"))),
        }
        if target.physically_destroyed {
            return Err(Refusal::no(format!("store {id} was removed by force, which cannot be taken back")));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("state", "offline".into())]);
        let planned = Planned::new(Write::CancelOffline { store: id }, facts);
        Ok(planned.of_start(target.started.map(|started| started.to_string())))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let id = aim.store()?;
        control_plane::has_one_leader(live)?;
        let state = store::exists(live, id)?.state;
        happened_if(state == StoreState::Up, format!("store {id} belongs to the cluster"))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}
