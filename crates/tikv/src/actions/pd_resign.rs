//! `pd_resign`: the member of PD that leads steps down, and the others choose. `pd_transfer_leader` is gentler; this is for
//! where the next leader does not matter.

use operator_protocols::{ActionClass, ActionDefinition, Effect, Risk};

use super::aim::Aim;
use super::define::{SETTLE, STORE_LIMITS, a_member};
use super::live::{Live, Part};
use super::pd_action::{Patience, PdAction, happened_if};
use super::rules::{control_plane, member, quorum};
use super::verdict::{Planned, Verdict, facts, known};
use super::write::Write;

pub(super) struct PdResign;

impl PdAction for PdResign {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "pd_resign".to_owned(),
            description: "Have the leader of PD step down, whoever leads then".to_owned(),
            params: Vec::new(),
            targets: vec![a_member()],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: Vec::new(),
            expected_effect: "another member leads; timestamps are not given out for some seconds".to_owned(),
            settle_time: SETTLE,
            limits: Some(STORE_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let from = aim.name();
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        member::leads(members, from)?;
        member::can_be_spared(live, from)?;
        member::next_leader(live, members)?;
        let facts = facts([("cluster_id", members.cluster_id.into()), ("leader", from.into())]);
        Ok(Planned::new(Write::ResignPdLeader, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let Some(leader) = &known(&live.members)?.leader else {
            return Ok(Effect::UnderWay { progress: None });
        };
        happened_if(leader != aim.name(), format!("{leader} leads PD"))
    }

    fn patience(&self) -> Patience {
        Patience::seconds(1, 30)
    }
}
