//! Results added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::confusion::Confusion;
use super::miss::Miss;
use super::proportion::Proportion;
use super::run_result::{Cost, RunKey, RunOutcome, RunResult};

/// What a campaign says, for each diagnoser.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scorecard {
    /// Each diagnoser over all scenarios.
    pub total: BTreeMap<String, Score>,
    /// Each diagnoser in each scenario.
    pub by_scenario: BTreeMap<String, BTreeMap<String, Score>>,
    /// What was said where something else is true, for each diagnoser.
    pub confusion: BTreeMap<String, Confusion>,
    /// Every run that did not do everything right, and why.
    pub misses: Vec<Miss>,
    /// Runs that say nothing about the operator, and why.
    pub invalid: Vec<(RunKey, String)>,
}

/// Some runs, added up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// A ticket where one is wanted, none where none is.
    pub detected: Proportion,
    /// The ticket in time, of those of which it is known when they were due.
    pub in_time: Proportion,
    /// The right place.
    pub locus: Proportion,
    /// The right place and class.
    pub class: Proportion,
    /// The first action right; or nothing done where nothing was to be done.
    pub first_action: Proportion,
    /// Harmful actions proposed or taken.
    pub harmful: u32,
    /// Tickets that nothing called for.
    pub false_tickets: u32,
    /// From the fault to the ticket.
    pub time_to_detect: Quantiles,
    /// Nothing wrong any more in the end, where something was.
    pub recovered: Proportion,
    /// From the fault to that.
    pub time_to_recover: Quantiles,
    /// What it all cost.
    pub cost: Cost,
}

/// The middle and the end of a distribution of times, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many there were.
    pub count: u32,
    /// Half took at most so long.
    pub p50_ms: u64,
    /// Nine of ten took at most so long.
    pub p90_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

impl Quantiles {
    /// Of these times, by the nearest rank.
    pub fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(0);
        Self {
            count: u32::try_from(times.len()).unwrap_or(u32::MAX),
            p50_ms: rank(50),
            p90_ms: rank(90),
            max_ms: rank(100),
        }
    }
}

/// Something that was better in the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// Who.
    pub diagnoser: String,
    /// What: `locus`, `harmful` …
    pub what: String,
    /// How it was and how it is.
    pub change: String,
}

impl Score {
    fn of<'a>(results: impl IntoIterator<Item = &'a RunResult>) -> Self {
        let mut score = Self::default();
        let (mut detected_after, mut recovered_after) = (Vec::new(), Vec::new());
        for result in results {
            score.detected.count(result.detection_right());
            if let Some(in_time) = result.detected_in_time() {
                score.in_time.count(in_time);
            }
            if result.diagnosis_due() {
                score.locus.count(result.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.locus_right));
                score.class.count(result.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.class_right));
            }
            score.first_action.count(result.first_action_right());
            score.harmful += result.harmful_actions();
            score.false_tickets += u32::try_from(result.false_tickets.len()).unwrap_or(u32::MAX);
            if result.ticket_expected {
                detected_after.extend(result.detected_after_ms);
                score.recovered.count(result.recovered_after_ms.is_some());
                recovered_after.extend(result.recovered_after_ms);
            }
            score.cost.tokens += result.cost.tokens;
            score.cost.usd += result.cost.usd;
            score.cost.diagnosing_ms += result.cost.diagnosing_ms;
        }
        score.time_to_detect = Quantiles::of(detected_after);
        score.time_to_recover = Quantiles::of(recovered_after);
        score
    }

    /// Its shares, by name.
    pub fn proportions(&self) -> [(&'static str, Proportion); 6] {
        [
            ("detected", self.detected),
            ("in_time", self.in_time),
            ("locus", self.locus),
            ("class", self.class),
            ("first_action", self.first_action),
            ("recovered", self.recovered),
        ]
    }
}

