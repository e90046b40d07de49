//! `resync_node`: a node connects to Redis anew and reads registry and limits again. It may be repeated at will.

use operator_protocols::{
    ActionClass, ActionDefinition, ActionRequest, ExecutionToken, Guard, Receipt, Risk, Sent, TargetKind, Timestamp,
};

use super::context::{Facts, facts, no, unknown, yes};
use super::{Context, SETTLE, target};
use crate::names::NODE;

pub(super) const NAME: &str = "resync_node";

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        name: NAME.to_owned(),
        description: "Have a node connect to Redis anew and read registry and stored limits again".to_owned(),
        params: Vec::new(),
        targets: vec![TargetKind::Component { kinds: vec![NODE.to_owned()] }],
        risk: Risk::Low,
        class: ActionClass::Cas,
        reversible_by: None,
        remedies: Vec::new(),
        expected_effect: "the node's view of nodes and limits is that of Redis".to_owned(),
        settle_time: SETTLE,
        limits: None,
    }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let Some(endpoint) = context.endpoint(target(request)) else {
        return no("the node may not be contacted", at);
    };
    match context.client.health(endpoint).await {
        Ok(health) => yes(Some(health.boot_id), Facts::new(), at),
        Err(error) => unknown(error.unavailable("the node"), at),
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
        Ok(_) => return Sent::NotSent(format!("{node} started again since it was looked at")),
        Err(error) => return Sent::NotSent(error.chain()),
    }
    match context.client.resync(endpoint, token.time_limit()).await {
        Ok(done) if done.resynced => Sent::Done(Receipt {
            summary: format!("{node} read {} nodes and {} limits again", done.nodes, done.limits),
            facts: facts([("nodes", done.nodes.into()), ("limits", done.limits.into())]),
        }),
        Ok(_) => Sent::Unknown(format!("{node} does not say that it read its view again")),
        Err(error) => error.sent(),
    }
}
