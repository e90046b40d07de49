//! Which runs a campaign consists of.

use crate::scenario::{self, ScenarioError, ScenarioFile};
use crate::scorecard::RunKey;

/// The runs of a campaign, in order: seed by seed, so that one broken off early has seen every scenario.
///
/// # Errors
/// When a scenario is unknown.
pub fn planned(
    subject: &str,
    scenarios: &[String],
    seeds: u64,
    diagnoser: &str,
) -> Result<Vec<(RunKey, ScenarioFile)>, ScenarioError> {
    let files: Vec<(String, ScenarioFile)> = if scenarios.is_empty() {
        scenario::suite(subject)?.into_iter().map(|(id, file)| (id.to_owned(), file)).collect()
    } else {
        scenarios.iter().map(|id| Ok((id.to_uppercase(), scenario::find(subject, id)?))).collect::<Result<_, _>>()?
    };
    let run = |seed: u64, (id, file): &(String, ScenarioFile)| {
        (RunKey { scenario: id.clone(), diagnoser: diagnoser.to_owned(), seed }, file.clone())
    };
    Ok((0..seeds).flat_map(|seed| files.iter().map(move |file| run(seed, file)).collect::<Vec<_>>()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_seen_once_before_any_is_seen_twice() {
        let runs = planned("ratelimiter", &["r1".to_owned(), "R7".to_owned()], 2, "reasoner").expect("known");
        let order: Vec<_> = runs.iter().map(|(key, _)| (key.scenario.as_str(), key.seed)).collect();
        assert_eq!(order, [("R1", 0), ("R7", 0), ("R1", 1), ("R7", 1)]);
    }
    #[test]
    fn unless_scenarios_are_named_all_are_run_but_the_long_one() {
        let ids = |named: &[String]| {
            let runs = planned("ratelimiter", named, 1, "reasoner").expect("known");
            runs.into_iter().map(|(key, _)| key.scenario).collect::<Vec<_>>()
        };
        let faults: Vec<_> = (1..=14).map(|number| format!("R{number}")).collect();
        assert_eq!(ids(&[]), faults);
        assert_eq!(ids(&["h1".to_owned()]), ["H1"]);
    }
}
