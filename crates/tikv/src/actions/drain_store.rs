//! `drain_store`: the leaders of a store go to others, and none come back until the drain is taken back.
//!
//! PD knows neither an owner nor an end of a drain, and keeps it over restarts of everything. Ours has both: `minutes` says
//! how long it is meant to last, and three things take it back. While the operator runs, it undoes its containment when the
//! store is well. When it was killed in between, its journal still holds the containment, and the next start goes on with
//! it. What no journal knows any more is a leftover, found by its age like anybody else's, and proposed to be taken back.

use std::time::Duration;

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, Remedy, RemedyOn, Risk};

use super::aim::Aim;
use super::define::{SETTLE_MOVES, STORE_LIMITS, a_count, a_store};
use super::live::{Live, Part};
use super::memory::OwnDrain;
use super::pd_action::{Patience, PdAction, happened};
use super::rules::{control_plane, maintenance, quorum, store};
use super::undrain_store;
use super::verdict::{Planned, Refusal, Verdict, facts, known};
use super::write::Write;

pub(super) struct DrainStore;

pub(super) const NAME: &str = "drain_store";
const MINUTES: &str = "minutes";
/// Long enough to look at a disk or a link, short enough to be missed.
const DEFAULT_MINUTES: i64 = 30;
/// So many other stores must be able to lead.
const MIN_OTHERS: usize = 2;

impl PdAction for DrainStore {
    fn definition(&self) -> ActionDefinition {
        let contains = Remedy::contains;
        ActionDefinition {
            name: NAME.to_owned(),
            description: "Have other stores lead every region that a store leads, until that is taken back".to_owned(),
            params: vec![a_count(
                MINUTES,
                "How many minutes it is meant to last; after that it is a leftover to be taken back",
                5,
                240,
                Some(DEFAULT_MINUTES),
            )],
            targets: vec![a_store()],
            risk: Risk::Medium,
            class: ActionClass::Query,
            reversible_by: Some(undrain_store::NAME.to_owned()),
            remedies: vec![
                contains(FaultClass::ComponentSlow),
                contains(FaultClass::LinkSlow).on(RemedyOn::EdgeFrom),
                contains(FaultClass::CapacityExhaustion),
            ],
            expected_effect: "the store leads no region, and requests go to the others".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(STORE_LIMITS),
        }
    }

    fn reads(&self, _: &Aim<'_>) -> Vec<Part> {
        vec![Part::Replication]
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (id, minutes) = (aim.store()?, aim.number(MINUTES)?);
        let members = control_plane::steers(live)?;
        let target = store::exists(live, id)?;
        store::belongs(target)?;
        if live.answers(target) == Some(false) {
            return Err(Refusal::no(format!("store {id} does not answer: its leaders are elsewhere already")));
        }
        store::answers(live, target)?;
        not_already(live, id, target.leader_in_paused)?;
        quorum::is_safe(live)?;
        maintenance::is_nobody_elses(live, aim.memory)?;
        maintenance::is_of_one_store(live, id)?;
        if store::has_room(target).is_err() {
            return Err(Refusal::no(format!(
                "store {id} is short of space, or does not say: moving its leaders frees none"
            )));
        }
        let able = able_to_lead(live, id)?;
        if able < MIN_OTHERS {
            return Err(Refusal::no(format!("{able} other stores can lead; {MIN_OTHERS} are needed")));
        }
        let facts = facts([("cluster_id", members.cluster_id.into()), ("minutes", minutes.into())]);
        let planned = Planned::new(Write::Drain { store: id }, facts);
        Ok(planned.of_start(target.started.map(|started| started.to_string())))
    }

    fn remember(&self, live: &Live, aim: &Aim<'_>) {
        let (Ok(id), Ok(minutes)) = (aim.store(), aim.number(MINUTES)) else { return };
        let leaders =
            live.stores.as_ref().ok().and_then(|stores| stores.get(&id)).map_or(0, |store| store.leader_count);
        let drain = OwnDrain {
            intent: aim.request.intent.clone(),
            since: live.at,
            until: live.at.plus(Duration::from_secs(minutes.saturating_mul(60))),
            leaders,
        };
        aim.memory.drains(id, drain);
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let id = aim.store()?;
        control_plane::has_one_leader(live)?;
        if !known(&live.drains)?.contains(&id) {
            return Ok(Effect::Absent);
        }
        let left = store::exists(live, id)?.leader_count;
        if left == 0 {
            return happened(format!("store {id} is drained and leads no region"));
        }
        let progress = aim.memory.drain_of(id).filter(|drain| drain.leaders > 0).map(|drain| {
            let gone = drain.leaders.saturating_sub(left) as f64;
            (gone / drain.leaders as f64).clamp(0.0, 1.0)
        });
        Ok(Effect::UnderWay { progress })
    }

    fn patience(&self) -> Patience {
        Patience::seconds(5, 600)
    }
}

fn not_already(live: &Live, id: u64, paused: bool) -> Verdict {
    if known(&live.drains)?.contains(&id) {
        return Err(Refusal::no(format!("store {id} is drained already")));
    }
    if known(&live.slow_evicted)?.contains(&id) {
        return Err(Refusal::no(format!("PD already evicts the leaders of store {id}, since it is slow")));
    }
    if paused {
        return Err(Refusal::no(format!("PD already keeps leaders away from store {id}")));
    }
    Ok(())
}

/// How many other stores that hold replicas can lead.
fn able_to_lead(live: &Live, id: u64) -> Verdict<usize> {
    let others = known(&live.stores)?.values().filter(|other| other.id != id && other.region_count > 0);
    Ok(others
        .filter(|other| store::is_fit(live, other.id).and_then(|fit| store::takes_leaders(live, fit)).is_ok())
        .count())
}
