//! `reset_counter`: a key's counters start afresh.

use operator_protocols::{
    ActionClass, ActionDefinition, ActionRequest, ExecutionToken, FaultClass, Guard, Receipt, Remedy, Risk, Sent,
    TargetKind, Timestamp, Unavailable,
};

use super::context::{facts, unknown, yes};
use super::{Context, SETTLE, keyed, target};
use crate::names::KEY;

pub(super) const NAME: &str = "reset_counter";

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        name: NAME.to_owned(),
        description:
            "Start the counters of a key afresh, in all its windows: what was counted until now no longer counts"
                .to_owned(),
        params: Vec::new(),
        targets: vec![TargetKind::Entity { kind: KEY.to_owned() }],
        risk: Risk::Medium,
        class: ActionClass::Keyed,
        reversible_by: None,
        remedies: vec![Remedy::cures(FaultClass::ExternalMutation)],
        expected_effect: "what the nodes admit and what Redis records for the key agree again".to_owned(),
        settle_time: SETTLE,
        limits: None,
    }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let ground = match keyed::ground(context, at).await {
        Ok(ground) => ground,
        Err(guard) => return guard,
    };
    match ground.redis.generation(target(request)).await {
        Ok(generation) => yes(None, facts([("run_id", ground.run_id.into()), ("generation", generation.into())]), at),
        Err(error) => unknown(Unavailable::new("the generation of the key", error.chain()), at),
    }
}

pub(super) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let (endpoint, precondition) = match keyed::sender(context, request, guard, token).await {
        Ok(sender) => sender,
        Err(sent) => return sent,
    };
    match context.client.reset(&endpoint, target(request), precondition).await {
        Ok(done) => Sent::Done(Receipt {
            summary: format!("the counters of {} were started afresh", done.key),
            facts: facts([("generation", done.generation.into())]),
        }),
        Err(error) => keyed::failed(&error, token),
    }
}
