//! `split_region`: a region that is large or hot is cut in two, so that its halves can be led from different stores.

use operator_protocols::{ActionClass, ActionDefinition, Effect, FaultClass, Remedy, Risk};

use super::aim::Aim;
use super::define::{REGION_LIMITS, SETTLE_MOVES, a_word, an_entity};
use super::live::{Live, Part, Region};
use super::pd_action::{Patience, PdAction};
use super::region_operator;
use super::rules::region;
use super::verdict::{Planned, Refusal, Verdict, known};
use super::write::{SplitPolicy, Write};
use crate::names::REGION;

pub(super) struct SplitRegion;

const POLICY: &str = "policy";
/// From this size on TiKV splits a region by itself, in the versions that split earliest (`region-split-size` up to 8.3).
const LARGE_MIB: u64 = 96;

impl PdAction for SplitRegion {
    fn definition(&self) -> ActionDefinition {
        ActionDefinition {
            name: "split_region".to_owned(),
            description: "Cut a large or hot region in two".to_owned(),
            params: vec![a_word(
                POLICY,
                "Whether its data is read to find the middle, or the middle is guessed from its files",
                &SplitPolicy::ALL.map(SplitPolicy::name),
                Some(SplitPolicy::Approximate.name()),
            )],
            targets: vec![an_entity(REGION)],
            risk: Risk::Low,
            class: ActionClass::Query,
            reversible_by: None,
            remedies: vec![Remedy::cures(FaultClass::LoadSurge), Remedy::cures(FaultClass::CapacityExhaustion)],
            expected_effect: "there are two regions, each with its part of the load".to_owned(),
            settle_time: SETTLE_MOVES,
            limits: Some(REGION_LIMITS),
        }
    }

    fn reads(&self, aim: &Aim<'_>) -> Vec<Part> {
        let mut parts = aim.region().map(region_operator::reads).unwrap_or_default();
        parts.push(Part::Hot);
        parts
    }

    fn plan(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Planned> {
        let (id, policy) = (aim.region()?, policy(aim)?);
        let (cluster, found) = region_operator::target(live, id)?;
        region::is_whole(live, found)?;
        is_worth_it(live, found)?;
        Ok(Planned::new(Write::SplitRegion { region: id, policy }, region_operator::region_facts(cluster, found)))
    }

    fn remember(&self, live: &Live, aim: &Aim<'_>) {
        if let Some(found) = aim.region().ok().and_then(|id| region::exists(live, id).ok()) {
            aim.memory.changes_from(&aim.request.intent, found.version);
        }
    }

    fn effect(&self, live: &Live, aim: &Aim<'_>) -> Verdict<Effect> {
        let id = aim.region()?;
        let before = aim.memory.changed_from(&aim.request.intent).ok_or_else(|| {
            Refusal::unknown(
                format!("whether region {id} was split"),
                "what it was before is not known in this process",
            )
        })?;
        let split = format!("region {id} was split");
        region_operator::effect(live, id, "split-region", |region| Ok(region.version > before), split)
    }

    fn patience(&self) -> Patience {
        Patience::seconds(2, 600)
    }
}

fn policy(aim: &Aim<'_>) -> Verdict<SplitPolicy> {
    let name = aim.text(POLICY)?;
    SplitPolicy::named(name).ok_or_else(|| Refusal::no(format!("{name:?} is neither scan nor approximate")))
}

fn is_worth_it(live: &Live, region: &Region) -> Verdict {
    if region.size_mib >= LARGE_MIB || known(&live.hot)?.contains_key(&region.id) {
        return Ok(());
    }
    Err(Refusal::no(format!("region {} is neither hot nor large: it has {} MiB", region.id, region.size_mib)))
}
