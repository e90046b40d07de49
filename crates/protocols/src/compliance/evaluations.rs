//! What a checker owes: declared invariants, sound findings, and the same answer to the same question.

use super::caller::caught;
use super::hostile::hostile_observations;
use super::report::Check;
use super::session::Session;
use crate::{Evaluation, Finding, History, Verdict};

const UNSEEN: &str = "nothing was observed";

pub(super) fn checks(session: &Session) -> Vec<Check> {
    let nothing = session.rounds.iter().all(|round| round.evaluations.is_empty());
    let over = |name, obligation, look: &dyn Fn(&[Evaluation]) -> Vec<String>| {
        let mut found: Vec<String> = session.rounds.iter().flat_map(|round| look(&round.evaluations)).collect();
        found.dedup();
        Check::new(name, obligation, found).unless(nothing, "nothing was judged")
    };
    vec![
        Check::new(
            "invariants.defined",
            "an invariant has a name of its own in snake_case, a description, and a unit where it has a threshold",
            invariants(session),
        )
        .unless(session.invariants.is_empty(), "no invariant is declared"),
        over("evaluations.declared", "an evaluation names a declared invariant, once a locus", &|evaluations| {
            declared(session, evaluations)
        }),
        over("evaluations.sound", "a verdict says why, in finite numbers", &|evaluations| {
            evaluations.iter().filter_map(unsound).collect()
        }),
        Check::new("evaluations.healthy", "a healthy system is judged, and violates nothing", healthy(session))
            .unless(session.rounds.is_empty(), UNSEEN),
        Check::new(
            "check.pure",
            "the same observations are judged the same, whatever was judged between",
            pure(session),
        )
        .unless(nothing, "nothing was judged"),
        Check::new("check.robust", "no observation, however odd, makes the checker panic", robust(session))
            .unless(session.rounds.is_empty(), UNSEEN),
    ]
}

/// Whether a name is `snake_case`.
pub(super) fn snake_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn invariants(session: &Session) -> Vec<String> {
    let mut found = Vec::new();
    for (index, invariant) in session.invariants.iter().enumerate() {
        let name = &invariant.name;
        if !snake_case(name) {
            found.push(format!("{name:?} is not snake_case"));
        }
        if session.invariants[..index].iter().any(|other| other.name == *name) {
            found.push(format!("{name} is declared twice"));
        }
        if invariant.description.trim().is_empty() {
            found.push(format!("{name} has no description"));
        }
        if invariant.threshold.is_some() && invariant.unit.is_empty() {
            found.push(format!("{name} has a threshold without a unit"));
        }
        let numbers = [invariant.threshold, invariant.minimum_traffic];
        if numbers.into_iter().flatten().any(|number| !number.is_finite()) {
            found.push(format!("{name} has a threshold or a minimum traffic that is not finite"));
        }
    }
    found
}

fn declared(session: &Session, evaluations: &[Evaluation]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, evaluation) in evaluations.iter().enumerate() {
        if !session.invariants.iter().any(|invariant| invariant.name == evaluation.invariant) {
            found.push(format!("{} is not declared", evaluation.invariant));
        }
        let same = |other: &Evaluation| other.invariant == evaluation.invariant && other.on == evaluation.on;
        if evaluations[..index].iter().any(same) {
            found.push(format!("{} is judged twice at {}", evaluation.invariant, evaluation.on));
        }
    }
    found
}

fn unsound(evaluation: &Evaluation) -> Option<String> {
    let wrong = match &evaluation.verdict {
        Verdict::Ok | Verdict::Gone => None,
        Verdict::Violated(finding) => unsound_finding(finding),
        Verdict::Unknown(part) => {
            (part.what.is_empty() || part.why.is_empty()).then_some("does not say what is unknown")
        }
        Verdict::Suppressed(reason) => reason.is_empty().then_some("is suppressed without a reason"),
    };
    wrong.map(|wrong| format!("{} at {} {wrong}", evaluation.invariant, evaluation.on))
}

fn unsound_finding(finding: &Finding) -> Option<&'static str> {
    if finding.message.is_empty() {
        return Some("is violated without a message");
    }
    if finding.count == 0 {
        return Some("speaks for no locus");
    }
    let amounts = finding.discrepancies.iter().flat_map(|discrepancy| [discrepancy.amount, discrepancy.of]);
    if [finding.measured, finding.threshold].into_iter().chain(amounts).any(|number| !number.is_finite()) {
        return Some("measured something that is not finite");
    }
    let crowded = finding.discrepancies.iter().any(|discrepancy| discrepancy.agree > discrepancy.peers);
    crowded.then_some("has more claimants that agree than there are")
}

fn healthy(session: &Session) -> Vec<String> {
    let mut found = session.misjudged.clone();
    let Some(last) = session.last() else { return found };
    if !last.evaluations.iter().any(|evaluation| evaluation.verdict == Verdict::Ok) {
        found.push("no evaluation is ok".to_owned());
    }
    found.extend(last.evaluations.iter().filter_map(|evaluation| match &evaluation.verdict {
        Verdict::Violated(finding) => {
            Some(format!("{} at {} is violated: {}", evaluation.invariant, evaluation.on, finding.message))
        }
        _ => None,
    }));
    found
}

fn pure(session: &Session) -> Vec<String> {
    let mut found = Vec::new();
    for (index, round) in session.rounds.iter().enumerate() {
        // Compared as text: a number that is not finite is not even equal to itself.
        let before = format!("{:?}", round.evaluations);
        let other = &session.rounds[(index + 1) % session.rounds.len()];
        for _ in 0..2 {
            let again = caught(|| session.checker.check(&round.past, &round.now));
            if again.map(|again| format!("{again:?}")).as_ref() != Ok(&before) {
                found.push(format!("observation {} was judged in two ways", index + 1));
                break;
            }
            let _ = caught(|| session.checker.check(&other.past, &other.now));
        }
    }
    found
}

fn robust(session: &Session) -> Vec<String> {
    let mut found = Vec::new();
    let Some(last) = session.last() else { return found };
    for (what, odd) in hostile_observations(&last.now) {
        for past in [&History::new(), &last.past] {
            if let Err(fault) = caught(|| session.checker.check(past, &odd)) {
                found.push(format!("check {fault}, on {what}"));
            }
        }
        let mut odd_past = History::new();
        odd_past.push(std::sync::Arc::new(odd), std::time::Duration::MAX);
        if let Err(fault) = caught(|| session.checker.check(&odd_past, &last.now)) {
            found.push(format!("check {fault}, after {what}"));
        }
    }
    found.dedup();
    found
}
