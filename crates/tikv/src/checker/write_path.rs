//! Where a write spends its time: the stages of the write path tell a slow disk from a slow follower, a busy thread and a
//! write conflict, although all of them look alike from outside.

use std::collections::BTreeMap;

use operator_protocols::{History, Locus, Observation, Timestamp};

use super::case::{Case, Earlier, time};
use crate::details::Details;
use crate::thresholds::{Limit, Thresholds};

/// Suspects that go along with a finding.
const SAMPLES: usize = 5;
/// Waits between stores that are told at once.
const LINKS: usize = 100;

/// Whether a store is slow to append to its own log.
pub(super) fn appends_slowly(case: &Case<'_>, id: u64) -> bool {
    case.metric("append_log_p99", id).is_ok_and(|append| append > case.limit(Limit::AppendLogHint))
}

/// Whether a store is slow to commit although it appends quickly: it waits for others.
pub(super) fn waits_for_followers(case: &Case<'_>, id: u64) -> bool {
    let commits_slowly = case.metric("commit_log_p99", id).is_ok_and(|commit| commit > case.limit(Limit::CommitLog));
    commits_slowly && !appends_slowly(case, id)
}

/// The stores that others wait for: those that append slowly, or that two others reach slowly.
pub(super) fn slow_followers(case: &Case<'_>) -> Vec<u64> {
    let score = case.limit(Limit::NetworkScore);
    let mut blamed: BTreeMap<u64, u32> = BTreeMap::new();
    for (from, store) in &case.stores {
        for (to, _) in store.network_slow_score.iter().filter(|(to, told)| *to != from && **told as f64 >= score) {
            *blamed.entry(*to).or_default() += 1;
        }
    }
    let slow = |id: &u64| appends_slowly(case, *id) || blamed.get(id).is_some_and(|by| *by >= 2);
    case.stores.keys().copied().filter(|id| !case.lost(*id) && slow(id)).collect()
}

/// The followers that a store waits for, as loci: the stores, and the links to them that are slow.
pub(super) fn suspects(case: &Case<'_>, id: u64) -> Vec<Locus> {
    let others = case.slow_followers().iter().filter(|other| **other != id);
    let mut suspects: Vec<Locus> = others.take(SAMPLES).map(|other| case.store(*other)).collect();
    if suspects.is_empty()
        && let Some(store) = case.stores.get(&id)
    {
        let score = case.limit(Limit::NetworkScore);
        let slow = store.network_slow_score.iter().filter(|(_, told)| **told as f64 >= score);
        suspects.extend(slow.take(SAMPLES).map(|(other, _)| case.between(id, *other)));
    }
    suspects
}

/// Who waits for whom to commit, as (leader, follower): where this is known, it is a dependency of one store on another
/// that is worth telling.
pub(crate) fn waits(details: &Details, thresholds: &Thresholds, now: Timestamp) -> Vec<(u64, u64)> {
    let (past, now) = (History::new(), Observation::new(now));
    let case = Case::of("", thresholds, 1.0, &past, &now, details.clone(), Earlier::default());
    let followers = case.slow_followers().iter().take(SAMPLES);
    let waiting = || case.stores.keys().copied().filter(|id| !case.lost(*id) && waits_for_followers(&case, *id));
    followers
        .flat_map(|follower| waiting().filter(move |id| id != follower).map(move |id| (id, *follower)))
        .take(LINKS)
        .collect()
}

/// The stage of which a store's writes spend most, in words; nothing, if none is unusual.
pub(super) fn slowest_stage(case: &Case<'_>, id: u64) -> Option<String> {
    let stages = [
        ("latch_wait_p99", Limit::ProposeWait, "waiting for latches, which keys that many write do"),
        ("append_log_p99", Limit::AppendLogHint, "appending to the log, which a slow disk does"),
        ("propose_wait_p99", Limit::ProposeWait, "waiting to be proposed, which busy raftstore threads do"),
        ("apply_wait_p99", Limit::ApplyWait, "waiting to be applied"),
        ("write_stall_p99", Limit::ApplyWait, "held back by the storage engine"),
        ("commit_log_p99", Limit::CommitLog, "waiting for other replicas, which a slow follower or link does"),
        ("coprocessor_wait_p999", Limit::CoprocessorWait, "waiting for the read pool"),
    ];
    let over = stages.iter().filter_map(|(query, limit, words)| {
        let value = case.metric(query, id).ok()?;
        // The log is committed no faster than it is appended: the earlier stage is the cause.
        let follows = *query == "commit_log_p99" && appends_slowly(case, id);
        (value > case.limit(*limit) && !follows).then_some((value / case.limit(*limit), value, *words))
    });
    let (_, value, words) = over.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(format!("up to {} is spent {words}", time(value)))
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::*;

    #[test]
    fn a_leader_that_commits_slowly_waits_for_the_store_that_appends_slowly() {
        let mut scene = Scene::healthy();
        let waits = |scene: &Scene| waits(&scene.details, &Thresholds::default(), scene.at);
        scene.metric("append_log_p99", 3, 0.8);
        scene.metric("commit_log_p99", 3, 1.2);
        assert_eq!(waits(&scene), [], "it waits for its own disk");
        scene.metric("commit_log_p99", 1, 0.9);
        assert_eq!(waits(&scene), [(1, 3)]);
        scene.kill(3, 60.0);
        assert_eq!(waits(&scene), [], "a store that is dead is not waited for");
    }
}
