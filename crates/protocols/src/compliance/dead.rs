//! What a subject owes over a system of which nothing answers.

use std::time::Duration;

use super::blindness::{clears, judged_blind};
use super::caller::Caller;
use super::parameters;
use super::report::Check;
use super::requests;
use super::session::Session;
use crate::{ComponentState, Locus, Observation, ProbeRequest, Timestamp, Verdict};

const ANSWERS: (&str, &str) = ("dead.answers", "every call answers within the deadline when nothing else does");
const SAYS_SO: (&str, &str) =
    ("dead.says_so", "no part of a dead system is up, and the observation says what is missing");
const JUDGED: (&str, &str) =
    ("dead.judged", "nothing about a dead system is ok or gone, and something is unknown or violated");

pub(super) fn skipped() -> Vec<Check> {
    let why = "no dead system was given: see Compliance::dead";
    [ANSWERS, SAYS_SO, JUDGED].map(|(name, obligation)| Check::skipped(name, obligation, why)).into()
}

pub(super) async fn checks(
    caller: &mut Caller,
    dead: Result<Session, String>,
    healthy: Option<&Session>,
    interval: Duration,
) -> Vec<Check> {
    let dead = match dead {
        Ok(dead) => dead,
        Err(fault) => return vec![Check::new(ANSWERS.0, ANSWERS.1, vec![fault])],
    };
    let mut answers = dead.blunders.clone();
    answers.extend(calls(caller, &dead, healthy.unwrap_or(&dead)).await);
    let says_so = dead.rounds.iter().flat_map(|round| pretends(&round.now)).collect();
    let nothing = dead.rounds.is_empty();
    vec![
        Check::new(ANSWERS.0, ANSWERS.1, answers),
        Check::new(SAYS_SO.0, SAYS_SO.1, says_so).unless(nothing, "nothing was observed"),
        Check::new(JUDGED.0, JUDGED.1, judged(&dead, healthy, interval)).unless(nothing, "nothing was observed"),
    ]
}

/// Every reading call, of a system that does not answer.
async fn calls(caller: &mut Caller, dead: &Session, seen: &Session) -> Vec<String> {
    let mut found = Vec::new();
    for (action, request) in requests::fitting(dead, seen) {
        let at = caller.now();
        found
            .extend(caller.call(&format!("guard of {}", action.name), || dead.subject.guard(&request, at)).await.err());
        found.extend(
            caller.call(&format!("effect of {}", action.name), || dead.subject.effect(&request, at)).await.err(),
        );
    }
    for probe in &dead.probes {
        let at = caller.now();
        let params = parameters::fitting(&probe.params, &Locus::Nothing, "compliance");
        let request = ProbeRequest { probe: probe.name.clone(), target: Locus::Nothing, params };
        found.extend(caller.call(&format!("probe {}", probe.name), || dead.subject.probe(&request, at)).await.err());
    }
    let (from, to) = (Timestamp::default(), caller.now());
    found.extend(caller.call("history", || dead.subject.history(from, to)).await.err());
    found
}

fn pretends(now: &Observation) -> Vec<String> {
    let up = now.components.iter().filter(|component| component.state == ComponentState::Up);
    let mut found: Vec<_> = up.map(|component| format!("{} is up", component.id)).collect();
    let missing =
        |component: &crate::Component| matches!(component.state, ComponentState::Down | ComponentState::Unknown);
    if now.unavailable.is_empty() && !now.components.iter().any(missing) {
        found.push("nothing is down, unknown or unavailable".to_owned());
    }
    found
}

fn judged(dead: &Session, healthy: Option<&Session>, interval: Duration) -> Vec<String> {
    let mut found = dead.misjudged.clone();
    for round in &dead.rounds {
        found.extend(round.evaluations.iter().filter_map(clears));
        let noticed = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(_) | Verdict::Violated(_));
        if !round.evaluations.iter().any(|evaluation| noticed(&evaluation.verdict)) {
            found.push("nothing is unknown or violated".to_owned());
        }
    }
    // The same, when the system was seen alive before: only comparable where both carry one name.
    let same = healthy.filter(|healthy| healthy.descriptor.subject == dead.descriptor.subject);
    if let Some((healthy, last)) = same.zip(dead.last())
        && let Some((past, at)) = healthy.after_last(interval)
    {
        let now = Observation { at: at.max(last.now.at), ..(*last.now).clone() };
        let faults = judged_blind(&*healthy.checker, &past, &now);
        found.extend(faults.into_iter().map(|fault| format!("{fault}, just after it was alive")));
    }
    found.dedup();
    found
}
