//! `apply_wait`: what was agreed on waits long before it is applied: the apply threads are busy, one region is hot, or the
//! storage engine holds writes back.

use operator_protocols::{Evaluation, Verdict};

use super::case::Case;
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use super::wording::time;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "apply_wait";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "99 % of the logs of a store wait but shortly before they are applied", judge)
        .limit(Limit::ApplyWait)
        .traffic()
        .grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        case.busy(id)?;
        let wait = case.metric("apply_wait_p99", id)?;
        let mut verdict = above(wait, case.limit(Limit::ApplyWait), || {
            let stall = case.metric("write_stall_p99", id).is_ok_and(|stall| stall > 0.0);
            let why = if stall {
                "its storage engine holds writes back"
            } else {
                "its apply threads are busy, with one hot region perhaps"
            };
            format!("logs of {} wait {} before they are applied; {why}", names::store(id), time(wait))
        });
        if let Verdict::Violated(finding) = &mut verdict {
            finding.involves = case.hot_regions(id, case.details.cluster.hot_writes.as_ref());
        }
        Ok(verdict)
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, region, store};
    use super::*;

    #[test]
    fn a_long_wait_is_a_finding_that_says_whether_the_engine_stalls() {
        let mut scene = Scene::healthy();
        scene.metric("apply_wait_p99", 3, 0.25);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-3".to_owned())]);
        assert!(judged.finding(NAME, &store(3)).message.contains("one hot region"));
        assert_eq!(scene.judge().finding(NAME, &store(3)).involves, []);
        scene.hot_writes(&[(7, 900.0, &[3])], 1000.0);
        assert_eq!(scene.judge().finding(NAME, &store(3)).involves, [region(7)]);
        scene.metric("write_stall_p99", 3, 0.2);
        assert!(scene.judge().finding(NAME, &store(3)).message.contains("holds writes back"));
        scene.kill(3, 60.0);
        assert_eq!(scene.judge().suppressed(NAME, &store(3)), "the store does not answer");
    }
}
