//! `set_store_weight`: what share of leaders and regions a store gets, between half and twice the usual. Never zero, which
//! would move everything away from it.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{SETTLE_MOVES, STORE_LIMITS, a_number, a_store};
use super::live::{Live, Part};
use super::pd_action::{AT_ONCE, Patience, PdAction, happened_if};
use super::rules::{control_plane, maintenance, quorum, store};
use super::verdict::{Planned, Refusal, Verdict, facts};
use super::write::{Weight, Write};

pub(super) struct SetStoreWeight;

const LEADER: &str = "leader";
const REGION: &str = "region";

impl PdAction for SetStoreWeight {
    fn definition(&self) -> ActionDefinition {
        let weight = |name, what| a_number(name, what, Weight::MIN, Weight::MAX, 1.0);
        ActionDefinition {
            name: "set_store_weight".to_owned(),
            description: "Set what share of leaders and regions a store gets; 1 is usual".to_owned(),
            params: vec![weight(LEADER, "Its weight as a leader"), weight(REGION, "Its weight as a holder of regions")],
            targets: vec![a_store()],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "leaders and regions move to or from the store, for hours".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(STORE_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (id, leader, region) = (aim.store()?, weight(aim, LEADER)?, weight(aim, REGION)?);
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        maintenance::is_nobody_elses(live, aim.memory)?;
        maintenance::is_of_one_store(live, id)?;
        let target = store::exists(live, id)?;
        store::belongs(target)?;
        store::answers(live, target)?;
        if same(target.leader_weight, leader) && same(target.region_weight, region) {
            return Err(Refusal::no("it has these weights already"));
        }
        let facts = facts([
            ("cluster_id", members.cluster_id.into()),
            ("leader_weight_now", target.leader_weight.into()),
            ("region_weight_now", target.region_weight.into()),
        ]);
        Ok(Planned::new(Write::StoreWeight { store: id, leader, region }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let (id, leader, region) = (aim.store()?, weight(aim, LEADER)?, weight(aim, REGION)?);
        control_plane::has_one_leader(live)?;
        let target = store::exists(live, id)?;
        let set = same(target.leader_weight, leader) && same(target.region_weight, region);
        happened_if(set, format!("store {id} has these weights"))
    }

    fn patience(&self) -> Patience {
        AT_ONCE
    }
}

fn weight(aim: &Aim<'_>, name: &str) -> Verdict<Weight> {
    Weight::new(aim.fraction(name)?)
        .ok_or_else(|| Refusal::no(format!("{name} must be from {} to {}", Weight::MIN, Weight::MAX)))
}

fn same(now: f64, wanted: Weight) -> bool {
    (now - wanted.get()).abs() < 1e-9
}
