//! `observability_gap`: what is needed to judge cannot be read: Prometheus is silent, its targets belong to no store, or a
//! question has no answer. Without it a cluster would look well for want of numbers.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use crate::names;

const NAME: &str = "observability_gap";

/// Questions that are named in a finding.
const NAMED: usize = 5;

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "What is judged from metrics can be read", judge)
    .at("Prometheus")
    .unit("questions")
    .grace(60)
    .needs(&[Source::Metrics]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, names::prometheus(case.subject), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    let metrics = &case.details.metrics;
    if !metrics.configured {
        return Err(Verdict::Suppressed("there is no Prometheus in the settings".to_owned()));
    }
    let stores = metrics.stores.max(case.stores.len() as u64);
    if !metrics.answers {
        let why = metrics.silence.as_deref().unwrap_or("no reason is known");
        let read = metrics.answers_by_query.values().filter(|answer| answer.why_not.is_none()).count();
        let rest = if read > 0 {
            format!("{read} questions were answered by PD or the stores themselves")
        } else {
            format!("nothing is known of the work of {stores} stores")
        };
        let message = format!("Prometheus does not answer, and {rest}: {why}");
        return Ok(Verdict::Violated(Finding::new(message, metrics.answers_by_query.len().max(1) as f64, 0.0)));
    }
    if stores > 0 && metrics.joined_stores == 0 {
        let strangers: Vec<&str> = metrics.strangers.iter().take(3).map(String::as_str).collect();
        let there = if strangers.is_empty() {
            "it scrapes no store".to_owned()
        } else {
            format!("it scrapes {}, which belong to none", strangers.join(", "))
        };
        let message =
            format!("Prometheus answers, but of {stores} stores it knows none by their status address: {there}");
        return Ok(Verdict::Violated(Finding::new(message, stores as f64, 0.0)));
    }
    let unanswered: Vec<(&String, &String)> =
        metrics.answers_by_query.iter().filter_map(|(name, answer)| Some((name, answer.why_not.as_ref()?))).collect();
    if let Some((_, why)) = unanswered.first() {
        let named: Vec<&str> = unanswered.iter().take(NAMED).map(|(name, _)| name.as_str()).collect();
        let more = unanswered.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("Prometheus gives no answer to {}{more}: {why}", named.join(", "));
        return Ok(Verdict::Violated(Finding::new(message, unanswered.len() as f64, 0.0)));
    }
    if metrics.answers_by_query.is_empty() {
        return Err(untold("any answer", "Prometheus"));
    }
    Ok(Verdict::Ok)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, prometheus};
    use super::*;

    #[test]
    fn a_prometheus_that_is_silent_or_knows_no_store_is_told_and_one_that_is_not_wanted_is_not() {
        let mut scene = Scene::healthy();
        assert_eq!(scene.judge().verdict(NAME, &prometheus()), &Verdict::Ok);
        scene.details.metrics.joined_stores = 0;
        scene.details.metrics.strangers = vec!["10.0.0.1:20180".to_owned()];
        assert!(scene.judge().finding(NAME, &prometheus()).message.contains("10.0.0.1:20180"));
        scene.silence_prometheus();
        assert!(scene.judge().finding(NAME, &prometheus()).message.contains("does not answer"));
        scene.details.metrics.configured = false;
        assert!(scene.judge().suppressed(NAME, &prometheus()).contains("no Prometheus"));
    }

    #[test]
    fn a_question_without_an_answer_is_named_with_the_reason() {
        let mut scene = Scene::healthy();
        scene.unanswered("slow_score", "the query timed out");
        let judged = scene.judge();
        let finding = judged.finding(NAME, &prometheus());
        assert_eq!(finding.message, "Prometheus gives no answer to slow_score: the query timed out");
    }

    #[test]
    fn nothing_is_well_for_want_of_numbers() {
        let mut scene = Scene::healthy();
        scene.silence_prometheus();
        let judged = scene.judge();
        for evaluation in &judged.0 {
            let only_metrics = super::super::ALL
                .iter()
                .any(|invariant| invariant.name == evaluation.invariant && invariant.needs == [Source::Metrics]);
            assert!(!only_metrics || evaluation.verdict != Verdict::Ok, "{evaluation:?}");
        }
    }
}
