//! `pd_etcd_slow`: a member of PD is slow to write to its disk, so that the leader it is, or follows, may be lost.

use operator_protocols::Evaluation;

use super::case::{Case, time};
use super::invariant::Invariant;
use super::measured::above;
use crate::thresholds::Limit;

const NAME: &str = "pd_etcd_slow";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "A member of PD writes its log to disk in time", judge)
    .at("member of PD")
    .limit(Limit::WalFsync)
    .grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_member(NAME, |name, member| {
        if super::pd_member_unhealthy::answers(member) == Some(false) {
            return Err(operator_protocols::Verdict::Suppressed("the member does not answer".to_owned()));
        }
        let p99 = case.member_metric("wal_fsync_p99", name)?;
        Ok(above(p99, case.limit(Limit::WalFsync), || format!("{name} takes {} to write to its disk", time(p99))))
    })
}

#[cfg(test)]
mod tests {
    use operator_protocols::Verdict;

    use super::super::scene::{Scene, member};
    use super::*;

    #[test]
    fn a_slow_disk_is_a_finding_and_a_silent_member_is_not_judged() {
        let mut scene = Scene::healthy();
        scene.member_metric("wal_fsync_p99", "pd-1", 0.2);
        assert_eq!(scene.judge().violated(), [(NAME, "pd-1".to_owned())]);
        scene.silence_member("pd-1");
        assert_eq!(scene.judge().suppressed(NAME, &member("pd-1")), "the member does not answer");
        scene.no_member_metric("wal_fsync_p99", "pd-2");
        assert!(matches!(scene.judge().verdict(NAME, &member("pd-2")), Verdict::Unknown(_)));
    }
}
