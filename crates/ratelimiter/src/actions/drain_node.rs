//! `drain_node`: a node takes no more traffic, until its owner takes that back or it ends by itself.
//!
//! It is never the last healthy node, and what goes on serving is never less than a majority of the expected nodes.

use operator_protocols::{
    ActionClass, ActionDefinition, ActionRequest, Effect, ExecutionToken, FaultClass, Guard, ParamDefinition,
    ParamKind, ParamSource, Receipt, Remedy, RemedyOn, Risk, Sent, TargetKind, Timestamp, Value,
};

use super::context::{cannot_tell, facts, no, text, unknown, yes};
use super::live_nodes::LiveNodes;
use super::{Context, SETTLE, target};
use crate::api::Drain;
use crate::client_error::ClientError;
use crate::names::NODE;

pub(super) const NAME: &str = "drain_node";
pub(super) const OWNER: &str = "owner";
const TTL_S: &str = "ttl_s";
/// A quarter of an hour: long enough to look, short enough to be forgotten.
const DEFAULT_TTL_S: i64 = 900;

pub(super) fn owner_param() -> ParamDefinition {
    ParamDefinition {
        name: OWNER.to_owned(),
        description: "Who drained it: the intent of the drain, which is also who may take it back".to_owned(),
        kind: ParamKind::Text { max_bytes: 200 },
        source: ParamSource::IntentId,
        default: None,
    }
}

pub(super) fn definition() -> ActionDefinition {
    let contains = Remedy::contains;
    ActionDefinition {
        name: NAME.to_owned(),
        description: "Have a node refuse new traffic for a time, so that load balancers pass it by".to_owned(),
        params: vec![
            owner_param(),
            ParamDefinition {
                name: TTL_S.to_owned(),
                description: "After how many seconds it ends by itself".to_owned(),
                kind: ParamKind::Integer { min: 1, max: 86_400 },
                source: ParamSource::Policy,
                default: Some(Value::Int(DEFAULT_TTL_S)),
            },
        ],
        targets: vec![TargetKind::Component { kinds: vec![NODE.to_owned()] }],
        risk: Risk::Medium,
        class: ActionClass::Cas,
        reversible_by: Some(super::undrain_node::NAME.to_owned()),
        remedies: vec![
            contains(FaultClass::LinkDown).on(RemedyOn::EdgeFrom),
            contains(FaultClass::LinkSlow).on(RemedyOn::EdgeFrom),
            contains(FaultClass::ComponentSlow),
            contains(FaultClass::StateDivergence),
            contains(FaultClass::ConfigDivergence),
        ],
        expected_effect: "the node's traffic goes to the others".to_owned(),
        settle_time: SETTLE,
        limits: None,
    }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let node = target(request);
    let Some(endpoint) = context.endpoint(node) else { return no("the node may not be contacted", at) };
    let (live, drain) = tokio::join!(LiveNodes::ask(context), context.client.drain_state(endpoint, node));
    let drain = match drain {
        Ok(drain) => drain,
        Err(error) => return unknown(error.unavailable("whether the node is drained"), at),
    };
    let Some(health) = live.of(node) else { return no(format!("{node} does not answer: a drain cannot reach it"), at) };
    let owner = text(request, OWNER);
    if drain.draining && drain.owner.as_deref() != Some(owner) {
        return no(format!("{node} is drained already, by {}", drain.owner.as_deref().unwrap_or("nobody")), at);
    }
    let (expected, serving) = (live.expected(), live.others_serving(node));
    let majority = expected / 2 + 1;
    if serving < majority {
        return no(format!("it would leave {serving} of {expected} nodes serving, fewer than {majority}"), at);
    }
    if live.others_healthy(node) == 0 {
        return no("no other node is healthy", at);
    }
    let facts = facts([("drain_version", drain.version.into()), ("drained", drain.draining.into())]);
    yes(Some(health.boot_id.clone()), facts, at)
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
        Ok(_) => return Sent::NotSent(format!("{node} started again since it was looked at")),
        Err(error) => return Sent::NotSent(error.chain()),
    }
    let (owner, ttl_s) = (text(request, OWNER), request.params.get(TTL_S).and_then(Value::as_u64));
    let ttl_s = ttl_s.unwrap_or(DEFAULT_TTL_S.unsigned_abs());
    let version = guard.facts.get("drain_version").and_then(Value::as_u64);
    match context.client.drain(endpoint, node, owner, ttl_s, version, token.time_limit()).await {
        Ok(drain) if held_by(&drain, owner) => Sent::Done(receipt(&drain)),
        Ok(_) => Sent::Unknown(format!("{node} does not say that it is drained")),
        Err(error @ ClientError::Status { status: 412, .. }) => {
            match context.client.drain_state(endpoint, node).await {
                // A repeat of a drain that was carried out: the version moved on by it.
                Ok(drain) if held_by(&drain, owner) => Sent::Done(receipt(&drain)),
                Ok(_) => Sent::NoEffect(error.chain()),
                Err(_) if token.attempt() == 1 => Sent::NoEffect(error.chain()),
                Err(_) => Sent::Unknown(error.chain()),
            }
        }
        Err(error) => error.sent(),
    }
}

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    let node = target(request);
    let Some(endpoint) = context.endpoint(node) else {
        return cannot_tell(request, "the node may not be contacted".to_owned());
    };
    match context.client.drain_state(endpoint, node).await {
        Ok(drain) if held_by(&drain, text(request, OWNER)) => Effect::Happened(receipt(&drain)),
        Ok(_) => Effect::Absent,
        Err(error) => cannot_tell(request, error.chain()),
    }
}

fn held_by(drain: &Drain, owner: &str) -> bool {
    drain.draining && drain.owner.as_deref() == Some(owner)
}

pub(super) fn receipt(drain: &Drain) -> Receipt {
    let summary = match &drain.until {
        Some(until) if drain.draining => format!("{} is drained until {until}", drain.id),
        _ if drain.draining => format!("{} is drained", drain.id),
        _ => format!("{} takes traffic", drain.id),
    };
    let facts = facts([
        ("draining", drain.draining.into()),
        ("owner", drain.owner.clone().into()),
        ("until", drain.until.clone().into()),
        ("version", drain.version.into()),
    ]);
    Receipt { summary, facts }
}
