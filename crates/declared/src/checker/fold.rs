//! Many places of one kind that violate one invariant at once are one finding about what they share.

use operator_protocols::{Evaluation, Finding, Locus, Verdict};

use super::scene::{Scene, Verdicts};

/// More places than this that violate one invariant at once are one finding.
pub const FOLD_ABOVE: usize = 20;
/// Places and discrepancies that go along with it.
const SAMPLES: usize = 20;

/// Turns verdicts into evaluations. The group of places is judged too, where it may be large.
pub(super) fn evaluations(scene: &Scene<'_>, verdicts: Verdicts) -> Vec<Evaluation> {
    let name = &scene.invariant.name;
    let single = |on: Locus, verdict| Evaluation::new(name, on, verdict);
    let Some(group) = scene.signal.place.group(scene.subject).filter(|_| may_be_large(scene)) else {
        return verdicts.into_iter().map(|(on, verdict)| single(on, verdict)).collect();
    };
    let findings: Vec<(&Locus, &Finding)> = verdicts
        .iter()
        .filter_map(|(on, verdict)| match verdict {
            Verdict::Violated(finding) => Some((on, finding)),
            _ => None,
        })
        .collect();
    let folds = findings.len() > FOLD_ABOVE;
    let of_all = if folds {
        Verdict::Violated(folded(&findings))
    } else if !findings.is_empty() {
        Verdict::Suppressed("told at each".to_owned())
    } else if verdicts.values().any(|verdict| *verdict == Verdict::Ok) {
        Verdict::Ok
    } else if verdicts.is_empty() {
        // No data is not health.
        scene.without(&group, None)
    } else {
        Verdict::Suppressed("told at each".to_owned())
    };
    let mut evaluations = vec![single(group, of_all)];
    evaluations.extend(verdicts.into_iter().map(|(on, verdict)| match verdict {
        Verdict::Violated(_) if folds => single(on, Verdict::Suppressed("folded".to_owned())),
        verdict => single(on, verdict),
    }));
    evaluations
}

/// Whether there may be more places than are told one by one; it does not change while the file is the same.
fn may_be_large(scene: &Scene<'_>) -> bool {
    let known = scene.signal.place.known(scene.subject, &scene.file.components, &scene.file.dependencies);
    known.is_empty() || known.len() > FOLD_ABOVE
}

fn folded(findings: &[(&Locus, &Finding)]) -> Finding {
    let far = |finding: &Finding| (finding.measured - finding.threshold).abs();
    let worst = findings.iter().max_by(|a, b| far(a.1).total_cmp(&far(b.1)));
    let (example, measured, threshold) = worst.map_or((String::new(), 0.0, 0.0), |(on, finding)| {
        (format!("{on}: {}", finding.message), finding.measured, finding.threshold)
    });
    let discrepancies = findings.iter().flat_map(|(_, finding)| &finding.discrepancies);
    Finding {
        involves: findings.iter().map(|(on, _)| (*on).clone()).take(SAMPLES).collect(),
        discrepancies: discrepancies.take(SAMPLES).cloned().collect(),
        count: u32::try_from(findings.len()).unwrap_or(u32::MAX),
        ..Finding::new(format!("{} at once, for example {example}", findings.len()), measured, threshold)
    }
}
