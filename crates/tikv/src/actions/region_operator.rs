//! What actions on one region share: PD turns each into an operator of that region, of which it keeps a record for ten
//! minutes after it ended.

use operator_protocols::Effect;

use super::live::{Live, Part, Region};
use super::pd_action::{Patience, happened};
use super::rules::{control_plane, quorum, region};
use super::verdict::{Facts, Refusal, Verdict, facts, known};

/// PD gives the transfer of a leader a minute.
pub(super) const FOR_A_LEADER: Patience = Patience::seconds(1, 75);
/// PD gives the move of a peer ten minutes, or six seconds for each MiB.
pub(super) const FOR_A_PEER: Patience = Patience::seconds(5, 1_800);

/// What every such action reads.
pub(super) fn reads(region: u64) -> Vec<Part> {
    vec![Part::Region(region), Part::Replication, Part::Operators]
}

/// What must hold for each: PD steers, no majority is at risk, the region is there, and nothing is done with it.
pub(super) fn target(live: &Live, id: u64) -> Verdict<(u64, &Region)> {
    let members = control_plane::steers(live)?;
    quorum::is_safe(live)?;
    let found = region::exists(live, id)?;
    region::is_free(live, id)?;
    region::leaves_room(live)?;
    Ok((members.cluster_id, found))
}

/// What must not have changed of a region.
pub(super) fn region_facts(cluster: u64, region: &Region) -> Facts {
    facts([
        ("cluster_id", cluster.into()),
        ("conf_ver", region.conf_ver.into()),
        ("version", region.version.into()),
        ("leader_store", region.leader.into()),
    ])
}

/// Whether it happened, by the region itself; else what PD says of the operator.
pub(super) fn effect(
    live: &Live,
    id: u64,
    desc: &str,
    done: impl FnOnce(&Region) -> Verdict<bool>,
    summary: impl Into<String>,
) -> Verdict<Effect> {
    control_plane::has_one_leader(live)?;
    let found =
        region::exists(live, id).map_err(|refusal| Refusal::unknown(format!("region {id}"), refusal.to_string()))?;
    if done(found)? {
        return happened(summary);
    }
    running(live, id, desc)
}

/// Whether PD still works on it.
pub(super) fn running(live: &Live, id: u64, desc: &str) -> Verdict<Effect> {
    let read = live.operator_of.get(&id).ok_or_else(|| Refusal::unknown("the operator", "it was not asked for"))?;
    Ok(match known(read)? {
        Some(operator) if operator.status == "RUNNING" && operator.desc.contains(desc) => {
            Effect::UnderWay { progress: None }
        }
        _ => Effect::Absent,
    })
}
