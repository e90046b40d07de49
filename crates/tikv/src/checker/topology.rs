//! `topology`, `version_skew`, `store_labels`: how the cluster is laid out: whether a lost store can be replaced, whether
//! all stores run one version, and whether each says where it stands.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Discrepancy, DiscrepancyKind, Finding, Locus, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use crate::details::{StoreDetail, StoreState};
use crate::names;

/// Stores that go along with a finding.
const SAMPLES: usize = 5;

pub(super) const TOPOLOGY: Invariant = Invariant::new(
    "topology",
    "There is a store more than a region has replicas, and an odd number of members of PD",
    |case| case.one("topology", case.all_stores(), topology(case)),
)
.info()
.at("all stores")
.unit("stores")
.needs(&[Source::Leader]);

pub(super) const VERSION_SKEW: Invariant =
    Invariant::new("version_skew", "All stores run one version, but for the time of an upgrade", |case| {
        case.one("version_skew", case.all_stores(), versions(case))
    })
    .info()
    .at("all stores")
    .unit("versions")
    .grace(86_400)
    .needs(&[Source::Leader]);

pub(super) const STORE_LABELS: Invariant =
    Invariant::new("store_labels", "Every store has the labels by which replicas are kept apart", |case| {
        case.each_store("store_labels", |id, store| labels(case, id, store))
    })
    .at("store")
    .unit("labels")
    .needs(&[Source::Leader]);

fn members<'c>(case: &'c Case<'_>) -> Vec<(u64, &'c StoreDetail)> {
    let up = case.stores.iter().filter(|(_, store)| store.state == StoreState::Up);
    up.map(|(id, store)| (*id, store)).collect()
}

fn topology(case: &Case<'_>) -> Step {
    case.pd()?;
    let stores = members(case).len();
    let Some(replicas) = case.details.cluster.replicas else { return Err(untold("the number of replicas", "PD")) };
    if stores == 0 {
        return Err(Verdict::Suppressed("there is no store".to_owned()));
    }
    let wanted = replicas as usize + 1;
    let even = case.details.members.len().is_multiple_of(2) && !case.details.members.is_empty();
    let mut signs = Vec::new();
    if stores < wanted {
        signs.push(format!("{stores} stores hold {replicas} replicas of each region: a lost store cannot be replaced"));
    }
    if even {
        let members = case.details.members.len();
        signs.push(format!("{members} members of PD can lose no more of them than {} could", members - 1));
    }
    if signs.is_empty() {
        return Ok(Verdict::Ok);
    }
    Ok(Verdict::Violated(Finding::new(signs.join("; "), stores as f64, wanted as f64)))
}

fn versions(case: &Case<'_>) -> Step {
    case.pd()?;
    let mut versions: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (id, store) in members(case) {
        if store.version.is_empty() {
            return Err(untold("the version", &names::store(id)));
        }
        versions.entry(&store.version).or_default().push(id);
    }
    if versions.is_empty() {
        return Err(Verdict::Suppressed("there is no store".to_owned()));
    }
    if versions.len() == 1 {
        return Ok(Verdict::Ok);
    }
    let peers: usize = versions.values().map(Vec::len).sum();
    let usual = versions.values().map(Vec::len).max().unwrap_or(0);
    let words: Vec<String> =
        versions.iter().take(SAMPLES).map(|(version, ids)| format!("{} run {version}", ids.len())).collect();
    let others = versions.values().filter(|ids| ids.len() < usual).flatten().take(SAMPLES);
    let discrepancies = others.map(|id| differs(case, *id, "version", usual, peers)).collect();
    Ok(Verdict::Violated(Finding {
        discrepancies,
        ..Finding::new(format!("of {peers} stores {}", words.join(", ")), versions.len() as f64, 1.0)
    }))
}

fn labels(case: &Case<'_>, id: u64, store: &StoreDetail) -> Step {
    case.pd()?;
    if store.state != StoreState::Up {
        return Err(Verdict::Suppressed("it is being removed".to_owned()));
    }
    let wanted = &case.details.cluster.location_labels;
    if wanted.is_empty() {
        if case.details.cluster.settings.is_empty() {
            return Err(untold("the labels by which replicas are kept apart", "PD's leader"));
        }
        return Ok(Verdict::Ok);
    }
    let missing: BTreeSet<&String> = wanted.iter().filter(|label| !store.labels.contains_key(*label)).collect();
    if missing.is_empty() {
        return Ok(Verdict::Ok);
    }
    let stores = members(case);
    let complete = stores.iter().filter(|(_, store)| wanted.iter().all(|label| store.labels.contains_key(label)));
    let agree = complete.count();
    let words: Vec<&str> = missing.iter().map(|label| label.as_str()).collect();
    let message = format!(
        "{} has no label {}: PD cannot keep replicas apart by it, and may find no place for them",
        names::store(id),
        words.join(", ")
    );
    Ok(Verdict::Violated(Finding {
        discrepancies: missing.iter().map(|label| differs(case, id, label, agree, stores.len())).collect(),
        ..Finding::new(message, missing.len() as f64, 0.0)
    }))
}

fn differs(case: &Case<'_>, id: u64, what: &str, agree: usize, peers: usize) -> Discrepancy {
    Discrepancy {
        what: Locus::entity(case.subject, names::SETTING, what),
        claimed_by: Some(case.store(id)),
        held_by: case.all_stores(),
        kind: DiscrepancyKind::Differs,
        amount: 1.0,
        of: 1.0,
        agree: u32::try_from(agree).unwrap_or(u32::MAX),
        peers: u32::try_from(peers).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_stores, store};
    use super::*;

    #[test]
    fn a_store_more_than_replicas_is_enough() {
        assert_eq!(Scene::healthy().judge().verdict("topology", &all_stores()), &Verdict::Ok);
        let mut three = Scene::three_stores();
        assert!(three.judge().finding("topology", &all_stores()).message.contains("cannot be replaced"));
        let mut even = Scene::healthy();
        even.details.members.remove("pd-2");
        assert!(even.judge().finding("topology", &all_stores()).message.contains("2 members of PD"));
        even.details.cluster.replicas = None;
        assert!(matches!(even.judge().verdict("topology", &all_stores()), Verdict::Unknown(_)));
    }

    #[test]
    fn stores_of_another_version_than_most_differ_from_them() {
        let mut scene = Scene::healthy();
        scene.store(4).version = "7.5.0".to_owned();
        let judged = scene.judge();
        let discrepancies = &judged.finding("version_skew", &all_stores()).discrepancies;
        assert_eq!(discrepancies.len(), 1);
        assert_eq!(discrepancies[0].claimed_by, Some(store(4)));
        assert_eq!((discrepancies[0].agree, discrepancies[0].peers), (4, 5));
        scene.store(4).version = String::new();
        assert!(matches!(scene.judge().verdict("version_skew", &all_stores()), Verdict::Unknown(_)));
    }

    #[test]
    fn a_store_without_a_label_that_the_others_have_differs_from_them() {
        let mut scene = Scene::healthy();
        scene.details.cluster.location_labels = vec!["host".to_owned()];
        for id in [1, 2, 3, 5] {
            scene.store(id).labels.insert("host".to_owned(), format!("h{id}"));
        }
        let judged = scene.judge();
        assert_eq!(judged.violated(), [("store_labels", "store-4".to_owned())]);
        let discrepancy = &judged.finding("store_labels", &store(4)).discrepancies[0];
        assert_eq!((discrepancy.kind, discrepancy.agree, discrepancy.peers), (DiscrepancyKind::Differs, 4, 5));
    }
}
