//! `commit_log_slow`: it takes long until other replicas have what a store proposed.
//!
//! Most often that is not the store's fault but a follower's. Where a follower is known to be slow, the leaders that wait for
//! it are folded into one finding that names it.

use operator_protocols::{Evaluation, Locus, Verdict};

use super::case::{Case, time};
use super::fold::{fold, folded};
use super::invariant::Invariant;
use super::measured::above;
use super::{slow_store_disk, write_path};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "commit_log_slow";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "99 % of what a store proposes is soon on most of its replicas", judge)
        .limit(Limit::CommitLog)
        .traffic()
        .grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        case.busy(id)?;
        let commit = case.metric("commit_log_p99", id)?;
        if commit > case.limit(Limit::CommitLog) && slow_store_disk::violated(case, id) {
            return Err(Verdict::Suppressed("its disk is slow, which slow_store_disk tells".to_owned()));
        }
        let verdict = above(commit, case.limit(Limit::CommitLog), || {
            let name = names::store(id);
            let why = if write_path::appends_slowly(case, id) {
                format!("{name} itself is slow to append to its log")
            } else {
                "other replicas, or the network to them, are slow".to_owned()
            };
            format!("{name} takes {} to commit; {why}", time(commit))
        });
        Ok(match verdict {
            Verdict::Violated(mut finding) => {
                finding.involves = write_path::suspects(case, id);
                Verdict::Violated(finding)
            }
            verdict => verdict,
        })
    });
    let shared: Vec<Locus> = case.slow_followers().iter().take(20).map(|id| case.store(*id)).collect();
    let waiting = evaluations.iter().filter(|one| matches!(one.verdict, Verdict::Violated(_))).count();
    if shared.is_empty() || waiting < 2 {
        folded(case, NAME, evaluations)
    } else {
        fold(case, NAME, evaluations, true, shared)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_stores, edge, store};
    use super::*;

    #[test]
    fn leaders_that_wait_for_one_slow_follower_are_one_finding_that_names_it() {
        let mut scene = Scene::healthy();
        scene.metric("append_log_p99", 3, 1.8);
        for id in [1, 2] {
            scene.metric("commit_log_p99", id, 0.9);
        }
        scene.metric("commit_log_p99", 3, 2.0);
        let judged = scene.judge();
        assert_eq!(judged.finding(NAME, &all_stores()).involves.first(), Some(&store(3)));
        assert_eq!(judged.suppressed(NAME, &store(1)), "folded");
        assert_eq!(judged.suppressed(NAME, &store(3)), "its disk is slow, which slow_store_disk tells");
        assert!(judged.is_violated("slow_store_disk", &store(3)));
    }

    #[test]
    fn a_slow_link_is_named_where_no_follower_is_slow() {
        let mut scene = Scene::healthy();
        scene.metric("commit_log_p99", 1, 0.5);
        scene.store(1).network_slow_score.insert(2, 100);
        let judged = scene.judge();
        assert_eq!(judged.finding(NAME, &store(1)).involves, [edge(1, 2)]);
    }
}
