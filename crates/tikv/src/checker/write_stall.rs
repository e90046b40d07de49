//! `write_stall`: the storage engine takes in more than it can compact, and holds writes back.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, bytes, time};
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::RATE_WINDOW;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "write_stall";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store's engine compacts as fast as it is written to", judge).critical().unit("1").grace(60);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let (files_limit, debt_limit) = (case.limit(Limit::Level0Files), case.limit(Limit::PendingCompaction));
    let evaluations = case.each_living_store(NAME, |id, _| {
        let stall = case.metric("write_stall_p99", id);
        let discard = case.metric("flow_discard_ratio", id);
        let files = case.metric("level0_files", id);
        let debt = case.metric("pending_compaction", id);
        let mut signs = Vec::new();
        let mut sign = |words: String, over: f64| signs.push((words, over));
        if let Ok(stall) = stall.as_ref().map(|stall| *stall)
            && stall > 0.0
        {
            sign(format!("writes are held back for {}", time(stall)), 1.0 + stall);
        }
        if let Ok(discard) = discard.as_ref().map(|discard| *discard)
            && discard > 0.0
        {
            sign(format!("{:.0} % of the writes are turned away", discard * 100.0), 1.0 + discard);
        }
        if let Ok(files) = files.as_ref().map(|files| *files)
            && files > files_limit
        {
            sign(format!("{files:.0} files wait at level 0"), files / files_limit);
        }
        if let Ok(debt) = debt.as_ref().map(|debt| *debt)
            && debt > debt_limit
        {
            sign(format!("{} wait for compaction", bytes(debt)), debt / debt_limit);
        }
        if signs.is_empty() {
            stall?;
            discard?;
            files?;
            return debt.map(|_| Verdict::Ok);
        }
        let worst = signs.iter().map(|(_, over)| *over).fold(1.0, f64::max);
        let words: Vec<_> = signs.into_iter().map(|(words, _)| words).collect();
        let message = format!("{}: {}", names::store(id), words.join(", "));
        Ok(Verdict::Violated(Finding { persists: Some(RATE_WINDOW), ..Finding::new(message, worst, 1.0) }))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    #[test]
    fn each_sign_of_compaction_that_lags_is_a_finding() {
        for (metric, value, violated) in [
            ("write_stall_p99", 0.0, false),
            ("write_stall_p99", 0.001, true),
            ("flow_discard_ratio", 0.1, true),
            ("level0_files", 40.0, false),
            ("level0_files", 41.0, true),
            ("pending_compaction", 200.0 * 1024.0 * 1024.0 * 1024.0, true),
        ] {
            let mut scene = Scene::healthy();
            scene.metric(metric, 5, value);
            assert_eq!(scene.judge().is_violated(NAME, &store(5)), violated, "{metric} {value}");
        }
    }

    #[test]
    fn one_sign_that_is_missing_leaves_it_unknown() {
        for metric in ["write_stall_p99", "level0_files", "pending_compaction"] {
            let mut scene = Scene::healthy();
            scene.no_metric(metric, 5);
            assert!(matches!(scene.judge().verdict(NAME, &store(5)), Verdict::Unknown(_)), "{metric}");
        }
    }
}
