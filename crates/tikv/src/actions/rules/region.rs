//! A region is whole, and nothing is done with it already.

use crate::actions::live::{Live, Region, Role};
use crate::actions::rules::{quorum, store};
use crate::actions::verdict::{Refusal, Verdict, known};

/// So many moves that people or this operator asked for may be under way at a time.
const MAX_ADMIN_OPERATORS: usize = 4;

/// The region, if there is one.
pub(crate) fn exists(live: &Live, id: u64) -> Verdict<&Region> {
    let read = live.regions.get(&id).ok_or_else(|| Refusal::unknown(format!("region {id}"), "it was not asked for"))?;
    known(read)?.as_ref().ok_or_else(|| Refusal::no(format!("there is no region {id}")))
}

/// It has a leader, and the leader's store.
pub(crate) fn has_leader(region: &Region) -> Verdict<u64> {
    region.leader.ok_or_else(|| Refusal::no(format!("region {} has no leader", region.id)))
}

/// PD has it do nothing, so that nothing is crossed.
pub(crate) fn is_free(live: &Live, region: u64) -> Verdict {
    let read = live
        .operator_of
        .get(&region)
        .ok_or_else(|| Refusal::unknown(format!("what PD does with region {region}"), "it was not asked for"))?;
    match known(read)? {
        Some(operator) if operator.status == "RUNNING" => {
            Err(Refusal::no(format!("PD has region {region} do {} already", operator.desc)))
        }
        _ => Ok(()),
    }
}

/// Every replica answers and is up to date, none is about to change, and every store of them answers.
pub(crate) fn is_whole(live: &Live, region: &Region) -> Verdict {
    has_leader(region)?;
    if !region.down.is_empty() {
        return Err(Refusal::no(format!(
            "region {} has a peer that does not answer, on store {}",
            region.id,
            quorum::list(&region.down)
        )));
    }
    if !region.pending.is_empty() {
        return Err(Refusal::no(format!(
            "region {} has a peer that waits for its log, on store {}",
            region.id,
            quorum::list(&region.pending)
        )));
    }
    if region.peers.iter().any(|peer| peer.role == Role::Changing) {
        return Err(Refusal::no(format!("the peers of region {} are changing", region.id)));
    }
    for peer in &region.peers {
        store::answers(live, store::exists(live, peer.store)?)?;
    }
    let voters = region.peers.iter().filter(|peer| peer.role == Role::Voter).count();
    let wanted = known(&live.replication)?.replicas() as usize;
    if voters < wanted {
        return Err(Refusal::no(format!("region {} has {voters} of {wanted} replicas", region.id)));
    }
    Ok(())
}

/// Not many moves were asked for already.
pub(crate) fn leaves_room(live: &Live) -> Verdict {
    let asked = known(&live.operators)?.iter().filter(|operator| operator.desc.starts_with("admin-")).count();
    if asked >= MAX_ADMIN_OPERATORS {
        return Err(Refusal::no(format!(
            "{asked} moves that were asked for are under way; {MAX_ADMIN_OPERATORS} may be"
        )));
    }
    Ok(())
}

/// It is not hot: what moves or scatters a hot region moves the heat.
pub(crate) fn is_not_hot(live: &Live, region: u64) -> Verdict {
    if known(&live.hot)?.contains_key(&region) {
        return Err(Refusal::no(format!("region {region} is hot")));
    }
    Ok(())
}
