//! All invariants together: of a healthy cluster, of one that nobody uses, and of one of which nothing can be read.

use std::collections::BTreeSet;

use operator_protocols::Severity;

use super::scene::{SUBJECT, Scene, store};
use super::*;

#[test]
fn a_healthy_cluster_violates_nothing_and_leaves_nothing_unknown() {
    let mut scene = Scene::healthy();
    for _ in 0..3 {
        let judged = scene.judge();
        assert_eq!(judged.violated(), []);
        for evaluation in &judged.0 {
            assert!(!matches!(evaluation.verdict, Verdict::Unknown(_)), "{evaluation:?}");
        }
    }
}

#[test]
fn every_invariant_has_a_name_of_its_own_and_is_judged_somewhere() {
    let checker = TikvChecker::new(SUBJECT, &Thresholds::default(), 1.0);
    let names: BTreeSet<_> = checker.invariants().iter().map(|definition| definition.name.as_str()).collect();
    assert_eq!(names.len(), checker.invariants().len());
    let judged = Scene::healthy().judge();
    for name in names {
        let ok = judged.0.iter().any(|evaluation| evaluation.invariant == name && evaluation.verdict == Verdict::Ok);
        assert!(ok, "{name} is ok nowhere in a healthy cluster");
    }
}

#[test]
fn time_scale_shortens_graces_and_leaves_thresholds() {
    let full = TikvChecker::new(SUBJECT, &Thresholds::default(), 1.0);
    let tenth = TikvChecker::new(SUBJECT, &Thresholds::default(), 0.1);
    for (full, tenth) in full.invariants().iter().zip(tenth.invariants()) {
        assert_eq!(full.grace.as_millis() / 10, tenth.grace.as_millis(), "{}", full.name);
        assert_eq!(full.threshold, tenth.threshold);
    }
    let grace = |name: &str| full.invariants().iter().find(|one| one.name == name).map(|one| one.grace.as_secs());
    assert_eq!(grace("store_disconnected"), Some(30));
    assert_eq!(grace("pd_no_leader"), Some(15));
    assert_eq!(grace("leftover_drain"), Some(1800));
}

#[test]
fn what_a_person_must_be_woken_for_is_critical() {
    let checker = TikvChecker::new(SUBJECT, &Thresholds::default(), 1.0);
    for name in [
        "store_down",
        "quorum_risk",
        "region_unavailable",
        "pd_no_leader",
        "pd_partial_hang",
        "slow_store_disk",
        "scheduler_busy",
        "write_stall",
        "disk_almost_full",
        "memory_pressure",
        "crash_loop",
        "critical_error",
    ] {
        let definition = checker.invariants().iter().find(|definition| definition.name == name).expect(name);
        assert_eq!(definition.severity, Severity::Critical, "{name}");
    }
}

#[test]
fn an_observation_without_details_leaves_everything_unknown() {
    let checker = TikvChecker::new(SUBJECT, &Thresholds::default(), 1.0);
    let now = Observation::new(operator_protocols::Timestamp::from_millis(5));
    let evaluations = checker.check(&History::new(), &now);
    assert_eq!(evaluations.len(), checker.invariants().len());
    assert!(evaluations.iter().all(|evaluation| matches!(evaluation.verdict, Verdict::Unknown(_))));
}

#[test]
fn what_was_judged_is_judged_again_when_nothing_can_be_read() {
    let mut scene = Scene::healthy();
    let before = scene.judge();
    let blind = scene.judge_blind();
    let loci = |judged: &scene::Judged| -> BTreeSet<(String, Locus)> {
        judged.0.iter().map(|evaluation| (evaluation.invariant.clone(), evaluation.on.clone())).collect()
    };
    assert_eq!(loci(&before), loci(&blind));
    assert!(blind.0.iter().all(|evaluation| matches!(evaluation.verdict, Verdict::Unknown(_))));
}

#[test]
fn a_cluster_that_nobody_uses_is_neither_ill_nor_unknown() {
    let mut scene = Scene::healthy();
    // While nothing happens there is no quantile of anything, and no series of a type of request.
    for query in crate::queries::ALL {
        if query.expression.contains("histogram_quantile") || query.name == "request_rate" {
            for id in 1..=5 {
                scene.no_metric(query.name, id);
            }
        }
    }
    for name in ["pd-0", "pd-1", "pd-2"] {
        scene.no_member_metric("tso_p99", name);
    }
    let judged = scene.judge();
    assert_eq!(judged.violated(), []);
    for evaluation in &judged.0 {
        assert!(!matches!(evaluation.verdict, Verdict::Unknown(_)), "{evaluation:?}");
    }
    assert_eq!(judged.suppressed("high_latency", &store(1)), "idle");
    assert_eq!(judged.suppressed("propose_wait", &store(1)), "idle");
}

#[test]
fn a_store_that_pd_does_not_know_any_more_is_gone_everywhere() {
    let mut scene = Scene::healthy();
    let before = scene.judge();
    scene.details.stores.remove(&4);
    let after = scene.judge();
    for evaluation in before.0.iter().filter(|evaluation| evaluation.on == store(4)) {
        assert_eq!(after.verdict(&evaluation.invariant, &store(4)), &Verdict::Gone, "{}", evaluation.invariant);
    }
}
