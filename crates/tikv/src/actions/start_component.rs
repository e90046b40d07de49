//! `start_component`: a store, a member of PD or Prometheus whose process does not run is started as declared. It is the one
//! action that needs no PD: where everything is dead, starting is what helps.

use operator_protocols::{
    ActionDefinition, ActionLimits, ActionRequest, DriverError, Effect, ExecutionToken, Guard, Holds, Id,
    ProcessStatus, Sent, Timestamp, start_component,
};
use tokio::time::timeout;

use super::context::Context;
use super::define::SETTLE;
use super::live::Live;
use super::process::{self, Role, is_heard_of, receipt, refused, role};
use super::verdict::{self, Facts, Refusal, Verdict, facts};
use crate::details::StoreState;
use crate::names;

/// What does not stay up is not started for ever: more than three starts in half an hour are a crash loop.
const LIMITS: ActionLimits = ActionLimits { per_target_per_hour: 6, per_subject_per_hour: 10 };

pub(super) fn definition() -> ActionDefinition {
    let kinds = [names::STORE, names::MEMBER, names::PROMETHEUS];
    ActionDefinition { limits: Some(LIMITS), ..start_component(&kinds, SETTLE) }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, live: &Live, at: Timestamp) -> Guard {
    match plan(context, request, live).await {
        Ok((incarnation, facts)) => Guard { holds: Holds::Yes, incarnation, facts, as_of: at },
        Err(refusal) => verdict::refused(&refusal, at),
    }
}

async fn plan(context: &Context<'_>, request: &ActionRequest, live: &Live) -> Verdict<(Option<String>, Facts)> {
    let (driver, id) = (process::driver(context)?, context.id(request));
    let role = role(&id.local);
    belongs(live, role)?;
    let status = process::status(driver, &id).await?;
    if status.running {
        return Err(Refusal::no(format!("the process of {id} runs")));
    }
    // Somebody else may have started it, where this driver does not see it.
    if is_heard_of(live, role) == Some(true) && !was_heard_before(live, role) {
        return Err(Refusal::no(format!("PD hears of {id}, although the driver knows no process of it")));
    }
    Ok((status.incarnation, facts([("running", false.into())])))
}

/// A store that died a moment ago still counts as heard of for as long as its last heartbeat is young: only one that
/// came since the last look shows that it lives.
fn was_heard_before(live: &Live, role: Role<'_>) -> bool {
    let Role::Store(id) = role else { return false };
    let now = live.stores.as_ref().ok().and_then(|stores| stores.get(&id)).and_then(|store| store.last_heartbeat_ms);
    let before = live.last.as_ref().and_then(|last| last.details.stores.get(&id)).and_then(|one| one.last_heartbeat_ms);
    now.is_some() && now == before
}

/// A store that PD removed, or does not know, is not started: it would serve nobody, or disturb.
fn belongs(live: &Live, role: Role<'_>) -> Verdict {
    let (Role::Store(id), Ok(stores)) = (role, &live.stores) else { return Ok(()) };
    match stores.get(&id).map(|store| store.state) {
        Some(StoreState::Tombstone) | None => Err(Refusal::no(format!("PD knows no store {id}, or removed it"))),
        Some(_) => Ok(()),
    }
}

pub(super) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let driver = match process::driver(context) {
        Ok(driver) => driver,
        Err(why) => return Sent::NotSent(why.to_string()),
    };
    let (id, last) = (context.id(request), guard.incarnation.as_deref());
    context.memory.starts_after(&request.intent, last);
    match timeout(token.time_limit(), driver.start_if(&id, last)).await {
        Ok(Ok(status)) => Sent::Done(receipt(&format!("{id} was started"), &status)),
        // A repeat that finds another start: the first one made it, and it has ended again.
        Ok(Err(DriverError::StartedSince { actual, .. })) if token.attempt() > 1 => Sent::Done(receipt(
            &started_and_ended(&id),
            &ProcessStatus { running: false, incarnation: actual, exit: None },
        )),
        Ok(Err(error)) => refused(&error),
        Err(_) => Sent::Unknown(format!("the driver did not answer within {:?}", token.time_limit())),
    }
}

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Verdict<Effect> {
    let id = context.id(request);
    let status = process::status(process::driver(context)?, &id).await?;
    let before = context.memory.started_after(&request.intent);
    Ok(if status.running {
        Effect::Happened(receipt(&format!("the process of {id} runs"), &status))
    } else if before.is_some_and(|last| last != status.incarnation) {
        Effect::Happened(receipt(&started_and_ended(&id), &status))
    } else {
        Effect::Absent
    })
}

fn started_and_ended(id: &Id) -> String {
    format!("{id} was started since it was looked at, and has ended again")
}
