//! `scheduler_busy`: a store refuses writes because those before are not done. What is slow lies below, most often.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, bytes};
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::RATE_WINDOW;
use super::write_path;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "scheduler_busy";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store's scheduler refuses no write and is not about to", judge)
        .critical()
        .limit(Limit::WritingBytes)
        .grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_living_store(NAME, |id, _| {
        let refused = case.metric("scheduler_too_busy", id);
        let writing = case.metric("scheduler_writing_bytes", id);
        let limit = case.limit(Limit::WritingBytes);
        let name = names::store(id);
        let message = match (&refused, &writing) {
            (Ok(refused), _) if *refused > 0.0 => format!("{name} refuses {refused:.1} writes a second as too busy"),
            (_, Ok(writing)) if *writing > limit => {
                format!("{name} is writing {}, more than {}", bytes(*writing), bytes(limit))
            }
            _ => {
                refused?;
                return writing.map(|_| Verdict::Ok);
            }
        };
        let stage = write_path::slowest_stage(case, id).map_or_else(String::new, |stage| format!("; {stage}"));
        Ok(Verdict::Violated(Finding {
            persists: Some(RATE_WINDOW),
            ..Finding::new(message + &stage, writing.unwrap_or(0.0), limit)
        }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn refusing_and_being_about_to_are_findings() {
        for (refused, writing, violated) in [(0.0, 1e6, false), (0.2, 1e6, true), (0.0, 9e7, true)] {
            let mut scene = Scene::healthy();
            scene.metric("scheduler_too_busy", 1, refused);
            scene.metric("scheduler_writing_bytes", 1, writing);
            assert_eq!(scene.judge().is_violated(NAME, &store(1)), violated, "{refused} {writing}");
        }
    }

    #[test]
    fn a_counter_that_never_counted_is_zero_but_a_gauge_that_is_missing_is_unknown() {
        let mut scene = Scene::healthy();
        scene.no_metric("scheduler_too_busy", 1);
        assert_eq!(scene.judge().verdict(NAME, &store(1)), &Verdict::Ok);
        scene.no_metric("scheduler_writing_bytes", 1);
        assert!(matches!(scene.judge().verdict(NAME, &store(1)), Verdict::Unknown(_)));
        scene.no_metric("store_scraped", 1);
        scene.metric("scheduler_writing_bytes", 1, 1e6);
        let judged = scene.judge();
        assert!(matches!(judged.verdict(NAME, &store(1)), Verdict::Unknown(_)), "nothing says it is scraped");
    }
}
