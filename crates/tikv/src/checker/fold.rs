//! Findings about stores: each told at its store, or, when most of them break one invariant at once, folded into one about
//! all stores: what they share is the cause, and the stores are where it shows.

use std::collections::BTreeSet;

use operator_protocols::{Evaluation, Finding, Locus, Verdict};

use super::case::Case;

/// More stores than this are folded even if they are few among all.
const ABOVE: usize = 20;
/// Fewer stores than this are no pattern.
const AT_LEAST: usize = 3;
/// Loci that go along with a folded finding; and discrepancies.
const SAMPLES: usize = 20;

/// Adds the evaluation of all stores to those of single ones, and folds them where they are many.
pub(super) fn folded(case: &Case<'_>, invariant: &str, evaluations: Vec<Evaluation>) -> Vec<Evaluation> {
    let violated = count(&evaluations, |verdict| matches!(verdict, Verdict::Violated(_)));
    let ok = count(&evaluations, |verdict| *verdict == Verdict::Ok);
    let folds = violated > ABOVE || (violated >= AT_LEAST && violated > ok);
    fold(case, invariant, evaluations, folds, Vec::new())
}

fn count(evaluations: &[Evaluation], is: impl Fn(&Verdict) -> bool) -> usize {
    evaluations.iter().filter(|evaluation| is(&evaluation.verdict)).count()
}

/// The same, where it is known whether they share a cause, and where that is.
pub(super) fn fold(
    case: &Case<'_>,
    invariant: &str,
    evaluations: Vec<Evaluation>,
    folds: bool,
    shared: Vec<Locus>,
) -> Vec<Evaluation> {
    let findings: Vec<(&Locus, &Finding)> = evaluations
        .iter()
        .filter_map(|evaluation| match &evaluation.verdict {
            Verdict::Violated(finding) => Some((&evaluation.on, finding)),
            _ => None,
        })
        .collect();
    let of_all = if findings.is_empty() {
        whole(&evaluations)
    } else if folds {
        Verdict::Violated(summary(case, &findings, shared))
    } else {
        Verdict::Suppressed("told at its stores".to_owned())
    };
    let mut folded: Vec<Evaluation> = evaluations
        .into_iter()
        .map(|evaluation| match evaluation.verdict {
            Verdict::Violated(_) if folds => {
                Evaluation { verdict: Verdict::Suppressed("folded".to_owned()), ..evaluation }
            }
            _ => evaluation,
        })
        .collect();
    folded.push(Evaluation::new(invariant, case.all_stores(), of_all));
    folded
}

/// The verdict on all, when none is violated.
fn whole(evaluations: &[Evaluation]) -> Verdict {
    let lasting: Vec<&Verdict> =
        evaluations.iter().map(|evaluation| &evaluation.verdict).filter(|verdict| **verdict != Verdict::Gone).collect();
    if lasting.iter().any(|verdict| matches!(verdict, Verdict::Unknown(_))) {
        Verdict::Suppressed("told at its stores".to_owned())
    } else if lasting.contains(&&Verdict::Ok) {
        Verdict::Ok
    } else {
        match lasting.first() {
            Some(verdict) => (*verdict).clone(),
            None => Verdict::Suppressed("there is no store".to_owned()),
        }
    }
}

fn summary(case: &Case<'_>, findings: &[(&Locus, &Finding)], shared: Vec<Locus>) -> Finding {
    let (example, first) = findings
        .iter()
        .max_by(|a, b| a.1.measured.total_cmp(&b.1.measured))
        .map_or_else(|| (String::new(), 0.0), |(_, finding)| (finding.message.clone(), finding.threshold));
    let members: BTreeSet<&Locus> = findings.iter().map(|(on, _)| *on).collect();
    let others = findings.iter().flat_map(|(_, finding)| &finding.involves);
    let mut involves = shared;
    for locus in members.into_iter().take(SAMPLES).chain(others) {
        if involves.len() < 2 * SAMPLES && !involves.contains(locus) {
            involves.push(locus.clone());
        }
    }
    Finding {
        involves,
        discrepancies: findings.iter().flat_map(|(_, finding)| &finding.discrepancies).take(SAMPLES).cloned().collect(),
        persists: findings.iter().filter_map(|(_, finding)| finding.persists).max(),
        count: u32::try_from(findings.len()).unwrap_or(u32::MAX),
        ..Finding::new(
            format!("on {} of {} stores, for example: {example}", findings.len(), case.stores.len()),
            findings.iter().map(|(_, finding)| finding.measured).fold(f64::MIN, f64::max),
            first,
        )
    }
}

#[cfg(test)]
mod tests {
    use operator_protocols::Verdict;

    use super::super::scene::{Scene, all_stores, store};

    const NAME: &str = "critical_error";

    #[test]
    fn most_stores_at_once_are_one_finding_with_count_and_samples_and_few_are_told_one_by_one() {
        let mut scene = Scene::healthy();
        scene.metric("critical_errors", 1, 1.0);
        scene.metric("critical_errors", 2, 2.0);
        assert_eq!(scene.judge().violated(), [(NAME, "store-1".to_owned()), (NAME, "store-2".to_owned())]);
        assert_eq!(scene.judge().suppressed(NAME, &all_stores()), "told at its stores");
        scene.metric("critical_errors", 3, 3.0);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "group tikv".to_owned())]);
        let finding = judged.finding(NAME, &all_stores());
        assert_eq!((finding.count, finding.measured), (3, 3.0));
        assert_eq!(finding.involves, [store(1), store(2), store(3)]);
        assert_eq!(judged.suppressed(NAME, &store(1)), "folded");
        assert_eq!(judged.verdict(NAME, &store(4)), &Verdict::Ok);
    }

    #[test]
    fn all_stores_are_well_only_when_each_that_is_judged_is() {
        let mut scene = Scene::healthy();
        assert_eq!(scene.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        scene.kill(2, 60.0);
        assert_eq!(scene.judge().verdict(NAME, &all_stores()), &Verdict::Ok);
        scene.no_metric("critical_errors", 3);
        scene.no_metric("store_scraped", 3);
        assert_eq!(scene.judge().suppressed(NAME, &all_stores()), "told at its stores");
    }
}
