//! Replicas stay where the rules want them, and as far apart as they are.

use crate::actions::live::{Live, Region, Replication};
use crate::actions::verdict::{Refusal, Verdict, known};
use crate::details::StoreDetail;

/// Moving a replica of `region` from one store to another breaks no rule and brings no two replicas closer.
pub(crate) fn is_kept(live: &Live, region: &Region, from: &StoreDetail, to: &StoreDetail) -> Verdict {
    let replication = known(&live.replication)?;
    if replication.rules.is_empty() {
        return Err(Refusal::unknown("the placement rules", "PD tells none"));
    }
    for rule in &replication.rules {
        if Replication::admits(rule, from) && !Replication::admits(rule, to) {
            return Err(Refusal::no(format!("the rule {} keeps replicas off store {}", rule.name, to.id)));
        }
    }
    let stores = known(&live.stores)?;
    let mut before = Vec::new();
    for peer in &region.peers {
        before.push(stores.get(&peer.store).ok_or_else(|| Refusal::no(format!("PD knows no store {}", peer.store)))?);
    }
    let after: Vec<&StoreDetail> =
        before.iter().copied().filter(|store| store.id != from.id).chain(std::iter::once(to)).collect();
    for label in &replication.location_labels {
        if !to.labels.contains_key(label) {
            return Err(Refusal::no(format!("store {} has no label {label}: it is nowhere", to.id)));
        }
        let (was, would) =
            (Replication::places(label, before.iter().copied()), Replication::places(label, after.iter().copied()));
        if would < was {
            return Err(Refusal::no(format!(
                "the replicas of region {} would be in {would} places by {label}, and are in {was}",
                region.id
            )));
        }
    }
    Ok(())
}
