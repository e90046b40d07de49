//! `memory_pressure`: a store uses nearly all the memory it may; at its high water it rejects, and above it is killed.

use operator_protocols::{Evaluation, Verdict};

use super::case::{Case, Step, bytes, untold};
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "memory_pressure";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store has memory to spare", judge).critical().limit(Limit::Memory).grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let quota = quota(case, "memory_quota", id)?;
        let memory = case.metric("memory", id)?;
        Ok(above(memory / quota, case.limit(Limit::Memory), || {
            format!("{} uses {} of the {} of memory it may", names::store(id), bytes(memory), bytes(quota))
        }))
    });
    folded(case, NAME, evaluations)
}

/// What a store may use. Before 8.5 no store says; then there is nothing to judge.
pub(super) fn quota(case: &Case<'_>, query: &str, id: u64) -> Step<f64> {
    let answer = case.answer(query)?;
    if !answer.stores.contains_key(&id) && case.scraped(id) == Some(true) {
        // Where other stores say it, this one should.
        let told = !answer.stores.is_empty();
        let unsaid = Verdict::Suppressed("this version does not say how much it may use".to_owned());
        return Err(if told { untold(query, &names::store(id)) } else { unsaid });
    }
    let quota = case.metric(query, id)?;
    if quota > 0.0 { Ok(quota) } else { Err(Verdict::Suppressed("it may use as much as there is".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn more_than_nine_tenths_of_what_it_may_use_is_a_finding() {
        let mut scene = Scene::healthy();
        scene.metric("memory", 2, 0.9 * 16e9);
        assert_eq!(scene.judge().violated(), []);
        scene.metric("memory", 2, 0.95 * 16e9);
        assert_eq!(scene.judge().violated(), [(NAME, "store-2".to_owned())]);
    }

    #[test]
    fn a_version_that_says_no_limit_is_not_judged_and_a_store_that_does_not_is_unknown() {
        let mut scene = Scene::healthy();
        scene.no_metric("memory_quota", 2);
        assert!(matches!(scene.judge().verdict(NAME, &store(2)), Verdict::Unknown(_)));
        for id in 1..=5 {
            scene.no_metric("memory_quota", id);
        }
        assert!(scene.judge().suppressed(NAME, &store(2)).contains("this version"));
    }
}
