//! `start_component`: a store, a member of PD or Prometheus whose process does not run is started as declared. It is the one
//! action that needs no PD: where everything is dead, starting is what helps.

use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionLimits, ActionRequest, DriverError, Effect, ExecutionToken, FaultClass, Guard, Holds, Id,
    ProcessStatus, Remedy, Sent, Timestamp, start_component,
};
use tokio::time::timeout;

use super::context::Context;
use super::define::SETTLE;
use super::live::Live;
use super::process::{self, Role, receipt, refused, role};
use super::verdict::{self, Facts, Refusal, Verdict, facts};
use crate::details::StoreState;
use crate::names;

/// What does not stay up is not started for ever: more than three starts in half an hour are a crash loop.
const LIMITS: ActionLimits = ActionLimits { per_target_per_hour: 6, per_subject_per_hour: 10 };

/// A store sends a heartbeat every ten seconds (`pd-store-heartbeat-tick-interval` in TiKV).
const HEARTBEAT_OVERDUE: Duration = Duration::from_secs(12);

pub(super) fn definition() -> ActionDefinition {
    let kinds = [names::STORE, names::MEMBER, names::PROMETHEUS];
    let mut definition = start_component(&kinds, SETTLE);
    // Where most members of PD are dead, they are started one by one.
    definition.remedies.push(Remedy::cures(FaultClass::ControlPlaneDown));
    ActionDefinition { limits: Some(LIMITS), ..definition }
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
    if is_heard_of(live, role) {
        return Err(Refusal::no(format!("PD hears of {id}, although the driver knows no process of it")));
    }
    Ok((status.incarnation, facts([("running", false.into())])))
}

/// Whether somebody else hears of it: then it runs where this driver does not see it. A store that died a moment ago is still
/// heard of for as long as its next heartbeat is not overdue. Where PD cannot say, nobody hears of it.
fn is_heard_of(live: &Live, role: Role<'_>) -> bool {
    match role {
        Role::Store(id) => live
            .stores
            .as_ref()
            .ok()
            .and_then(|stores| live.heartbeat_age(stores.get(&id)?))
            .is_some_and(|age| age <= HEARTBEAT_OVERDUE),
        Role::Member(name) => live.health.as_ref().is_ok_and(|health| health.get(name) == Some(&true)),
        Role::Prometheus => false,
    }
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
