//! `high_latency`: the slowest 1 % of a store's requests of one type take too long.
//!
//! Each type has its own limit. The finding says where the time goes, as far as the stages of the write path tell, and names
//! whom the store waits for. Stores that wait for one slow follower are one finding that names it.

use operator_protocols::{Evaluation, Locus, Verdict};

use super::case::{Case, Step, idle, untold};
use super::fold::{fold, folded};
use super::invariant::Invariant;
use super::measured::violated;
use super::wording::time;
use super::{tso_slow, write_path};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "high_latency";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "99 % of a store's requests of each type are answered in time", judge)
        .unit("s")
        .traffic()
        .grace(60);

/// The types of requests that are judged, and their limits. Requests that wait by design (for a lock, for a stream to end)
/// are not.
const TYPES: [(&str, Limit); 10] = [
    ("kv_get", Limit::PointGet),
    ("raw_get", Limit::PointGet),
    ("kv_batch_get", Limit::BatchGet),
    ("kv_prewrite", Limit::Transaction),
    ("kv_commit", Limit::Transaction),
    ("raw_put", Limit::RawPut),
    ("raw_batch_put", Limit::RawPut),
    ("kv_scan", Limit::Scan),
    ("raw_scan", Limit::Scan),
    ("coprocessor", Limit::Coprocessor),
];

/// Those of [`TYPES`] that write.
const WRITES: [&str; 4] = ["kv_prewrite", "kv_commit", "raw_put", "raw_batch_put"];

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| verdict(case, id));
    let slow: Vec<u64> = evaluations
        .iter()
        .filter(|evaluation| matches!(evaluation.verdict, Verdict::Violated(_)))
        .filter_map(|evaluation| names::store_id(evaluation.on.name()))
        .collect();
    let followers = case.slow_followers();
    let wait = slow.iter().filter(|id| write_path::waits_for_followers(case, **id)).count();
    if wait >= 2 && !followers.is_empty() {
        let shared: Vec<Locus> = followers.iter().take(20).map(|id| case.store(*id)).collect();
        return fold(case, NAME, evaluations, true, shared);
    }
    folded(case, NAME, evaluations)
}

