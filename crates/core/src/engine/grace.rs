//! Grace and hysteresis, once for every subject: which violations begin, which are to be told, which are over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{
    ComponentState, Evaluation, Finding, InvariantDefinition, Locus, Observation, Severity, Timestamp, Verdict,
};

use crate::Violation;
use crate::violation::fingerprint;

/// The name of the invariant that the loop itself judges: that the others can be judged.
pub const MONITORING_GAP: &str = "monitoring_gap";

/// What one cycle's evaluations mean for the violations.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct GraceOutcome {
    /// New or changed.
    pub changed: Vec<Violation>,
    /// Those among the changed whose grace is over and that have no ticket yet, by fingerprint.
    pub due: Vec<String>,
    /// Those that are over, by fingerprint, with why.
    pub over: Vec<(String, &'static str)>,
}

/// The definition of [`MONITORING_GAP`].
pub(crate) fn monitoring_gap_definition(after: Duration) -> InvariantDefinition {
    InvariantDefinition {
        name: MONITORING_GAP.to_owned(),
        description: "What must hold can be judged".to_owned(),
        severity: Severity::Warning,
        threshold: Some(after.as_secs_f64()),
        unit: "s".to_owned(),
        grace: Duration::ZERO,
        clear_after: None,
        minimum_traffic: None,
    }
}

/// Judges what could not be judged: an evaluation that was unknown for `after` becomes a violation of
/// [`MONITORING_GAP`] at its locus, unless what it is about is known to be down.
pub(crate) fn judge_gaps(
    unknown_since: &mut BTreeMap<String, (Locus, String, Timestamp)>,
    evaluations: &[Evaluation],
    violations: &BTreeMap<String, Violation>,
    now: &Observation,
    after: Duration,
) -> Vec<Evaluation> {
    let mut still_unknown = BTreeSet::new();
    for evaluation in evaluations {
        if matches!(evaluation.verdict, Verdict::Unknown(_)) {
            let key = fingerprint(&evaluation.invariant, &evaluation.on);
            unknown_since
                .entry(key.clone())
                .or_insert_with(|| (evaluation.on.clone(), evaluation.invariant.clone(), now.at));
            still_unknown.insert(key);
        }
    }
    unknown_since.retain(|key, _| still_unknown.contains(key));
    let mut gaps: BTreeMap<Locus, (Vec<String>, Duration)> = BTreeMap::new();
    for (locus, invariant, since) in unknown_since.values() {
        let unknown_for = now.at.since(*since);
        if unknown_for >= after && !known_to_be_down(locus, now) {
            let gap = gaps.entry(locus.clone()).or_default();
            gap.0.push(invariant.clone());
            gap.1 = gap.1.max(unknown_for);
        }
    }
    let mut judged: Vec<_> = violations
        .values()
        .filter(|violation| violation.invariant == MONITORING_GAP && !gaps.contains_key(&violation.on))
        .map(|violation| Evaluation::new(MONITORING_GAP, violation.on.clone(), Verdict::Ok))
        .collect();
    for (locus, (invariants, unknown_for)) in gaps {
        let message = format!("{} could not be judged for {} s", invariants.join(", "), unknown_for.as_secs());
        let finding = Finding::new(message, unknown_for.as_secs_f64(), after.as_secs_f64());
        judged.push(Evaluation::new(MONITORING_GAP, locus, Verdict::Violated(finding)));
    }
    judged
}

/// Whether a component that `locus` names is down; for what names none, whether any is.
fn known_to_be_down(locus: &Locus, now: &Observation) -> bool {
    let named = locus.components();
    now.components.iter().any(|component| {
        component.state == ComponentState::Down && (named.is_empty() || named.contains(&&component.id))
    })
}

/// Applies one cycle's evaluations. What was not judged at all counts as unknown: it begins nothing and ends nothing.
pub(crate) fn apply(
    subject: &str,
    violations: &BTreeMap<String, Violation>,
    evaluations: &[Evaluation],
    definitions: &BTreeMap<String, InvariantDefinition>,
    at: Timestamp,
    interval: Duration,
) -> GraceOutcome {
    let mut outcome = GraceOutcome::default();
    for evaluation in evaluations {
        let Some(definition) = definitions.get(&evaluation.invariant) else { continue };
        let key = fingerprint(&evaluation.invariant, &evaluation.on);
        let existing = violations.get(&key);
        match (&evaluation.verdict, existing) {
            (Verdict::Violated(finding), existing) => {
                let violation = Violation {
                    subject: subject.to_owned(),
                    invariant: evaluation.invariant.clone(),
                    on: evaluation.on.clone(),
                    severity: definition.severity,
                    finding: finding.clone(),
                    first_seen: existing.map_or(at, |violation| violation.first_seen),
                    last_seen: at,
                    ok_since: None,
                    ticket: existing.and_then(|violation| violation.ticket.clone()),
                };
                if violation.pending() && at.since(violation.first_seen) >= definition.grace {
                    outcome.due.push(key);
                }
                outcome.changed.push(violation);
            }
            (Verdict::Ok, Some(existing)) => {
                let since = existing.ok_since.unwrap_or(at);
                if at.since(since) >= clear_after(definition, interval) {
                    outcome.over.push((key, "it has held again for long enough"));
                } else if existing.ok_since.is_none() {
                    outcome.changed.push(Violation { ok_since: Some(since), ..existing.clone() });
                }
            }
            (Verdict::Gone, Some(_)) => outcome.over.push((key, "what it was about is gone")),
            // Neither says that it holds: the time it has held so far does not count.
            (Verdict::Unknown(_) | Verdict::Suppressed(_), Some(existing)) if existing.ok_since.is_some() => {
                outcome.changed.push(Violation { ok_since: None, ..existing.clone() });
            }
            _ => {}
        }
    }
    outcome
}

