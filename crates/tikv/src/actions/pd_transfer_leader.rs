//! `pd_transfer_leader`: another member of PD leads. It is aimed at the member that leads and should not.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, ParamSource, Remedy, Risk, Value};

use super::aim::Aim;
use super::define::{SETTLE, STORE_LIMITS, a_member, a_text};
use super::live::{Live, Part};
use super::pd_action::{Patience, PdAction, happened};
use super::rules::{control_plane, member, quorum};
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::{MemberName, Write};

pub(super) struct PdTransferLeader;

const TO: &str = "to";
/// Any member that may lead.
const ANY: &str = "any";

impl PdAction for PdTransferLeader {
    fn definition(&self) -> ActionDefinition {
        let mut to = a_text(TO, "The member that should lead, or `any` that can", 128, ParamSource::Policy);
        to.default = Some(Value::from(ANY));
        ActionDefinition {
            name: "pd_transfer_leader".to_owned(),
            description: "Have another member of PD lead instead of this one".to_owned(),
            params: vec![to],
            targets: vec![a_member()],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: vec![
                Remedy::cures(FaultClass::ComponentSlow),
                Remedy::cures(FaultClass::ClockSkew),
                Remedy::cures(FaultClass::CapacityExhaustion),
            ],
            expected_effect: "another member leads; timestamps are not given out for a moment".to_owned(),
            settle_time: SETTLE,
            limits: Some(STORE_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (from, to) = (aim.name(), aim.text(TO)?);
        let members = control_plane::steers(live)?;
        quorum::is_safe(live)?;
        member::leads(members, from)?;
        member::can_be_spared(live, from)?;
        let to = if to == ANY { member::next_leader(live, members)? } else { to.to_owned() };
        member::may_lead(live, members, &to)?;
        let name = MemberName::new(&to).ok_or_else(|| Refusal::no(format!("{to:?} cannot be named in a request")))?;
        let facts =
            facts([("cluster_id", members.cluster_id.into()), ("leader", from.into()), ("to", to.as_str().into())]);
        Ok(Planned::new(Write::MovePdLeader { to: name }, facts))
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let (from, to) = (aim.name(), aim.text(TO)?);
        let Some(leader) = &known(&live.members)?.leader else {
            return Ok(Effect::UnderWay { progress: None });
        };
        match (leader.as_str(), to) {
            (leader, ANY) if leader != from => happened(format!("{leader} leads PD")),
            (leader, to) if leader == to => happened(format!("{leader} leads PD")),
            _ => Ok(Effect::Absent),
        }
    }

    fn patience(&self) -> Patience {
        Patience::seconds(1, 30)
    }
}
