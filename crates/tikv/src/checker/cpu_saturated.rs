//! `cpu_saturated`: a store uses nearly all processors it may: a neighbour, a quota, or a hot store.

use operator_protocols::Evaluation;

use super::case::Case;
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use super::memory_pressure::quota;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "cpu_saturated";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store has processors to spare", judge).limit(Limit::Cpu).grace(120);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let quota = quota(case, "cpu_quota", id)?;
        let used = case.metric("cpu", id)?;
        Ok(above(used / quota, case.limit(Limit::Cpu), || {
            format!("{} uses {used:.1} of the {quota:.1} processors it may", names::store(id))
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::*;

    #[test]
    fn more_than_eight_tenths_of_its_processors_is_a_finding() {
        let mut scene = Scene::healthy();
        scene.metric("cpu", 2, 6.4);
        assert_eq!(scene.judge().violated(), []);
        scene.metric("cpu", 2, 7.5);
        assert_eq!(scene.judge().violated(), [(NAME, "store-2".to_owned())]);
    }
}
