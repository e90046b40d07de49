//! `region_unavailable`: regions have no leader, so what they hold can be neither read nor written.
//!
//! Two witnesses: stores count their replicas that miss a leader, and of regions that PD calls abnormal some are looked at.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step};
use super::invariant::Invariant;
use crate::names;

const NAME: &str = "region_unavailable";

/// Regions that go along with a finding.
const SAMPLES: usize = 5;

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "Every region has a leader", judge).critical().at("all regions").unit("regions").grace(120);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, names::all_regions(case.subject), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    let cluster = &case.details.cluster;
    let without: &[u64] = if cluster.answers { &cluster.without_quorum } else { &[] };
    let mut missing = 0.0;
    let mut unread = None;
    let mut witnesses = 0;
    let mut missing_at = Vec::new();
    for &id in case.stores.keys().filter(|id| !case.lost(**id)) {
        match case.metric("leader_missing", id) {
            Ok(count) => {
                witnesses += 1;
                if count > 0.0 {
                    missing += count;
                    missing_at.push(case.store(id));
                }
            }
            Err(verdict) => unread = Some(verdict),
        }
    }
    if without.is_empty() && missing <= 0.0 {
        return match unread {
            Some(verdict) => Err(verdict),
            None if witnesses == 0 => Err(Verdict::Suppressed("no store answers".to_owned())),
            None => Ok(Verdict::Ok),
        };
    }
    let mut signs = Vec::new();
    if !without.is_empty() {
        let of = cluster.looked_at.map_or_else(String::new, |looked_at| format!(" of {looked_at} that were looked at"));
        signs.push(format!("{} regions{of} have lost most of their replicas", without.len()));
    }
    if missing > 0.0 {
        signs.push(format!("stores count {missing:.0} replicas that miss a leader"));
    }
    let lost = case.lost_stores().into_iter().map(|id| case.store(id));
    let regions = without.iter().take(SAMPLES).map(|id| names::region_locus(case.subject, *id));
    Ok(Verdict::Violated(Finding {
        involves: lost.chain(missing_at).take(20).chain(regions).collect(),
        ..Finding::new(signs.join("; "), missing.max(without.len() as f64), 0.0)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_regions, store};
    use super::*;

    #[test]
    fn either_witness_is_enough() {
        let mut scene = Scene::healthy();
        assert_eq!(scene.judge().verdict(NAME, &all_regions()), &Verdict::Ok);
        scene.metric("leader_missing", 3, 7.0);
        assert_eq!(scene.judge().finding(NAME, &all_regions()).involves, [store(3)]);
        let mut scene = Scene::healthy();
        scene.details.cluster.without_quorum = vec![17, 19];
        scene.details.cluster.looked_at = Some(40);
        let judged = scene.judge();
        assert!(judged.finding(NAME, &all_regions()).message.contains("2 regions of 40 that were looked at"));
    }

    #[test]
    fn what_is_well_as_far_as_was_looked_is_not_well() {
        let mut scene = Scene::healthy();
        scene.no_metric("leader_missing", 3);
        assert!(matches!(scene.judge().verdict(NAME, &all_regions()), Verdict::Unknown(_)));
        scene.unanswered("leader_missing", "timed out");
        assert!(scene.judge().suppressed(NAME, &all_regions()).contains("timed out"));
    }
}
