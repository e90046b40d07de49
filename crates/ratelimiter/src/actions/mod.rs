//! What can be done to a rate limiter: one action a file, each with its definition, its guard, how it is carried out and
//! how it is seen whether it happened.
//!
//! | action | class, risk | target | remedies |
//! |---|---|---|---|
//! | `reset_counter` | Keyed, medium | key | ExternalMutation: cures |
//! | `update_limit` | Keyed, medium | key | BadChange: cures |
//! | `resync_node` | Cas, low | node | none by itself |
//! | `drain_node` | Cas, medium | node | LinkDown, LinkSlow (at the caller), ComponentSlow, StateDivergence, ConfigDivergence: contains |
//! | `undrain_node` | Cas, medium | node | takes a drain back |
//! | `start_component` | Cas, low | any | ComponentDown: cures |
//! | `restart_component` | Cas, medium | node | ComponentDown, ConfigDivergence, StateDivergence: cures |
//!
//! The last two are offered only where there is a driver.

mod context;
mod drain_node;
mod keyed;
mod live_nodes;
mod reset_counter;
mod restart_component;
mod resync_node;
mod start_component;
mod undrain_node;
mod update_limit;

use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionRequest, Effect, ExecutionToken, Guard, Locus, RESTART_COMPONENT, START_COMPONENT, Sent,
    Timestamp,
};

pub(crate) use context::{Context, Starts};

/// How long every action is watched before it is judged: two intervals of the monitor.
const SETTLE: Duration = Duration::from_secs(10);

/// Every action that can be offered.
pub(crate) fn definitions(with_driver: bool) -> Vec<ActionDefinition> {
    let mut definitions = vec![
        reset_counter::definition(),
        update_limit::definition(),
        resync_node::definition(),
        drain_node::definition(),
        undrain_node::definition(),
    ];
    if with_driver {
        definitions.extend([start_component::definition(), restart_component::definition()]);
    }
    definitions
}

/// Whether a request is one that is offered, aimed and parametrised rightly.
fn checked(context: &Context<'_>, request: &ActionRequest) -> Result<(), String> {
    let definition = definitions(context.driver.is_some())
        .into_iter()
        .find(|definition| definition.name == request.action)
        .ok_or_else(|| format!("there is no action {}", request.action))?;
    // Aimed at nothing of this subject, it is not aimed, whatever kinds the definition names.
    let kind = context.kind_of(&request.target);
    if kind.is_none() || !definition.accepts(&request.target, kind) {
        return Err(format!("{} cannot be aimed at {}", request.action, request.target));
    }
    definition.validate(&request.params).map_err(|error| error.to_string())
}

/// Reads the facts that an action relies on.
pub(crate) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    if let Err(why) = checked(context, request) {
        return context::no(why, at);
    }
    match request.action.as_str() {
        reset_counter::NAME => reset_counter::guard(context, request, at).await,
        update_limit::NAME => update_limit::guard(context, request, at).await,
        resync_node::NAME => resync_node::guard(context, request, at).await,
        drain_node::NAME => drain_node::guard(context, request, at).await,
        undrain_node::NAME => undrain_node::guard(context, request, at).await,
        START_COMPONENT => start_component::guard(context, request, at).await,
        RESTART_COMPONENT => restart_component::guard(context, request, at).await,
        other => context::no(format!("there is no action {other}"), at),
    }
}

/// Carries an action out, once.
pub(crate) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    if token.intent() != request.intent {
        return Sent::NotSent("the token is of another intent".to_owned());
    }
    if let Err(why) = checked(context, request) {
        return Sent::NotSent(why);
    }
    if guard.holds != operator_protocols::Holds::Yes {
        return Sent::NotSent(format!("its guard {}", guard.holds));
    }
    match request.action.as_str() {
        reset_counter::NAME => reset_counter::execute(context, request, guard, token).await,
        update_limit::NAME => update_limit::execute(context, request, guard, token).await,
        resync_node::NAME => resync_node::execute(context, request, guard, token).await,
        drain_node::NAME => drain_node::execute(context, request, guard, token).await,
        undrain_node::NAME => undrain_node::execute(context, request, guard, token).await,
        START_COMPONENT => start_component::execute(context, request, guard, token).await,
        RESTART_COMPONENT => restart_component::execute(context, request, guard, token).await,
        other => Sent::NotSent(format!("there is no action {other}")),
    }
}

/// Whether an action happened.
pub(crate) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    if let Err(why) = checked(context, request) {
        return context::cannot_tell(request, why);
    }
    match request.action.as_str() {
        reset_counter::NAME => keyed::effect(context, request, |_, _| {}).await,
        update_limit::NAME => update_limit::effect(context, request).await,
        drain_node::NAME => drain_node::effect(context, request).await,
        undrain_node::NAME => undrain_node::effect(context, request).await,
        START_COMPONENT => start_component::effect(context, request).await,
        RESTART_COMPONENT => restart_component::effect(context, request).await,
        resync_node::NAME => {
            context::cannot_tell(request, "a node keeps no record of when it read its view again".to_owned())
        }
        other => context::cannot_tell(request, format!("there is no action {other}")),
    }
}

/// The name of what an action is aimed at.
fn target(request: &ActionRequest) -> &str {
    match &request.target {
        Locus::Component(id) => &id.local,
        Locus::Entity(entity) => &entity.key,
        _ => "",
    }
}
