//! What can be done to a TiKV cluster: one action a file, each with its definition, its rules, the one request it sends,
//! and how it is seen whether it happened. How they are put together:
//!
//! - [`write`](mod@write) has every request there is; what it has no variant for cannot be sent.
//! - `live` is what PD says right now; `rules` are what must hold of it, anything unknown forbidding.
//! - An action is a pure function of both (`pd_action`); the facts of its guard include the request itself, word for word.
//! - [`execute`] reads everything again, and sends only if the plan is still the one that was approved.
//!
//! | action | risk | target | remedies |
//! |---|---|---|---|
//! | `transfer_leader`, `transfer_peer`, `cancel_operator` | low, medium, low | region | none by itself |
//! | `split_region` | low | region | LoadSurge, CapacityExhaustion: cures |
//! | `merge_region`, `scatter_region` | medium | region | none by itself |
//! | `drain_store` | medium | store | ComponentSlow, LinkSlow (at the caller), CapacityExhaustion: contains |
//! | `undrain_store` | low | drain, store | ExternalMutation, BadChange: cures |
//! | `pause_scheduler` | low | scheduler | none by itself |
//! | `resume_scheduler`, `add_scheduler` | low, medium | scheduler | ExternalMutation, BadChange: cures |
//! | `pause_checker`, `resume_checker` | medium, low | the whole | none by itself |
//! | `set_store_limit`, `set_store_weight` | low, medium | store | none by itself |
//! | `config_set` | medium | setting | none by itself |
//! | `config_restore` | medium | setting | BadChange: cures |
//! | `offline_store` | high | store | none by itself |
//! | `cancel_offline` | medium | store | ExternalMutation, BadChange: cures |
//! | `pd_transfer_leader` | medium | the member that leads | ComponentSlow, ClockSkew, CapacityExhaustion: cures |
//! | `pd_resign` | medium | the member that leads | none by itself |
//! | `start_component` | low | store, member, Prometheus | ComponentDown, ControlPlaneDown: cures |
//! | `restart_component` | high | store, member | ComponentDown, ConfigDivergence, StateDivergence: cures |
//!
//! All but the last two are of class `Query`: PD keeps no key of a request and takes no precondition, so a request that
//! comes late would be done again; it only shows what became of one. The last two are `Cas`, and offered only where there
//! is a driver.

mod add_scheduler;
mod aim;
mod cancel_offline;
mod cancel_operator;
mod config_restore;
mod config_set;
mod context;
mod define;
mod drain_store;
pub(crate) mod live;
mod memory;
mod merge_region;
mod offline_store;
mod pause_checker;
mod pause_scheduler;
mod pd_action;
mod pd_resign;
mod pd_transfer_leader;
mod process;
mod region_operator;
mod restart_component;
mod resume_checker;
mod resume_scheduler;
pub(crate) mod rules;
mod scatter_region;
mod send;
mod set_store_limit;
mod set_store_weight;
pub(crate) mod settings;
mod split_region;
mod start_component;
mod transfer_leader;
mod transfer_peer;
mod undrain_store;
pub(crate) mod verdict;
mod write;

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionRequest, Effect, ExecutionToken, Guard, Holds, RESTART_COMPONENT, START_COMPONENT, Sent,
    Timestamp, Unavailable,
};
use tokio::time::{Instant, timeout};

pub(crate) use aim::region_of;
pub(crate) use context::Context;
pub(crate) use live::LastLook;
pub(crate) use memory::Memory;
pub(crate) use offline_store::READS as SCALE_IN_READS;
pub(crate) use write::Scheduler;

use aim::Aim;
use live::{Live, Part};
use pd_action::{PdAction, told};
use verdict::{Planned, Refusal, Verdict};

/// How long everything that an action relies on may take to read.
const READING: Duration = Duration::from_secs(10);

/// What PD carries out.
const PD_ACTIONS: &[&dyn PdAction] = &[
    &transfer_leader::TransferLeader,
    &transfer_peer::TransferPeer,
    &cancel_operator::CancelOperator,
    &split_region::SplitRegion,
    &merge_region::MergeRegion,
    &scatter_region::ScatterRegion,
    &drain_store::DrainStore,
    &undrain_store::UndrainStore,
    &pause_scheduler::PauseScheduler,
    &resume_scheduler::ResumeScheduler,
    &add_scheduler::AddScheduler,
    &pause_checker::PauseChecker,
    &resume_checker::ResumeChecker,
    &set_store_limit::SetStoreLimit,
    &set_store_weight::SetStoreWeight,
    &config_set::ConfigSet,
    &config_restore::ConfigRestore,
    &offline_store::OfflineStore,
    &cancel_offline::CancelOffline,
    &pd_transfer_leader::PdTransferLeader,
    &pd_resign::PdResign,
];

/// Every action that can be offered.
pub(crate) fn definitions(with_driver: bool) -> Vec<ActionDefinition> {
    let mut definitions: Vec<_> = PD_ACTIONS.iter().map(|action| action.definition()).collect();
    if with_driver {
        definitions.extend([start_component::definition(), restart_component::definition()]);
    }
    definitions
}

fn pd_action(name: &str) -> Option<&'static dyn PdAction> {
    PD_ACTIONS.iter().copied().find(|action| action.definition().name == name)
}

