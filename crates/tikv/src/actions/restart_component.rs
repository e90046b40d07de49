//! `restart_component`: a store or a member of PD whose process runs is stopped and started as declared; once, whatever is
//! repeated, since it names the start that it ends.
//!
//! A store that works is restarted only when it leads nothing and no other store is missing; a member of PD that works only
//! when it does not lead and all others answer. What hangs is restarted with less: a store that neither PD nor Prometheus
//! hears of, a member that the others do not hear of. A store that PD does not hear of while Prometheus does is left alone:
//! only its link to PD is cut, and a restart would end what it still serves.

use operator_protocols::{
    ActionDefinition, ActionRequest, DriverError, Effect, ExecutionToken, Guard, Holds, Risk, Sent, Timestamp,
    restart_component,
};
use std::time::Duration;
use tokio::time::timeout;

use super::context::Context;
use super::define::{SETTLE_MOVES, STORE_LIMITS};
use super::live::Live;
use super::process::{self, Role, receipt, refused, role};
use super::rules::{control_plane, maintenance, member, quorum, store};
use super::verdict::{self, Facts, Refusal, Verdict, facts, known};
use crate::names;

/// What Prometheus said longer ago says nothing of now.
const SCRAPED_WITHIN: Duration = Duration::from_secs(60);

pub(super) fn definition() -> ActionDefinition {
    let definition = restart_component(&[names::STORE, names::MEMBER], SETTLE_MOVES);
    ActionDefinition { risk: Risk::High, limits: Some(STORE_LIMITS), ..definition }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, live: &Live, at: Timestamp) -> Guard {
    match plan(context, request, live).await {
        Ok((incarnation, facts)) => Guard { holds: Holds::Yes, incarnation: Some(incarnation), facts, as_of: at },
        Err(refusal) => verdict::refused(&refusal, at),
    }
}

async fn plan(context: &Context<'_>, request: &ActionRequest, live: &Live) -> Verdict<(String, Facts)> {
    let (driver, id) = (process::driver(context)?, context.id(request));
    match role(&id.local) {
        Role::Store(store) => store_may_restart(context, live, store)?,
        Role::Member(name) => member_may_restart(live, name)?,
        Role::Prometheus => return Err(Refusal::no("Prometheus is not restarted while it runs")),
    }
    let status = process::status(driver, &id).await?;
    if !status.running {
        return Err(Refusal::no(format!("the process of {id} does not run")));
    }
    let incarnation = status
        .incarnation
        .ok_or_else(|| Refusal::unknown(format!("the process of {id}"), "the driver does not say which start of it"))?;
    Ok((incarnation, facts([("running", true.into())])))
}

pub(super) fn store_may_restart(context: &Context<'_>, live: &Live, id: u64) -> Verdict {
    control_plane::steers(live)?;
    let target = store::exists(live, id)?;
    let others: Vec<u64> = quorum::silent(live)?.into_iter().filter(|other| *other != id).collect();
    if !others.is_empty() {
        return Err(Refusal::no(format!(
            "store {} does not answer: without store {id} as well regions may lose their majority",
            quorum::list(&others)
        )));
    }
    if live.answers(target) == Some(false) {
        return hangs(live, id);
    }
    quorum::is_safe(live)?;
    maintenance::is_nobody_elses(live, context.memory)?;
    if target.leader_count > 0 {
        return Err(Refusal::no(format!("store {id} leads {} regions: drain it first", target.leader_count)));
    }
    let lagging = known(&live.stores)?.values().find(|other| other.id != id && other.pending_peers > 0);
    lagging.map_or(Ok(()), |other| {
        Err(Refusal::no(format!("{} peers on store {} wait for their log", other.pending_peers, other.id)))
    })
}

/// Prometheus does not hear of the store either.
fn hangs(live: &Live, id: u64) -> Verdict {
    let scraped = live
        .last
        .as_ref()
        .filter(|last| live.at.since(last.at) <= SCRAPED_WITHIN)
        .and_then(|last| last.details.metrics.store("store_scraped", id));
    match scraped {
        Some(up) if up > 0.0 => Err(Refusal::no(format!(
            "PD does not hear of store {id}, but it answers Prometheus: its link to PD is cut, and it may still serve"
        ))),
        Some(_) => Ok(()),
        None => Err(Refusal::unknown(
            format!("whether store {id} still serves"),
            "PD does not hear of it, and nobody else was asked lately",
        )),
    }
}

pub(super) fn member_may_restart(live: &Live, name: &str) -> Verdict {
    member::can_be_spared(live, name)?;
    if known(&live.health)?.get(name) == Some(&false) {
        return Ok(());
    }
    let members = control_plane::steers(live)?;
    if members.leader.as_deref() == Some(name) {
        return Err(Refusal::no(format!("{name} leads PD: have another member lead first")));
    }
    quorum::is_safe(live)
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
    let Some(incarnation) = guard.incarnation.as_deref() else {
        return Sent::NotSent("its guard does not name the start that it should end".to_owned());
    };
    let id = context.id(request);
    context.memory.starts_after(&request.intent, Some(incarnation));
    match timeout(token.time_limit(), driver.restart_if(&id, incarnation)).await {
        Ok(Ok(status)) => Sent::Done(receipt(&format!("{id} was started again"), &status)),
        // A repeat that finds another start: the first one ended the start it named.
        Ok(Err(DriverError::Incarnation { actual: Some(actual), .. })) if token.attempt() > 1 => Sent::Done(receipt(
            &format!("{id} is another start already"),
            &operator_protocols::ProcessStatus { running: true, incarnation: Some(actual), exit: None },
        )),
        Ok(Err(error @ DriverError::Incarnation { .. })) if token.attempt() > 1 => Sent::Unknown(error.to_string()),
        Ok(Err(error)) => refused(&error),
        Err(_) => Sent::Unknown(format!("the driver did not answer within {:?}", token.time_limit())),
    }
}

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Verdict<Effect> {
    let (driver, id) = (process::driver(context)?, context.id(request));
    let ended = context.memory.started_after(&request.intent).ok_or_else(|| {
        Refusal::unknown(format!("whether {id} was restarted"), "which start was to end is not known in this process")
    })?;
    let status = process::status(driver, &id).await?;
    Ok(match status {
        status if status.running && status.incarnation != ended => {
            Effect::Happened(receipt(&format!("{id} is another start"), &status))
        }
        status if status.running => Effect::Absent,
        _ => Effect::UnderWay { progress: None },
    })
}
