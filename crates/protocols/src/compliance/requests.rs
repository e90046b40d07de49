//! Guards, effects and refusals: what a subject owes whoever asks it to act.

use std::time::Duration;

use super::caller::Caller;
use super::hostile::{hostile_params, hostile_targets};
use super::parameters;
use super::report::Check;
use super::session::Session;
use crate::{ActionClass, ActionDefinition, ActionRequest, Effect, ExecutionToken, Guard, Holds, Sent, Timestamp};

const NO_ACTION: &str = "no action is offered";

/// For each action one request that fits, where something was seen that it can be aimed at.
pub(super) fn fitting<'a>(offered: &'a Session, seen: &Session) -> Vec<(&'a ActionDefinition, ActionRequest)> {
    let aimed = offered.actions.iter().filter_map(|action| {
        let target = action.targets.iter().find_map(|kind| seen.target(kind))?;
        let intent = format!("compliance-{}", action.name);
        let params = parameters::fitting(&action.params, &target, &intent);
        Some((action, ActionRequest { intent, action: action.name.clone(), target, params }))
    });
    aimed.collect()
}

/// Guards, effects and history, read of a healthy system.
pub(super) async fn reading(caller: &mut Caller, session: &Session) -> Vec<Check> {
    let (mut guards, mut still, mut fresh, mut past) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let requests = fitting(session, session);
    for (action, request) in &requests {
        let name = &action.name;
        let mut seen: Option<Guard> = None;
        for _ in 0..2 {
            let at = caller.now();
            match caller.call(&format!("guard of {name}"), || session.subject.guard(request, at)).await {
                Err(fault) => guards.push(fault),
                Ok(guard) if guard.as_of > caller.latest() => {
                    guards.push(format!("guard of {name} is dated {}, which has not come yet", guard.as_of));
                }
                Ok(guard) => {
                    let facts = |guard: &Guard| (guard.holds.clone(), guard.incarnation.clone(), guard.facts.clone());
                    if seen.as_ref().is_some_and(|before| facts(before) != facts(&guard)) {
                        still.push(format!("guard of {name}, read twice, states two things"));
                    }
                    seen = Some(guard);
                }
            }
        }
        let at = caller.now();
        match caller.call(&format!("effect of {name}"), || session.subject.effect(request, at)).await {
            Err(fault) => guards.push(fault),
            Ok(Effect::Happened(receipt)) if action.class == ActionClass::Keyed => {
                fresh.push(format!("{name}, which was never sent, happened: {}", receipt.summary));
            }
            Ok(Effect::UnderWay { progress: Some(progress) }) if !(0.0..=1.0).contains(&progress) => {
                guards.push(format!("effect of {name} is at {progress}, not between 0 and 1"));
            }
            Ok(_) => {}
        }
    }
    if let Some((from, to)) =
        session.rounds.first().zip(session.last()).map(|(first, last)| (first.now.at, last.now.at))
    {
        match caller.call("history", || session.subject.history(from, to)).await {
            Err(fault) => past.push(fault),
            Ok(Ok(kept)) => past.extend(disordered(&kept, from, to)),
            Ok(Err(_)) => {}
        }
    }
    let (nothing, keyed) = (requests.is_empty(), requests.iter().any(|(action, _)| action.class == ActionClass::Keyed));
    vec![
        Check::new("history.ordered", "the past is told oldest first, within what was asked for", past),
        Check::new("guards.answer", "guard and effect of a request that fits answer, dated", guards)
            .unless(nothing, NO_ACTION),
        Check::new("guards.still", "a guard states only facts that hold still while nothing happens", still)
            .unless(nothing, NO_ACTION),
        Check::new("effects.fresh", "a keyed action that was never sent has not happened", fresh)
            .unless(!keyed, "no keyed action could be aimed"),
    ]
}

fn disordered(kept: &[crate::Observation], from: Timestamp, to: Timestamp) -> Option<String> {
    let outside = kept.iter().any(|observation| observation.at < from || observation.at > to);
    let unordered = kept.windows(2).any(|pair| pair[0].at >= pair[1].at);
    (outside || unordered).then(|| format!("history from {from} to {to} is out of order or out of range"))
}

/// Requests that must be refused, made of a healthy system.
pub(super) async fn refusing(caller: &mut Caller, session: &Session) -> Vec<Check> {
    let (mut unknown, mut hostile) = (Vec::new(), Vec::new());
    let component = session.last().and_then(|last| last.now.components.first());
    let stranger = ActionRequest {
        intent: "compliance-unknown".to_owned(),
        action: "no_such_action".to_owned(),
        target: component.map_or(crate::Locus::Nothing, |component| crate::Locus::Component(component.id.clone())),
        params: std::collections::BTreeMap::new(),
    };
    unknown.extend(carried_out(caller, session, &stranger, "no_such_action").await);
    let requests = fitting(session, session);
    for (action, request) in &requests {
        for (what, params) in hostile_params(&action.params, &request.params) {
            let request = ActionRequest { params, ..request.clone() };
            hostile.extend(carried_out(caller, session, &request, &format!("{} with {what}", action.name)).await);
        }
        for (what, target) in hostile_targets(&request.target) {
            let request = ActionRequest { target, ..request.clone() };
            hostile.extend(carried_out(caller, session, &request, &format!("{} aimed at {what}", action.name)).await);
        }
    }
    vec![
        Check::new(
            "actions.unknown_refused",
            "an action that is not offered is refused, by guard and by execute",
            unknown,
        ),
        Check::new(
            "actions.hostile_refused",
            "parameters and targets that do not fit are refused, by guard and by execute itself",
            hostile,
        )
        .unless(requests.is_empty(), NO_ACTION),
    ]
}

/// How a request that must be refused was not.
async fn carried_out(caller: &mut Caller, session: &Session, request: &ActionRequest, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    let at = caller.now();
    let guard = match caller.call(&format!("guard of {what}"), || session.subject.guard(request, at)).await {
        Err(fault) => {
            found.push(fault);
            None
        }
        Ok(guard) => {
            if guard.holds == Holds::Yes {
                found.push(format!("guard of {what} holds"));
            }
            Some(guard)
        }
    };
    // The guard is made to hold: `execute` is the last to look, and must look for itself.
    let guard = Guard {
        holds: Holds::Yes,
        ..guard.unwrap_or(Guard { holds: Holds::Yes, incarnation: None, facts: request.params.clone(), as_of: at })
    };
    let minute = Duration::from_secs(60);
    let token = ExecutionToken::new(&*request.intent, 1, 1, at.plus(minute), minute);
    match caller.call(&format!("execute of {what}"), || session.subject.execute(request, &guard, &token)).await {
        Err(fault) => found.push(fault),
        Ok(Sent::NotSent(_) | Sent::NoEffect(_)) => {}
        Ok(sent) => found.push(format!("execute of {what} is {sent:?}")),
    }
    found
}

/// Whether anything was written since this was last asked.
pub(super) fn wrote_nothing(caller: &mut Caller, name: &'static str, obligation: &'static str) -> Check {
    let wrote = caller.take_writes();
    Check::new(name, obligation, wrote)
        .unless(!caller.counts_writes(), "nobody counts the writes: see Compliance::writes")
}