/// Whether a request is one that is offered, aimed and parametrised rightly.
fn checked(context: &Context<'_>, request: &ActionRequest) -> Verdict {
    let definition = definitions(context.driver.is_some())
        .into_iter()
        .find(|definition| definition.name == request.action)
        .ok_or_else(|| Refusal::no(format!("there is no action {}", request.action)))?;
    // Aimed at nothing of this subject, it is not aimed, whatever kinds the definition names.
    let kind = context.kind_of(&request.target);
    if kind.is_none() || !definition.accepts(&request.target, kind) {
        return Err(Refusal::no(format!("{} cannot be aimed at {}", request.action, request.target)));
    }
    definition.validate(&request.params).map_err(|error| Refusal::no(error.to_string()))
}

/// Reads the facts that an action relies on.
pub(crate) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    if let Err(refusal) = checked(context, request) {
        return verdict::refused(&refusal, at);
    }
    let aim = Aim { request, memory: context.memory };
    match (pd_action(&request.action), request.action.as_str()) {
        (Some(action), _) => {
            let live = look(context, &action.reads(&aim), at).await;
            verdict::guard(&action.plan(&live, &aim), at)
        }
        (None, START_COMPONENT) => {
            let live = look(context, &[], at).await;
            start_component::guard(context, request, &live, at).await
        }
        (None, RESTART_COMPONENT) => {
            let live = look(context, &[Part::Replication], at).await;
            restart_component::guard(context, request, &live, at).await
        }
        (None, other) => verdict::refused(&Refusal::no(format!("there is no action {other}")), at),
    }
}

/// Carries an action out, once: everything is read again, and must be as it was when it was approved.
pub(crate) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    if token.intent() != request.intent {
        return Sent::NotSent("the token is of another intent".to_owned());
    }
    if let Err(refusal) = checked(context, request) {
        return Sent::NotSent(refusal.to_string());
    }
    if guard.holds != Holds::Yes {
        return Sent::NotSent(format!("its guard {}", guard.holds));
    }
    let at = guard.as_of;
    let aim = Aim { request, memory: context.memory };
    let first = token.attempt() <= 1;
    // On a repeat it may be what an earlier attempt did that stands in the way.
    let stopped = |why: String| if first { Sent::NotSent(why) } else { Sent::Unknown(why) };
    if let Some(action) = pd_action(&request.action) {
        let began = Instant::now();
        let live = look_within(context, &action.reads(&aim), at, READING.min(token.time_limit() / 2)).await;
        let plan = action.plan(&live, &aim);
        let fresh = verdict::guard(&plan, at);
        let left = token.time_limit().saturating_sub(began.elapsed());
        return match plan {
            Err(refusal) => stopped(refusal.to_string()),
            Ok(_) if differs(&fresh, guard) => stopped("it is not as it was when it was approved".to_owned()),
            Ok(Planned { write, .. }) => {
                action.remember(&live, &aim);
                send::send(context, &write, action.patience(), at, token.intent(), left).await
            }
        };
    }
    // On a repeat the driver itself tells whether the first one started it.
    if first {
        let fresh = self::guard(context, request, at).await;
        if fresh.holds != Holds::Yes {
            return Sent::NotSent(format!("its guard {}", fresh.holds));
        }
        if differs(&fresh, guard) {
            return Sent::NotSent("it was started since it was approved".to_owned());
        }
    }
    match request.action.as_str() {
        START_COMPONENT => start_component::execute(context, request, guard, token).await,
        RESTART_COMPONENT => restart_component::execute(context, request, guard, token).await,
        other => Sent::NotSent(format!("there is no action {other}")),
    }
}

fn differs(fresh: &Guard, approved: &Guard) -> bool {
    fresh.facts != approved.facts || fresh.incarnation != approved.incarnation
}

/// Whether an action happened.
pub(crate) async fn effect(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Effect {
    let effect = match checked(context, request) {
        Err(refusal) => Err(refusal),
        Ok(()) => seen(context, request, at).await,
    };
    told(&request.action, effect)
}

async fn seen(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Verdict<Effect> {
    let aim = Aim { request, memory: context.memory };
    match (pd_action(&request.action), request.action.as_str()) {
        (Some(action), _) => action.effect(&look(context, &action.reads(&aim), at).await, &aim),
        (None, START_COMPONENT) => start_component::effect(context, request).await,
        (None, RESTART_COMPONENT) => restart_component::effect(context, request).await,
        (None, other) => Err(Refusal::no(format!("there is no action {other}"))),
    }
}

/// Reads what PD says right now, within bounds.
pub(crate) async fn look(context: &Context<'_>, parts: &[Part], at: Timestamp) -> Live {
    look_within(context, parts, at, READING).await
}

async fn look_within(context: &Context<'_>, parts: &[Part], at: Timestamp, limit: Duration) -> Live {
    let read = timeout(limit, Box::pin(live::read(context.pd, parts, at))).await;
    let mut live = read.unwrap_or_else(|_| {
        let why = Unavailable::new("PD", format!("it did not answer within {limit:?}"));
        Live { members: Err(why.clone()), health: Err(why.clone()), stores: Err(why), ..Live::unread(at) }
    });
    live.last.clone_from(&context.last);
    live
}
