//! The invariants of a TiKV cluster, judged from what was observed: one a file, listed in [`ALL`] and, with their
//! thresholds, in `docs/tikv-invariants.md`.
//!
//! - What a judgement starts from, and why something cannot be judged: [`case`], [`pulse`] (does a store live), [`silence`]
//!   (where is the fault when PD does not hear of it), [`disk`], [`write_path`].
//! - What many stores break at once is one finding: [`fold`].
//! - Grace is times the setting `time_scale`, as are thresholds that are times of waiting; what PD or TiKV themselves count
//!   in seconds (a heartbeat's age) is not.

mod apply_wait;
mod case;
mod clock_drift;
mod commit_log_slow;
mod coprocessor_slow;
mod cpu_saturated;
mod critical_error;
mod disk;
mod disk_almost_full;
mod fold;
mod high_latency;
mod hot_store;
mod invariant;
mod leader_imbalance;
mod leftover_drain;
mod low_space;
mod measured;
mod memory_pressure;
mod observability_gap;
#[cfg(test)]
mod page;
mod pd_etcd_slow;
mod pd_leader_flapping;
mod pd_member_unhealthy;
mod pd_no_leader;
mod pd_partial_hang;
mod pd_quorum_risk;
#[cfg(test)]
mod proof;
mod propose_wait;
pub(crate) mod pulse;
mod quorum_risk;
mod raft_log_lag;
mod region_accounts;
mod region_peers;
mod region_unavailable;
mod resolved_ts_lag;
#[cfg(test)]
mod scene;
mod scheduler_busy;
mod scheduling_disabled;
mod silence;
mod slow_peer_network;
mod slow_store_disk;
mod snapshot_backlog;
mod store_disconnected;
mod store_down;
mod store_offline_stuck;
mod store_restarted;
mod topology;
mod tso_slow;
pub(crate) mod write_path;
mod write_stall;

use std::time::Duration;

use operator_protocols::{
    Evaluation, History, InvariantChecker, InvariantDefinition, Locus, Observation, Unavailable, Verdict,
};

use case::Case;
use invariant::Invariant;

use crate::thresholds::Thresholds;

/// How much of the past is needed. What takes longer is remembered by the subject, and is in each observation.
pub(crate) const LOOKBACK: Duration = Duration::from_secs(120);

/// Every invariant: whether stores and PD are there first, what they do then.
const ALL: [&Invariant; 45] = [
    &store_disconnected::INVARIANT,
    &store_down::INVARIANT,
    &store_offline_stuck::INVARIANT,
    &store_restarted::RESTARTED,
    &store_restarted::CRASH_LOOP,
    &quorum_risk::INVARIANT,
    &region_unavailable::INVARIANT,
    &region_peers::MISS_PEER,
    &region_peers::DOWN_PEER,
    &region_peers::PENDING_PEER,
    &region_peers::EXTRA_PEER,
    &region_accounts::INVARIANT,
    &pd_no_leader::INVARIANT,
    &pd_quorum_risk::INVARIANT,
    &pd_member_unhealthy::INVARIANT,
    &pd_partial_hang::INVARIANT,
    &pd_leader_flapping::INVARIANT,
    &pd_etcd_slow::INVARIANT,
    &tso_slow::INVARIANT,
    &clock_drift::INVARIANT,
    &high_latency::INVARIANT,
    &slow_store_disk::INVARIANT,
    &propose_wait::INVARIANT,
    &apply_wait::INVARIANT,
    &commit_log_slow::INVARIANT,
    &slow_peer_network::INVARIANT,
    &scheduler_busy::INVARIANT,
    &write_stall::INVARIANT,
    &coprocessor_slow::INVARIANT,
    &raft_log_lag::INVARIANT,
    &snapshot_backlog::INVARIANT,
    &resolved_ts_lag::INVARIANT,
    &hot_store::WRITE,
    &hot_store::READ,
    &cpu_saturated::INVARIANT,
    &memory_pressure::INVARIANT,
    &low_space::INVARIANT,
    &disk_almost_full::INVARIANT,
    &critical_error::INVARIANT,
    &leader_imbalance::INVARIANT,
    &leftover_drain::INVARIANT,
    &scheduling_disabled::INVARIANT,
    &topology::TOPOLOGY,
    &topology::VERSION_SKEW,
    &topology::STORE_LABELS,
];

/// Judged last, from what the others could not read.
const GAP: &Invariant = &observability_gap::INVARIANT;

/// Judges the invariants of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct TikvChecker {
    subject: String,
    thresholds: Thresholds,
    time_scale: f64,
    definitions: Vec<InvariantDefinition>,
}

impl TikvChecker {
    /// The checker of the instance `subject`, whose graces are multiplied by `time_scale`.
    pub(crate) fn new(subject: impl Into<String>, thresholds: &Thresholds, time_scale: f64) -> Self {
        let time_scale = if time_scale.is_finite() { time_scale.clamp(0.0, 1000.0) } else { 1.0 };
        let definitions = invariants().map(|invariant| invariant.definition(thresholds, time_scale)).collect();
        Self { subject: subject.into(), thresholds: thresholds.clone(), time_scale, definitions }
    }

    fn case<'a>(&'a self, past: &'a History, now: &'a Observation) -> Result<Case<'a>, Unavailable> {
        Case::new(&self.subject, &self.thresholds, self.time_scale, past, now)
    }
}

impl InvariantChecker for TikvChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.definitions
    }

    fn lookback(&self) -> Duration {
        LOOKBACK
    }

    fn check(&self, past: &History, now: &Observation) -> Vec<Evaluation> {
        let why = match self.case(past, now) {
            Ok(case) => return judge(&case),
            Err(why) => why,
        };
        let unknown = |invariant: String, on| Evaluation::new(invariant, on, Verdict::Unknown(why.clone()));
        // Where nothing can be judged, everything that was judged last is unknown.
        let nothing = History::new();
        let readable = past.iter().rev().find_map(|seen| self.case(&nothing, seen).ok());
        match readable {
            Some(case) => judge(&case).into_iter().map(|was| unknown(was.invariant, was.on)).collect(),
            None => {
                self.definitions.iter().map(|definition| unknown(definition.name.clone(), Locus::Nothing)).collect()
            }
        }
    }
}

fn invariants() -> impl Iterator<Item = &'static Invariant> {
    ALL.into_iter().chain(std::iter::once(GAP))
}

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let judged = invariants().flat_map(|invariant| (invariant.judge)(case));
    judged.map(finite).collect()
}

/// A finding with a number that is none can neither be judged nor written down.
fn finite(evaluation: Evaluation) -> Evaluation {
    match &evaluation.verdict {
        Verdict::Violated(finding) if !finding.is_finite() => {
            let why = Unavailable::new(evaluation.invariant.clone(), "a number of its finding is not finite");
            Evaluation { verdict: Verdict::Unknown(why), ..evaluation }
        }
        _ => evaluation,
    }
}

#[cfg(test)]
mod tests {
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
            let ok =
                judged.0.iter().any(|evaluation| evaluation.invariant == name && evaluation.verdict == Verdict::Ok);
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
}