fn verdict(case: &Case<'_>, id: u64) -> Step {
    case.answer("request_duration_p99")?;
    case.answer("request_rate")?;
    let (mut told, mut judged, mut worst) = (0, 0, None::<(f64, &str, f64, f64)>);
    let mut untimed = None;
    for (name, limit) in TYPES {
        let Some(rate) = case.metric_by("request_rate", name, id)? else { continue };
        told += 1;
        if rate < case.limit(Limit::Traffic) {
            continue;
        }
        let Some(p99) = case.metric_by("request_duration_p99", name, id)? else {
            untimed = Some(name);
            continue;
        };
        judged += 1;
        let limit = case.limit(limit);
        let excess = p99 / limit.max(f64::MIN_POSITIVE);
        if worst.is_none_or(|(worst, ..)| excess > worst) {
            worst = Some((excess, name, p99, limit));
        }
    }
    let Some((_, name, p99, limit)) = worst.filter(|(_, _, p99, limit)| p99 > limit) else {
        return match untimed {
            Some(name) => Err(untold(&format!("the duration of {name}"), &names::store(id))),
            None if judged > 0 => case.warm(id).map(|()| Verdict::Ok),
            // Of what nobody asks for there is no rate at all.
            None if told > 0 => Err(idle()),
            None => case.busy(id).and_then(|()| Err(untold("the rate of requests", &names::store(id)))),
        };
    };
    case.warm(id)?;
    let stage = write_path::slowest_stage(case, id).map_or_else(String::new, |stage| format!("; {stage}"));
    let message =
        format!("99 % of {name} at {} take up to {}, more than {}{stage}", names::store(id), time(p99), time(limit));
    let Verdict::Violated(mut finding) = violated(message, p99, limit) else { return Ok(Verdict::Ok) };
    if write_path::waits_for_followers(case, id) {
        finding.involves = write_path::suspects(case, id);
    }
    let cluster = &case.details.cluster;
    let hot = if WRITES.contains(&name) { cluster.hot_writes.as_ref() } else { cluster.hot_reads.as_ref() };
    finding.involves.extend(case.hot_regions(id, hot));
    if tso_slow::violated(case) {
        finding.involves.push(case.leader());
    }
    Ok(Verdict::Violated(finding))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_stores, region, store};
    use super::*;

    #[test]
    fn each_type_of_request_has_its_own_limit() {
        for (name, p99, is) in [
            ("kv_get", 0.05, false),
            ("kv_get", 0.051, true),
            ("kv_prewrite", 0.19, false),
            ("kv_prewrite", 0.3, true),
            ("kv_scan", 0.29, false),
            ("coprocessor", 0.9, false),
            ("coprocessor", 1.2, true),
            ("kv_pessimistic_lock", 30.0, false),
        ] {
            let mut scene = Scene::healthy();
            scene.metric_by("request_rate", name, 2, 50.0);
            scene.metric_by("request_duration_p99", name, 2, p99);
            let judged = scene.judge();
            assert_eq!(judged.is_violated(NAME, &store(2)), is, "{name} {p99}");
            if is {
                assert!(judged.finding(NAME, &store(2)).message.contains(name));
            }
        }
    }

    #[test]
    fn below_one_request_a_second_and_right_after_a_start_it_is_not_judged() {
        let mut scene = Scene::healthy();
        scene.metric_by("request_duration_p99", "kv_get", 2, 3.0);
        scene.metric_by("request_rate", "kv_get", 2, 0.5);
        assert_eq!(scene.judge().violated(), [], "the other types are well");
        scene.requests(2, 0.5);
        assert_eq!(scene.judge().suppressed(NAME, &store(2)), "idle");
        scene.requests(2, 50.0);
        scene.started(2, 300);
        assert_eq!(scene.judge().suppressed(NAME, &store(2)), "it started 300 s ago");
    }

    #[test]
    fn a_number_that_is_missing_is_unknown_and_a_question_that_nobody_answered_is_told_elsewhere() {
        let mut scene = Scene::healthy();
        scene.no_metric("request_duration_p99", 2);
        assert!(matches!(scene.judge().verdict(NAME, &store(2)), Verdict::Unknown(_)));
        assert_eq!(scene.judge().verdict(NAME, &store(1)), &Verdict::Ok);
        scene.unanswered("request_duration_p99", "timed out");
        assert!(scene.judge().suppressed(NAME, &store(1)).contains("timed out"));
    }

    #[test]
    fn the_finding_says_where_the_time_goes() {
        for (metric, value, expected) in [
            ("append_log_p99", 0.9, "a slow disk"),
            ("propose_wait_p99", 0.9, "busy raftstore threads"),
            ("latch_wait_p99", 0.9, "keys that many write"),
            ("apply_wait_p99", 0.9, "waiting to be applied"),
            ("commit_log_p99", 0.9, "a slow follower"),
        ] {
            let mut scene = Scene::healthy();
            scene.metric_by("request_duration_p99", "kv_prewrite", 2, 2.0);
            scene.metric(metric, 2, value);
            let judged = scene.judge();
            let finding = judged.finding(NAME, &store(2));
            assert!(finding.message.contains(expected), "{metric}: {}", finding.message);
        }
    }

    #[test]
    fn slow_writes_name_the_hot_region_and_slow_reads_do_not() {
        for (name, expected) in [("kv_prewrite", vec![region(7)]), ("kv_get", vec![])] {
            let mut scene = Scene::healthy();
            scene.metric_by("request_duration_p99", name, 2, 2.0);
            scene.hot_writes(&[(7, 900.0, &[2])], 1000.0);
            assert_eq!(scene.judge().finding(NAME, &store(2)).involves, expected, "{name}");
        }
    }

    #[test]
    fn stores_that_wait_for_one_slow_follower_are_one_finding_that_names_it() {
        let mut scene = Scene::healthy();
        scene.metric("append_log_p99", 3, 0.8);
        for id in [1, 2] {
            scene.metric("commit_log_p99", id, 0.9);
            scene.metric_by("request_duration_p99", "kv_prewrite", id, 1.0);
        }
        let judged = scene.judge();
        assert_eq!(judged.finding(NAME, &all_stores()).involves, [store(3), store(1), store(2)]);
    }

    #[test]
    fn slow_timestamps_name_the_member_that_hands_them_out() {
        let mut scene = Scene::healthy();
        scene.member_metric("tso_p99", "pd-0", 0.5);
        for id in 1..=5 {
            scene.metric_by("request_duration_p99", "kv_prewrite", id, 1.0);
        }
        let judged = scene.judge();
        assert!(judged.finding(NAME, &all_stores()).involves.contains(&super::super::scene::member("pd-0")));
    }
}
