//! `update_limit`: a key's stored limit is set, if nobody changed it meanwhile. Its stored window stays as it is.

use operator_protocols::{
    ActionClass, ActionDefinition, ActionRequest, Effect, ExecutionToken, FaultClass, Guard, ParamDefinition,
    ParamKind, ParamSource, Receipt, Remedy, RemedyOn, Risk, Sent, TargetKind, Timestamp, Unavailable, Value,
};

use super::context::{facts, unknown, yes};
use super::{Context, SETTLE, keyed, target};
use crate::api::MAX_QUANTITY;
use crate::names::KEY;

pub(super) const NAME: &str = "update_limit";
const LIMIT: &str = "limit";

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        name: NAME.to_owned(),
        description: "Set the stored limit of a key, which all nodes enforce from then on".to_owned(),
        params: vec![ParamDefinition {
            name: LIMIT.to_owned(),
            description: "The limit: the sum of costs accepted in one window".to_owned(),
            kind: ParamKind::Integer { min: 1, max: MAX_QUANTITY as i64 },
            source: ParamSource::ChangeBefore,
            default: None,
        }],
        targets: vec![TargetKind::Entity { kind: KEY.to_owned() }],
        risk: Risk::Medium,
        class: ActionClass::Keyed,
        reversible_by: None,
        remedies: vec![Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject)],
        expected_effect: "the key is limited as before the change".to_owned(),
        settle_time: SETTLE,
        limits: None,
    }
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let key = target(request).to_owned();
    let ground = match keyed::ground(context, at).await {
        Ok(ground) => ground,
        Err(guard) => return guard,
    };
    match ground.redis.limit_records(std::slice::from_ref(&key)).await {
        Ok(records) => {
            let record = records.get(&key).filter(|record| record.limit.is_some());
            let facts = facts([
                ("run_id", ground.run_id.into()),
                ("version", record.map(|record| record.version).into()),
                ("limit", record.and_then(|record| record.limit).into()),
                ("window_ms", record.and_then(|record| record.window_ms).into()),
            ]);
            yes(None, facts, at)
        }
        Err(error) => unknown(Unavailable::new("the stored limit of the key", error.chain()), at),
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
    let fact = |name: &str| guard.facts.get(name).and_then(Value::as_u64);
    let Some(limit) = request.params.get(LIMIT).and_then(Value::as_u64) else {
        return Sent::NotSent("it has no limit to set".to_owned());
    };
    let key = target(request);
    let put = context.client.put_limit(&endpoint, key, limit, fact("window_ms"), fact("version"), precondition);
    match put.await {
        Ok(done) => {
            context.own.remember(key, &request.intent, done.version);
            Sent::Done(Receipt {
                summary: format!("the limit of {} is {}", done.key, done.limit),
                facts: facts([("limit", done.limit.into()), ("version", done.version.into())]),
            })
        }
        Err(error) => keyed::failed(&error, token),
    }
}

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    keyed::effect(context, request, |key, version| context.own.remember(key, &request.intent, version)).await
}
