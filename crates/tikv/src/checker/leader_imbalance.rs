//! `leader_imbalance`: one store leads many more regions than another, although nothing says that it should.
//!
//! A store whose leaders are evicted, that is being removed, that has just started or does not answer is left out.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step};
use super::invariant::{Invariant, Source};
use crate::details::{NodeState, StoreState};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "leader_imbalance";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "Stores lead about as many regions, by weight", judge)
    .info()
    .at("all stores")
    .limit(Limit::LeaderRatio)
    .grace(900)
    .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, case.all_stores(), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    case.regions_are_known()?;
    let scores = case.stores.iter().filter(|(id, store)| {
        let settled = store.state == StoreState::Up && store.node_state != NodeState::Preparing;
        let usual = case.drained(**id).is_none() && !case.lost(**id) && case.warm(**id).is_ok();
        settled && usual && store.leader_weight.is_finite() && store.leader_weight > 0.0
    });
    let mut scores: Vec<(f64, u64)> =
        scores.map(|(id, store)| (store.leader_count as f64 / store.leader_weight, *id)).collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(&(least, fewest)), Some(&(most, busiest)), true) = (scores.first(), scores.last(), scores.len() >= 2)
    else {
        return Err(Verdict::Suppressed("there are no two stores to compare".to_owned()));
    };
    let ratio = most / least.max(1.0);
    if ratio <= case.limit(Limit::LeaderRatio) || most - least <= case.limit(Limit::LeaderDifference) {
        return Ok(Verdict::Ok);
    }
    let message = format!(
        "{} leads {most:.0} regions, {} leads {least:.0}, and nothing evicts leaders from it",
        names::store(busiest),
        names::store(fewest)
    );
    Ok(Verdict::Violated(Finding {
        involves: vec![case.store(fewest), case.store(busiest)],
        ..Finding::new(message, ratio, case.limit(Limit::LeaderRatio))
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_stores, store};
    use super::*;
    use crate::details::DrainDetail;

    fn scene(leaders: [u64; 5]) -> Scene {
        let mut scene = Scene::healthy();
        for (id, count) in (1..).zip(leaders) {
            scene.store(id).leader_count = count;
        }
        scene
    }

    #[test]
    fn both_the_ratio_and_the_difference_must_be_large() {
        for (leaders, violated) in [
            ([60, 60, 60, 60, 60], false),
            ([78, 60, 60, 60, 60], false),
            ([81, 60, 60, 60, 60], true),
            ([9, 1, 5, 5, 5], false),
        ] {
            assert_eq!(scene(leaders).judge().is_violated(NAME, &all_stores()), violated, "{leaders:?}");
        }
        assert_eq!(
            scene([81, 0, 60, 60, 60]).judge().finding(NAME, &all_stores()).involves,
            [store(2), store(1)],
            "the store with fewest comes first"
        );
    }

    #[test]
    fn a_store_that_should_have_no_leaders_is_left_out() {
        let mut drained = scene([100, 0, 100, 100, 100]);
        drained.drains().insert(2, DrainDetail::default());
        assert_eq!(drained.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        let mut evicted = scene([100, 0, 100, 100, 100]);
        evicted.details.cluster.slow_store_evicted = Some(2);
        assert_eq!(evicted.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        let mut removed = scene([100, 0, 100, 100, 100]);
        removed.store(2).state = StoreState::Offline;
        assert_eq!(removed.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        let mut started = scene([100, 0, 100, 100, 100]);
        started.started(2, 60);
        assert_eq!(started.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        let mut dead = scene([100, 0, 100, 100, 100]);
        dead.kill(2, 60.0);
        assert_eq!(dead.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
    }

    #[test]
    fn leaders_are_counted_by_weight_and_not_while_pds_leader_is_new() {
        let mut scene = scene([120, 60, 60, 60, 60]);
        scene.store(1).leader_weight = 2.0;
        assert_eq!(scene.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        scene.store(1).leader_weight = 1.0;
        scene.details.cluster.initialized = Some(false);
        assert!(matches!(scene.judge().verdict(NAME, &all_stores()), Verdict::Suppressed(_)));
    }
}