impl Scorecard {
    /// Adds results up.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a RunResult>) -> Self {
        let mut card = Self::default();
        let mut valid = BTreeMap::<&str, BTreeMap<&str, Vec<&RunResult>>>::new();
        for result in results {
            match &result.outcome {
                RunOutcome::Finished => {
                    let of_diagnoser = valid.entry(&result.key.diagnoser).or_default();
                    of_diagnoser.entry(&result.key.scenario).or_default().push(result);
                    card.misses.extend(Miss::of(result));
                }
                RunOutcome::Invalid { why } => card.invalid.push((result.key.clone(), why.clone())),
            }
        }
        for (diagnoser, scenarios) in valid {
            let all = || scenarios.values().flatten().copied();
            card.total.insert(diagnoser.to_owned(), Score::of(all()));
            card.confusion.insert(diagnoser.to_owned(), Confusion::of(all()));
            let of_scenario =
                |(name, results): (&&str, &Vec<&RunResult>)| ((*name).to_owned(), Score::of(results.iter().copied()));
            card.by_scenario.insert(diagnoser.to_owned(), scenarios.iter().map(of_scenario).collect());
        }
        card.misses.sort_by(|a, b| a.key.cmp(&b.key));
        card.invalid.sort();
        card
    }

    /// What is worse than in `baseline`: a share whose interval lies below the baseline's share, and any harmful action
    /// or false ticket more.
    pub fn regressions(&self, baseline: &Self) -> Vec<Regression> {
        let mut worse = Vec::new();
        for (diagnoser, now) in &self.total {
            let Some(before) = baseline.total.get(diagnoser) else { continue };
            let mut push = |what: &str, change: String| {
                worse.push(Regression { diagnoser: diagnoser.clone(), what: what.to_owned(), change });
            };
            for ((what, is), (_, was)) in now.proportions().into_iter().zip(before.proportions()) {
                if was.share().is_some_and(|was| is.of > 0 && is.interval().1 < was) {
                    push(what, format!("{was} → {is}"));
                }
            }
            for (what, is, was) in
                [("harmful", now.harmful, before.harmful), ("false_tickets", now.false_tickets, before.false_tickets)]
            {
                if is > was {
                    push(what, format!("{was} → {is}"));
                }
            }
        }
        worse
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::run_result::{ActionTaken, DiagnosisGiven};
    use super::*;
    use crate::scenario::ActionVerdict;

    /// A run in which everything is right.
    pub(in super::super) fn result(scenario: &str, seed: u64) -> RunResult {
        RunResult {
            key: RunKey { scenario: scenario.to_owned(), diagnoser: "reasoner".to_owned(), seed },
            started_at_ms: 1_760_000_000_000,
            version: "0.1.0".to_owned(),
            outcome: RunOutcome::Finished,
            ticket_expected: true,
            false_tickets: Vec::new(),
            detected_after_ms: Some(4_000 + seed),
            detection_bound_ms: Some(7_000),
            diagnosis: Some(DiagnosisGiven {
                locus: "component:node-1".to_owned(),
                class: "ComponentDown".to_owned(),
                probability: 0.9,
                locus_right: true,
                class_right: true,
            }),
            truth: vec!["component:node-1 ComponentDown|ComponentSlow".to_owned()],
            actions: vec![action("start_component", ActionVerdict::Right)],
            action_expected: true,
            recovered_after_ms: Some(9_000),
            cost: Cost { tokens: 10, usd: 0.5, diagnosing_ms: 3 },
            recording: Some("R1-0.jsonl".to_owned()),
        }
    }

    fn action(name: &str, verdict: ActionVerdict) -> ActionTaken {
        ActionTaken { name: name.to_owned(), target: "component:node-1".to_owned(), executed: true, verdict }
    }

    fn quiet(seed: u64) -> RunResult {
        RunResult {
            ticket_expected: false,
            action_expected: false,
            detected_after_ms: None,
            diagnosis: None,
            actions: Vec::new(),
            recovered_after_ms: None,
            truth: vec!["nothing NoFault".to_owned()],
            ..result("R13", seed)
        }
    }

    fn all_wrong(seed: u64) -> RunResult {
        let mut wrong = result("R1", seed);
        wrong.detected_after_ms = None;
        wrong.recovered_after_ms = None;
        wrong.false_tickets = vec!["high latency on node-2".to_owned()];
        if let Some(diagnosis) = &mut wrong.diagnosis {
            diagnosis.class = "LinkDown".to_owned();
            (diagnosis.locus_right, diagnosis.class_right) = (false, false);
        }
        wrong.actions.insert(0, action("reset_counter", ActionVerdict::Harmful));
        wrong
    }

    #[test]
    fn right_runs_have_full_marks_and_no_misses() {
        let results = [result("R1", 0), result("R1", 1), result("R2", 0), quiet(0)];
        let card = Scorecard::of(&results);
        let total = &card.total["reasoner"];
        assert_eq!(total.detected, Proportion { hits: 4, of: 4 });
        assert_eq!(total.locus, Proportion { hits: 3, of: 3 }, "where nobody asks, nobody answers");
        assert_eq!(total.in_time, Proportion { hits: 3, of: 3 });
        assert_eq!(total.first_action, Proportion { hits: 4, of: 4 });
        assert_eq!((total.harmful, total.false_tickets), (0, 0));
        assert_eq!(total.time_to_detect, Quantiles { count: 3, p50_ms: 4_000, p90_ms: 4_001, max_ms: 4_001 });
        assert_eq!(total.cost, Cost { tokens: 40, usd: 2.0, diagnosing_ms: 12 });
        assert_eq!(card.by_scenario["reasoner"].keys().collect::<Vec<_>>(), ["R1", "R13", "R2"]);
        assert!(card.misses.is_empty() && card.invalid.is_empty());
    }

    #[test]
    fn every_thing_that_went_wrong_is_named() {
        let card = Scorecard::of(&[all_wrong(3)]);
        let total = &card.total["reasoner"];
        assert_eq!(total.proportions().map(|(_, proportion)| proportion.hits), [0; 6]);
        assert_eq!((total.harmful, total.false_tickets), (1, 1));
        assert_eq!(
            card.misses[0].why,
            [
                "no ticket",
                "false ticket: high latency on node-2",
                "wrong place: component:node-1 LinkDown (90 %) instead of component:node-1 ComponentDown|ComponentSlow",
                "wrong first action: reset_counter on component:node-1",
                "harmful action taken: reset_counter on component:node-1",
                "not recovered",
            ]
        );
        let cell = &card.confusion["reasoner"].cells[0];
        assert_eq!(
            (cell.truth.as_str(), cell.said.as_str(), cell.count),
            ("ComponentDown|ComponentSlow", "LinkDown", 1)
        );
    }

    #[test]
    fn a_ticket_where_none_is_wanted_is_a_miss() {
        let mut noisy = quiet(0);
        noisy.false_tickets.push("burst".to_owned());
        noisy.actions.push(action("update_limit", ActionVerdict::Harmful));
        let card = Scorecard::of(&[noisy]);
        let total = &card.total["reasoner"];
        assert_eq!((total.detected.hits, total.first_action.hits, total.harmful), (0, 0, 1));
    }

    #[test]
    fn a_run_that_the_lab_spoilt_counts_neither_way() {
        let mut invalid = all_wrong(0);
        invalid.outcome = RunOutcome::Invalid { why: "redis-server did not start".to_owned() };
        let card = Scorecard::of(&[invalid, result("R1", 1)]);
        assert_eq!(card.total["reasoner"].detected, Proportion { hits: 1, of: 1 });
        assert_eq!(card.invalid.len(), 1);
    }

    #[test]
    fn a_regression_is_more_than_chance_and_any_harm() {
        let good: Vec<_> = (0..20).map(|seed| result("R1", seed)).collect();
        let mut slightly = good.clone();
        slightly[0].actions.clear();
        let baseline = Scorecard::of(&good);
        assert!(Scorecard::of(&good).regressions(&baseline).is_empty());
        let bad: Vec<_> = (0..20).map(all_wrong).collect();
        let what: Vec<_> = Scorecard::of(&bad).regressions(&baseline).into_iter().map(|r| r.what).collect();
        assert_eq!(what, ["detected", "locus", "class", "first_action", "recovered", "harmful", "false_tickets"]);
        let mut once = good.clone();
        once[0].actions.push(action("reset_counter", ActionVerdict::Harmful));
        let what: Vec<_> = Scorecard::of(&once).regressions(&baseline).into_iter().map(|r| r.what).collect();
        assert_eq!(what, ["harmful"]);
    }
}
