//! `coprocessor_slow`: coprocessor requests wait long for the read pool: big scans, a read hotspot, or too small a pool.

use operator_protocols::Evaluation;

use super::case::{Case, time};
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "coprocessor_slow";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "All but one in a thousand coprocessor requests find a thread soon", judge)
        .limit(Limit::CoprocessorWait)
        .grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let wait = case.metric("coprocessor_wait_p999", id)?;
        let verdict = above(wait, case.limit(Limit::CoprocessorWait), || {
            format!("coprocessor requests at {} wait up to {} for a thread", names::store(id), time(wait))
        });
        case.warm(id).map(|()| verdict)
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn a_wait_above_the_limit_is_a_finding_but_not_while_caches_are_cold() {
        let mut scene = Scene::healthy();
        scene.metric("coprocessor_wait_p999", 4, 1.0);
        assert_eq!(scene.judge().violated(), []);
        scene.metric("coprocessor_wait_p999", 4, 12.0);
        assert_eq!(scene.judge().violated(), [(NAME, "store-4".to_owned())]);
        scene.started(4, 200);
        assert_eq!(scene.judge().suppressed(NAME, &store(4)), "it started 200 s ago");
    }
}
