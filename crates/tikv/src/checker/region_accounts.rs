//! `region_accounts`: a store holds fewer regions than PD has on its books for it: it may have started on an empty disk, or
//! lost what it had.

use operator_protocols::{Discrepancy, DiscrepancyKind, Evaluation, Finding, Verdict};

use super::case::Case;
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::details::StoreState;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "region_accounts";

/// Regions that are on their way make as much of a difference at any time.
const ON_THEIR_WAY: f64 = 20.0;

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store holds the regions that PD has on its books for it", judge)
        .limit(Limit::AccountsDiffer)
        .grace(300)
        .needs(&[Source::Metrics, Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let missing = |id: u64| -> Option<(f64, f64)> {
        let claimed = case.stores.get(&id)?.region_count as f64;
        let held = case.metric("raft_regions", id).ok()?;
        let missing = claimed - held;
        let much = missing > ON_THEIR_WAY && missing > case.limit(Limit::AccountsDiffer) * claimed;
        Some((if much { missing } else { 0.0 }, claimed))
    };
    let evaluations = case.each_living_store(NAME, |id, store| {
        case.regions_are_known()?;
        if store.state == StoreState::Offline {
            return Err(Verdict::Suppressed("it is being removed".to_owned()));
        }
        let held = case.metric("raft_regions", id)?;
        let Some((missing, claimed)) = missing(id).filter(|(missing, _)| *missing > 0.0) else {
            return Ok(Verdict::Ok);
        };
        let message =
            format!("PD has {claimed:.0} regions on its books for {}, which holds {held:.0}", names::store(id));
        Ok(Verdict::Violated(Finding {
            discrepancies: vec![Discrepancy {
                what: names::all_regions(case.subject),
                claimed_by: Some(case.leader()),
                held_by: case.store(id),
                kind: DiscrepancyKind::Missing,
                amount: missing,
                of: claimed,
                // PD is the only one that keeps such books.
                agree: 0,
                peers: 1,
            }],
            ..Finding::new(message, missing / claimed, case.limit(Limit::AccountsDiffer))
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, member, store};
    use super::*;

    #[test]
    fn a_store_that_holds_much_less_than_pd_believes_is_missing_it() {
        let mut scene = Scene::healthy();
        scene.metric("raft_regions", 2, 165.0);
        assert_eq!(scene.judge().violated(), [], "regions are always on their way");
        scene.metric("raft_regions", 2, 0.0);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-2".to_owned())]);
        let discrepancy = &judged.finding(NAME, &store(2)).discrepancies[0];
        assert_eq!((discrepancy.amount, discrepancy.of, discrepancy.agree, discrepancy.peers), (180.0, 180.0, 0, 1));
        assert_eq!((&discrepancy.claimed_by, &discrepancy.held_by), (&Some(member("pd-0")), &store(2)));
    }

    #[test]
    fn books_of_a_new_leader_of_pd_say_nothing() {
        let mut scene = Scene::healthy();
        scene.metric("raft_regions", 2, 0.0);
        scene.details.cluster.initialized = Some(false);
        assert!(matches!(scene.judge().verdict(NAME, &store(2)), Verdict::Suppressed(_)));
    }
}