/// How long an invariant must hold before its violation is over.
pub(crate) fn clear_after(definition: &InvariantDefinition, interval: Duration) -> Duration {
    definition.clear_after.unwrap_or(interval * 2)
}

#[cfg(test)]
mod tests {
    use operator_protocols::Unavailable;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn definition(grace: u64) -> BTreeMap<String, InvariantDefinition> {
        let definition = InvariantDefinition {
            name: "works".to_owned(),
            description: String::new(),
            severity: Severity::Critical,
            threshold: None,
            unit: "1".to_owned(),
            grace: Duration::from_secs(grace),
            clear_after: None,
            minimum_traffic: None,
        };
        BTreeMap::from([("works".to_owned(), definition)])
    }

    fn violated() -> Verdict {
        Verdict::Violated(Finding::new("broken", 1.0, 0.0))
    }

    /// Runs verdicts five seconds apart; gives the second at which a ticket was due and the one at which it was over.
    fn run(grace: u64, verdicts: &[Verdict]) -> (Vec<usize>, Vec<usize>) {
        let mut violations = BTreeMap::new();
        let (mut due, mut over) = (Vec::new(), Vec::new());
        for (i, verdict) in verdicts.iter().enumerate() {
            let at = Timestamp::from_millis(i as i64 * 5_000);
            let evaluation = Evaluation::new("works", Locus::component("s", "n"), verdict.clone());
            let outcome = apply("s", &violations, &[evaluation], &definition(grace), at, INTERVAL);
            for mut violation in outcome.changed {
                if outcome.due.contains(&violation.fingerprint()) {
                    due.push(i * 5);
                    violation.ticket = Some("T".to_owned());
                }
                violations.insert(violation.fingerprint(), violation);
            }
            for (key, _) in outcome.over {
                over.push(i * 5);
                violations.remove(&key);
            }
        }
        (due, over)
    }

    fn unknown() -> Verdict {
        Verdict::Unknown(Unavailable::new("n", "no answer"))
    }

    #[test]
    fn a_violation_is_told_when_its_grace_is_over_and_no_earlier() {
        assert_eq!(run(0, &[Verdict::Ok, violated()]).0, [5]);
        assert_eq!(run(10, &[violated(), violated(), violated(), violated()]).0, [10]);
        assert!(run(10, &[violated(), violated(), Verdict::Ok, Verdict::Ok, Verdict::Ok, violated()]).0.is_empty());
    }

    #[test]
    fn it_is_over_after_two_intervals_of_ok_without_a_break() {
        assert_eq!(run(0, &[violated(), Verdict::Ok, Verdict::Ok, Verdict::Ok]).1, [15]);
        assert!(run(0, &[violated(), Verdict::Ok, violated(), Verdict::Ok, Verdict::Ok]).1.is_empty());
    }

    #[test]
    fn not_knowing_clears_nothing_and_breaks_the_time_it_held() {
        assert!(run(0, &[violated(), unknown(), unknown(), unknown(), unknown()]).1.is_empty());
        let suppressed = || Verdict::Suppressed("idle".to_owned());
        assert!(run(0, &[violated(), suppressed(), suppressed(), suppressed()]).1.is_empty());
        assert!(run(0, &[violated(), Verdict::Ok, unknown(), Verdict::Ok, Verdict::Ok]).1.is_empty());
    }

    #[test]
    fn what_is_gone_is_over_at_once() {
        assert_eq!(run(0, &[violated(), Verdict::Gone]).1, [5]);
    }

    #[test]
    fn what_cannot_be_judged_for_a_minute_is_a_gap_unless_it_is_down() {
        let on = Locus::component("s", "n");
        let evaluation = Evaluation::new("works", on.clone(), unknown());
        let mut since = BTreeMap::new();
        let mut judge = |second: i64, evaluation: &Evaluation, down: bool| {
            let mut now = Observation::new(Timestamp::from_millis(second * 1000));
            if down {
                now.components.push(operator_protocols::Component {
                    id: operator_protocols::Id::new("s", "n"),
                    kind: "node".to_owned(),
                    address: None,
                    state: ComponentState::Down,
                    raw_state: "gone".to_owned(),
                    version: None,
                    labels: BTreeMap::new(),
                });
            }
            judge_gaps(&mut since, std::slice::from_ref(evaluation), &BTreeMap::new(), &now, Duration::from_secs(60))
        };
        assert!(judge(0, &evaluation, false).is_empty());
        assert!(judge(59, &evaluation, false).is_empty());
        assert!(judge(60, &evaluation, true).is_empty());
        assert_eq!(judge(61, &evaluation, false).len(), 1);
        assert!(judge(62, &Evaluation::new("works", on, Verdict::Ok), false).is_empty());
        assert!(judge(63, &evaluation, false).is_empty(), "the time it was unknown before does not count");
    }
}
