//! `resolved_ts_lag`: reading from replicas, and change data capture, lag: a transaction that does not end, or a region
//! without a leader.

use operator_protocols::Evaluation;

use super::case::Case;
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "resolved_ts_lag";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "What can be read from replicas is of a moment ago", judge)
        .info()
        .limit(Limit::ResolvedTs)
        .grace(120);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let lag = case.metric("resolved_ts_lag", id)?;
        Ok(above(lag, case.limit(Limit::ResolvedTs), || {
            format!("what replicas on {} can serve is {lag:.0} s old", names::store(id))
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::*;

    #[test]
    fn a_minute_is_allowed_and_more_is_not() {
        let mut scene = Scene::healthy();
        scene.metric("resolved_ts_lag", 1, 60.0);
        assert_eq!(scene.judge().violated(), []);
        scene.metric("resolved_ts_lag", 1, 61.0);
        assert_eq!(scene.judge().violated(), [(NAME, "store-1".to_owned())]);
    }
}
