//! `snapshot_backlog`: snapshots are sent, received or applied, and do not get fewer: more is moved than disks and network
//! carry.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, time, untold};
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::details::DriftDetail;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "snapshot_backlog";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "Snapshots that a store sends, receives and applies get fewer", judge)
        .needs(&[Source::Metrics, Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, store| {
        let told = store.sending_snapshots.saturating_add(store.receiving_snapshots) as f64;
        let measured = case.metric("snapshots", id);
        let known = case.details.cluster.answers.then_some(told);
        let snapshots = match (measured, known) {
            (Ok(measured), known) => measured.max(known.unwrap_or(0.0)),
            (Err(_), Some(told)) => told,
            (Err(verdict), None) => return Err(verdict),
        };
        if snapshots <= 0.0 {
            return Ok(Verdict::Ok);
        }
        let drift = case.details.drift.of(&DriftDetail::snapshots_of(id));
        let Some(drift) = drift else { return Err(untold("the past of the snapshots", &names::store(id))) };
        let limit = case.duration(Limit::NotFalling);
        if drift.not_falling_s < limit {
            return Ok(Verdict::Ok);
        }
        let message = format!(
            "{} has {snapshots:.0} snapshots under way, and for {} they have not got fewer",
            names::store(id),
            time(drift.not_falling_s)
        );
        Ok(Verdict::Violated(Finding::new(message, snapshots, 0.0)))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn snapshots_are_normal_as_long_as_they_get_fewer() {
        let mut scene = Scene::healthy();
        scene.metric("snapshots", 3, 12.0);
        scene.drift(&DriftDetail::snapshots_of(3), 12.0, 599.0);
        assert_eq!(scene.judge().violated(), []);
        scene.drift(&DriftDetail::snapshots_of(3), 12.0, 600.0);
        assert_eq!(scene.judge().violated(), [(NAME, "store-3".to_owned())]);
    }

    #[test]
    fn without_earlier_looks_nothing_is_said_of_snapshots_that_there_are() {
        let mut scene = Scene::healthy();
        scene.details.drift.moved.clear();
        assert_eq!(scene.judge().verdict(NAME, &store(3)), &Verdict::Ok, "there are none");
        scene.store(3).receiving_snapshots = 2;
        assert!(matches!(scene.judge().verdict(NAME, &store(3)), Verdict::Unknown(_)));
    }
}
