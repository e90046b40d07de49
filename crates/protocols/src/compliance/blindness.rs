//! Not seeing is not health: what was judged stays judged, and is unknown when nothing can be seen.

use std::collections::BTreeSet;
use std::time::Duration;

use super::caller::caught;
use super::report::Check;
use super::session::Session;
use crate::{
    ComponentState, DependencyState, Evaluation, History, InvariantChecker, Locus, Observation, Timestamp, Unavailable,
    Verdict,
};

pub(super) fn checks(session: &Session, interval: Duration) -> Vec<Check> {
    let nothing = session.last().is_none_or(|last| last.evaluations.is_empty());
    let mut blind = Vec::new();
    let mut vanished = cycles(session);
    if let (Some(last), Some((past, at))) = (session.last(), session.after_last(interval)) {
        for (how, now) in [("nothing is seen", unseen(at)), ("names alone are seen", named_only(&last.now, at))] {
            for (past, how) in [(&past, how.to_owned()), (&History::new(), format!("{how} and there is no past"))] {
                blind.extend(
                    judged_blind(&*session.checker, past, &now).into_iter().map(|m| format!("{m}, when {how}")),
                );
            }
            vanished.extend(missing(&*session.checker, &last.evaluations, &past, &now, how));
        }
        for component in &last.now.components {
            let on = Locus::Component(component.id.clone());
            let now = without(&last.now, &component.id, at);
            let about: Vec<_> = last.evaluations.iter().filter(|evaluation| evaluation.on == on).cloned().collect();
            vanished.extend(missing(&*session.checker, &about, &past, &now, &format!("{on} is not seen")));
        }
    }
    vanished.sort();
    vanished.dedup();
    let kept = "what was judged is judged again, or is gone; it is never left out";
    vec![
        Check::new("blind.never_ok", "nothing is ok or gone when nothing can be seen", blind)
            .unless(nothing, "nothing was judged"),
        Check::new("evaluations.never_vanish", kept, vanished).unless(nothing, "nothing was judged"),
    ]
}

/// The faults of a checker that sees nothing.
pub(super) fn judged_blind(checker: &dyn InvariantChecker, past: &History, now: &Observation) -> Vec<String> {
    let evaluations = match caught(|| checker.check(past, now)) {
        Ok(evaluations) => evaluations,
        Err(fault) => return vec![format!("check {fault}")],
    };
    evaluations.iter().filter_map(clears).collect()
}

/// What the evaluation clears, if anything.
pub(super) fn clears(evaluation: &Evaluation) -> Option<String> {
    let verdict = match &evaluation.verdict {
        Verdict::Ok => "ok",
        Verdict::Gone => "gone",
        _ => return None,
    };
    Some(format!("{} at {} is {verdict}", evaluation.invariant, evaluation.on))
}

/// What was judged in one cycle and left out in the next.
fn cycles(session: &Session) -> Vec<String> {
    let pairs = session.rounds.windows(2);
    pairs
        .flat_map(|pair| left_out(&pair[0].evaluations, &pair[1].evaluations, "from one observation to the next"))
        .collect()
}

fn missing(
    checker: &dyn InvariantChecker,
    before: &[Evaluation],
    past: &History,
    now: &Observation,
    how: &str,
) -> Vec<String> {
    match caught(|| checker.check(past, now)) {
        Ok(after) => left_out(before, &after, &format!("when {how}")),
        Err(fault) => vec![format!("check {fault}, when {how}")],
    }
}

fn left_out(before: &[Evaluation], after: &[Evaluation], when: &str) -> Vec<String> {
    let after: BTreeSet<_> = after.iter().map(|evaluation| (&evaluation.invariant, &evaluation.on)).collect();
    let lasting = before.iter().filter(|evaluation| evaluation.verdict != Verdict::Gone);
    let left = lasting.filter(|evaluation| !after.contains(&(&evaluation.invariant, &evaluation.on)));
    left.map(|evaluation| format!("{} at {} is left out {when}", evaluation.invariant, evaluation.on)).collect()
}

fn nothing_answers() -> Vec<Unavailable> {
    vec![Unavailable::new("everything", "nothing answers")]
}

fn unseen(at: Timestamp) -> Observation {
    Observation { unavailable: nothing_answers(), ..Observation::new(at) }
}

/// Components and links are still listed, and nothing is known of them.
fn named_only(seen: &Observation, at: Timestamp) -> Observation {
    let mut now = unseen(at);
    now.components.clone_from(&seen.components);
    now.dependencies.clone_from(&seen.dependencies);
    for component in &mut now.components {
        component.state = ComponentState::Unknown;
        component.raw_state.clear();
        component.version = None;
        component.labels.clear();
    }
    now.dependencies.iter_mut().for_each(|dependency| dependency.state = DependencyState::Unknown);
    now
}

/// The next observation, in which one component is not listed any more.
fn without(seen: &Observation, id: &crate::Id, at: Timestamp) -> Observation {
    let mut now = seen.clone();
    now.at = at;
    now.components.retain(|component| component.id != *id);
    now.dependencies.retain(|dependency| dependency.from != *id && dependency.to != *id);
    now.signals.retain(|signal| !signal.on.components().contains(&id));
    now
}
