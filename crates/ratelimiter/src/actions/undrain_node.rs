//! `undrain_node`: a node that was drained takes traffic again. Only who drained it may do that.

use operator_protocols::{
    ActionClass, ActionDefinition, ActionRequest, Effect, ExecutionToken, Guard, Risk, Sent, TargetKind, Timestamp,
};

use super::context::{cannot_tell, facts, no, text, unknown, yes};
use super::drain_node::{OWNER, owner_param, receipt};
use super::{Context, SETTLE, target};
use crate::names::NODE;

pub(super) const NAME: &str = "undrain_node";

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        name: NAME.to_owned(),
        description: "Have a drained node take traffic again".to_owned(),
        params: vec![owner_param()],
        targets: vec![TargetKind::Component { kinds: vec![NODE.to_owned()] }],
        risk: Risk::Medium,
        class: ActionClass::Cas,
        reversible_by: None,
        remedies: Vec::new(),
        expected_effect: "the node takes its share of the traffic".to_owned(),
        settle_time: SETTLE,
        limits: None,
    }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let node = target(request);
    let Some(endpoint) = context.endpoint(node) else { return no("the node may not be contacted", at) };
    let (health, drain) = tokio::join!(context.client.health(endpoint), context.client.drain_state(endpoint, node));
    match (health, drain) {
        (Ok(_), Ok(drain)) if drain.draining && drain.owner.as_deref() != Some(text(request, OWNER)) => {
            no(format!("{node} was drained by {}", drain.owner.as_deref().unwrap_or("nobody")), at)
        }
        (Ok(health), Ok(drain)) => yes(Some(health.boot_id), facts([("drain_version", drain.version.into())]), at),
        (Err(error), _) | (_, Err(error)) => unknown(error.unavailable("whether the node is drained"), at),
    }
}

pub(super) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let node = target(request);
    let Some(endpoint) = context.endpoint(node) else {
        return Sent::NotSent("the node may not be contacted".to_owned());
    };
    match context.client.health(endpoint).await {
        Ok(health) if guard.incarnation.as_ref() == Some(&health.boot_id) => {}
        // A drain does not outlast a start.
        Ok(_) => return Sent::NotSent(format!("{node} started again since it was looked at")),
        Err(error) => return Sent::NotSent(error.chain()),
    }
    match context.client.undrain(endpoint, node, text(request, OWNER), token.time_limit()).await {
        Ok(drain) if !drain.draining => Sent::Done(receipt(&drain)),
        Ok(_) => Sent::Unknown(format!("{node} does not say that it takes traffic")),
        Err(error) => error.sent(),
    }
}

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    let node = target(request);
    let Some(endpoint) = context.endpoint(node) else {
        return cannot_tell(request, "the node may not be contacted".to_owned());
    };
    match context.client.drain_state(endpoint, node).await {
        Ok(drain) if drain.draining && drain.owner.as_deref() == Some(text(request, OWNER)) => Effect::Absent,
        Ok(drain) => Effect::Happened(receipt(&drain)),
        Err(error) => cannot_tell(request, error.chain()),
    }
}
