//! What the actions with an idempotency key share: they go through a node that works on the Redis that was looked at, and
//! whether they happened stands in that Redis.

use operator_protocols::{ActionRequest, Effect, ExecutionToken, Guard, Receipt, Sent, Timestamp, Unavailable, Value};

use super::context::{self, cannot_tell, facts};
use super::live_nodes::LiveNodes;
use super::{Context, target};
use crate::client::{Endpoint, Precondition};
use crate::client_error::ClientError;
use crate::inspector::Inspection;

/// What was looked at: Redis, its run_id, and that some node works on it.
pub(super) struct Ground {
    pub(super) redis: Inspection,
    pub(super) run_id: String,
}

/// Finds out on what ground a change would be made; otherwise the guard that says why not.
pub(super) async fn ground(context: &Context<'_>, at: Timestamp) -> Result<Ground, Guard> {
    let looked = async {
        let redis = context.inspector.connect().await?;
        let run_id = redis.info().await?.run_id;
        Ok::<_, crate::inspector::InspectorError>(Ground { redis, run_id })
    };
    let ground = looked.await.map_err(|error| context::unknown(Unavailable::new("Redis", error.chain()), at))?;
    let live = LiveNodes::ask(context).await;
    match live.working_on(&ground.run_id) {
        Some(_) => Ok(ground),
        None => Err(context::no("no node decides through the expected Redis at present", at)),
    }
}

/// The precondition and the node to send to; otherwise why nothing is sent.
pub(super) async fn sender<'a>(
    context: &Context<'_>,
    request: &'a ActionRequest,
    guard: &'a Guard,
    token: &ExecutionToken,
) -> Result<(Endpoint, Precondition<'a>), Sent> {
    let run_id = guard.facts.get("run_id").and_then(Value::as_str);
    let run_id = run_id.ok_or_else(|| Sent::NotSent("its guard does not name the run_id of Redis".to_owned()))?;
    let live = LiveNodes::ask(context).await;
    let endpoint = live.working_on(run_id).cloned();
    let endpoint =
        endpoint.ok_or_else(|| Sent::NotSent("no node decides through the Redis that was looked at".to_owned()))?;
    Ok((endpoint, Precondition { intent: &request.intent, run_id, time_limit: token.time_limit() }))
}

/// What an error says of the send. A refused *repeat* proves nothing: the record of the first may be gone with the Redis
/// that had it.
pub(super) fn failed(error: &ClientError, token: &ExecutionToken) -> Sent {
    match error {
        ClientError::Status { status: 412, .. } if token.attempt() > 1 => Sent::Unknown(format!(
            "a repeat was refused, so whether the first was carried out is not known: {}",
            error.chain()
        )),
        _ => error.sent(),
    }
}

/// Whether Redis has a record of the intent. `happened` gets the key and the recorded answer.
pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest, happened: impl FnOnce(&str, u64)) -> Effect {
    let key = target(request);
    let looked = async { context.inspector.connect().await?.done(key, &request.intent).await };
    match looked.await {
        Ok(Some(done)) => {
            happened(key, done.answer);
            let facts = facts([("run_id", done.run_id.into()), ("answer", done.answer.into())]);
            Effect::Happened(Receipt { summary: format!("{} of {key} is on record", request.action), facts })
        }
        Ok(None) => Effect::Absent,
        Err(error) => cannot_tell(request, error.chain()),
    }
}
