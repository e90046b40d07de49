//! `critical_error`: a store found its own data to be wrong. Nobody should do anything to it by machine.

use operator_protocols::Evaluation;

use super::case::Case;
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use crate::names;

const NAME: &str = "critical_error";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "No store counts a critical error", judge).critical();

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let errors = case.metric("critical_errors", id)?;
        Ok(above(errors, 0.0, || {
            format!(
                "{} counted {errors:.0} critical errors within a minute: its data may be inconsistent or damaged; its log \
                 says which",
                names::store(id)
            )
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use operator_protocols::Verdict;

    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn one_is_enough_and_none_ever_counted_is_none() {
        let mut scene = Scene::healthy();
        scene.no_metric("critical_errors", 2);
        assert_eq!(scene.judge().verdict(NAME, &store(2)), &Verdict::Ok);
        scene.metric("critical_errors", 2, 1.0);
        assert_eq!(scene.judge().violated(), [(NAME, "store-2".to_owned())]);
    }
}
