//! `tso_slow`: PD takes long to hand out timestamps, on which every transaction waits. Raw requests do not.

use operator_protocols::{Evaluation, Verdict};

use super::case::{Case, time};
use super::invariant::{Invariant, Source};
use super::measured::above;
use crate::thresholds::Limit;

const NAME: &str = "tso_slow";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "PD's leader hands out 99 % of the timestamps in time", judge)
        .at("member of PD")
        .limit(Limit::Tso)
        .grace(60)
        .needs(&[Source::Metrics, Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_member(NAME, |name, _| {
        case.pd()?;
        if case.details.cluster.leader.as_deref() != Some(name) {
            return Err(Verdict::Suppressed("it does not lead".to_owned()));
        }
        let p99 = case.member_metric("tso_p99", name)?;
        Ok(above(p99, case.limit(Limit::Tso), || {
            format!("{name} takes {} to hand out a timestamp; transactions wait for it", time(p99))
        }))
    })
}

/// Whether it is violated anywhere.
pub(super) fn violated(case: &Case<'_>) -> bool {
    judge(case).iter().any(|evaluation| matches!(evaluation.verdict, Verdict::Violated(_)))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, member};
    use super::*;

    #[test]
    fn only_the_leader_hands_out_timestamps() {
        let mut scene = Scene::healthy();
        scene.member_metric("tso_p99", "pd-1", 9.0);
        let judged = scene.judge();
        assert_eq!(judged.violated(), []);
        assert_eq!(judged.suppressed(NAME, &member("pd-1")), "it does not lead");
        scene.member_metric("tso_p99", "pd-0", 0.011);
        assert_eq!(scene.judge().violated(), [(NAME, "pd-0".to_owned())]);
    }
}
