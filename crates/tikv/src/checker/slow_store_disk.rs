//! `slow_store_disk`: a store is slow to write to its disk, by its own score or by how long it takes to append to the log.
//!
//! The score falls only after minutes without a slow write, long after the disk has recovered. Either number suffices to
//! judge.

use std::time::Duration;

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, time};
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "slow_store_disk";

/// A score falls to 1 after five minutes without a slow write (TiKV, components/health_controller).
const RECOVERY: Duration = Duration::from_secs(300);

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "A store writes to its disk in time", judge)
    .critical()
    .limit(Limit::SlowScore)
    .grace(30)
    .needs(&[Source::Metrics, Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    folded(case, NAME, case.each_living_store(NAME, |id, _| verdict(case, id)))
}

/// Whether it is violated at a store.
pub(super) fn violated(case: &Case<'_>, id: u64) -> bool {
    matches!(verdict(case, id), Ok(Verdict::Violated(_)))
}

fn verdict(case: &Case<'_>, id: u64) -> Step {
    let told = case.stores.get(&id).and_then(|store| store.slow_score).map(|score| score as f64);
    let told = told.filter(|_| case.details.cluster.answers);
    let score = told.or_else(|| case.metric("slow_score", id).ok());
    let append = case.metric("append_log_p99", id);
    let (slow_score, slow_append) = (case.limit(Limit::SlowScore), case.limit(Limit::AppendLog));
    let evicted = match case.details.cluster.slow_store_evicted {
        Some(evicted) if evicted == id => "; PD evicts its leaders already",
        _ => "",
    };
    let name = names::store(id);
    match (score, &append) {
        (_, Ok(append)) if *append > slow_append => Ok(Verdict::Violated(Finding {
            persists: Some(RECOVERY),
            ..Finding::new(
                format!("{name} takes {} to append to its log{evicted}", time(*append)),
                // Held against the score's threshold, so that both numbers mean the same: 100 is the worst.
                (slow_score * append / slow_append).min(100.0).max(slow_score),
                slow_score,
            )
        })),
        (Some(score), _) if score >= slow_score => Ok(Verdict::Violated(Finding {
            persists: Some(RECOVERY),
            ..Finding::new(
                format!("{name} calls itself slow: {score:.0} of 100 where 1 is well{evicted}"),
                score,
                slow_score,
            )
        })),
        (Some(_), _) | (None, Ok(_)) => Ok(Verdict::Ok),
        (None, Err(verdict)) => Err(verdict.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn either_number_shows_a_slow_disk_and_it_outlives_its_cure() {
        for (score, append, violated) in [(1, 0.004, false), (79, 0.9, false), (80, 0.004, true), (1, 1.5, true)] {
            let mut scene = Scene::healthy();
            scene.store(2).slow_score = Some(score);
            scene.metric("append_log_p99", 2, append);
            let judged = scene.judge();
            assert_eq!(judged.is_violated(NAME, &store(2)), violated, "{score} {append}");
            if violated {
                assert_eq!(judged.finding(NAME, &store(2)).persists, Some(RECOVERY));
            }
        }
    }

    #[test]
    fn one_number_suffices_and_without_both_nothing_is_said() {
        let mut scene = Scene::healthy();
        scene.no_metric("append_log_p99", 2);
        assert_eq!(scene.judge().verdict(NAME, &store(2)), &Verdict::Ok);
        scene.store(2).slow_score = None;
        scene.no_metric("slow_score", 2);
        assert!(matches!(scene.judge().verdict(NAME, &store(2)), Verdict::Unknown(_)));
    }

    #[test]
    fn a_store_that_pd_evicts_already_is_still_told_with_that() {
        let mut scene = Scene::healthy();
        scene.store(2).slow_score = Some(100);
        scene.details.cluster.slow_store_evicted = Some(2);
        assert!(scene.judge().finding(NAME, &store(2)).message.ends_with("PD evicts its leaders already"));
    }
}
