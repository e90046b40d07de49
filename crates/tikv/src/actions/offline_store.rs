//! `offline_store`: PD begins to empty a store, which it removes when that is done. Whether that can end at all is looked at
//! before: PD begins even what can never end.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::cancel_offline;
use super::define::{SETTLE_MOVES, STORE_LIMITS, a_store};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened};
use super::rules::{control_plane, scale_in, store};
use super::verdict::{Planned, Verdict, facts};
use super::write::Write;
use crate::details::StoreState;

pub(super) struct OfflineStore;

pub(super) const NAME: &str = "offline_store";
/// What is read to tell whether a store can be taken out.
pub(crate) const READS: [Part; 3] = [Part::Replication, Part::Settings, Part::Abnormal];

impl PdAction for OfflineStore {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: NAME.to_owned(),
            description: "Have PD empty a store and then remove it".to_owned(),
            params: Vec::new(),
            targets: vec![a_store()],
            risk: Risk::High,
            class: ActionClass::Query,
            reversible_by: Some(cancel_offline::NAME.to_owned()),
            remedies: Vec::new(),
            expected_effect: "the store's regions move to the others, and it is gone in the end".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(STORE_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        READS.to_vec()
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let id = aim.store()?;
        let members = control_plane::steers(live)?;
        scale_in::holds(live, aim.memory, id)?;
        let target = store::exists(live, id)?;
        let facts = facts([("cluster_id", members.cluster_id.into()), ("state", "up".into())]);
        let planned = Planned::new(Write::Offline { store: id }, facts);
        Ok(planned.of_start(target.started.map(|started| started.to_string())))
    }

    /// It happened when the removal began: it may last for days, and can be called off all the while.
    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let id = aim.store()?;
        control_plane::has_one_leader(live)?;
        let target = store::exists(live, id)?;
        match target.state {
            StoreState::Up => Ok(Effect::Absent),
            StoreState::Offline => happened(format!("store {id} is being emptied of {} regions", target.region_count)),
            StoreState::Tombstone => happened(format!("store {id} was removed")),
        }
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}
