//! `raft_log_lag`: replicas are thousands of entries behind: a slow follower, or one that waits for a snapshot.

use operator_protocols::Evaluation;

use super::case::Case;
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::above;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "raft_log_lag";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "99 % of the replicas are close behind their leaders", judge).limit(Limit::LogLag).grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let lag = case.metric("log_lag_p99", id)?;
        Ok(above(lag, case.limit(Limit::LogLag), || {
            format!("replicas of regions that {} leads are up to {lag:.0} entries behind", names::store(id))
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::*;

    #[test]
    fn replicas_that_lag_are_a_finding_from_the_limit_on() {
        let mut scene = Scene::healthy();
        scene.metric("log_lag_p99", 1, 5000.0);
        assert_eq!(scene.judge().violated(), []);
        scene.metric("log_lag_p99", 1, 5001.0);
        assert_eq!(scene.judge().violated(), [(NAME, "store-1".to_owned())]);
    }
}
