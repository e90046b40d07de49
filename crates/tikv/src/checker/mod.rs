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
mod complaints;
mod coprocessor_slow;
mod cpu_saturated;
mod critical_error;
mod disk;
mod disk_almost_full;
mod fold;
#[cfg(test)]
mod healthy;
mod high_latency;
mod hot_store;
mod invariant;
mod leader_imbalance;
mod leftover_drain;
mod loci;
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
mod reading;
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
#[cfg(test)]
mod whole;
mod wording;
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
