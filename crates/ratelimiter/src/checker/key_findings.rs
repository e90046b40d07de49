//! Findings about keys: each told at its key, or, when they are many, folded into one about all keys.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Discrepancy, Evaluation, Finding, Locus, Verdict};

use super::FOLD_ABOVE;
use super::case::Case;
use crate::names;

/// Discrepancies of one claimant and kind that go along with a folded finding.
const SAMPLES: usize = 5;
/// Loci of one kind that go along with it.
const INVOLVED: usize = 20;

/// Turns the verdicts on single keys into evaluations. `otherwise` is the verdict on all keys when no key is violated.
pub(super) fn evaluations(
    case: &Case<'_>,
    invariant: &str,
    verdicts: BTreeMap<String, Verdict>,
    otherwise: Verdict,
) -> Vec<Evaluation> {
    let findings: Vec<(&String, &Finding)> = verdicts
        .iter()
        .filter_map(|(key, verdict)| match verdict {
            Verdict::Violated(finding) => Some((key, finding)),
            _ => None,
        })
        .collect();
    let folds = findings.len() > FOLD_ABOVE;
    let of_all = if folds {
        Verdict::Violated(folded(case, &findings))
    } else if findings.is_empty() {
        otherwise
    } else {
        Verdict::Suppressed("told at its keys".to_owned())
    };
    let mut evaluations = vec![Evaluation::new(invariant, names::all_keys(case.subject), of_all)];
    evaluations.extend(verdicts.into_iter().map(|(key, verdict)| {
        let verdict = match verdict {
            Verdict::Violated(_) if folds => Verdict::Suppressed("folded".to_owned()),
            verdict => verdict,
        };
        Evaluation::new(invariant, case.key(&key), verdict)
    }));
    evaluations
}

fn folded(case: &Case<'_>, findings: &[(&String, &Finding)]) -> Finding {
    let mut samples: BTreeMap<String, Vec<&Discrepancy>> = BTreeMap::new();
    for discrepancy in findings.iter().flat_map(|(_, finding)| &finding.discrepancies) {
        let claimant = discrepancy.claimed_by.as_ref().map(Locus::to_text).unwrap_or_default();
        samples.entry(format!("{claimant}/{:?}", discrepancy.kind)).or_default().push(discrepancy);
    }
    let components: BTreeSet<&Locus> = findings
        .iter()
        .flat_map(|(_, finding)| &finding.involves)
        .filter(|locus| !matches!(locus, Locus::Entity(_) | Locus::Change(_)))
        .collect();
    let keys = findings.iter().map(|(key, _)| case.key(key)).take(INVOLVED);
    let example = findings.first().map(|(_, finding)| finding.message.as_str()).unwrap_or_default();
    Finding {
        involves: components.into_iter().take(INVOLVED).cloned().chain(keys).collect(),
        discrepancies: samples.into_values().flat_map(|samples| samples.into_iter().take(SAMPLES)).cloned().collect(),
        persists: findings.iter().filter_map(|(_, finding)| finding.persists).max(),
        count: u32::try_from(findings.len()).unwrap_or(u32::MAX),
        ..Finding::new(
            format!("on {} keys, for example {example}", findings.len()),
            findings.iter().map(|(_, finding)| finding.measured).fold(0.0, f64::max),
            findings.first().map_or(0.0, |(_, finding)| finding.threshold),
        )
    }
}
