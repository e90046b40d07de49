//! `start_component`: a component whose process does not run is started as declared; once, whatever is repeated and even
//! if it ends again meanwhile, since it names the start that was the last before it.

use operator_protocols::{
    ActionDefinition, ActionRequest, DriverError, Effect, ExecutionToken, Guard, Id, ProcessStatus, Receipt, Sent,
    Timestamp, Unavailable, start_component,
};
use tokio::time::timeout;

use super::context::{cannot_tell, facts, no, refused, unknown, yes};
use super::{Context, SETTLE, target};

pub(super) fn definition() -> ActionDefinition {
    start_component(&[], SETTLE)
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let Some(driver) = context.driver else { return no("there is no driver", at) };
    let id = context.id(request);
    match driver.status(&id).await {
        Ok(status) if status.running => no(format!("the process of {id} runs"), at),
        Ok(status) => {
            // Somebody else may have started it, where this driver does not see it.
            if let Some(endpoint) = context.endpoint(target(request))
                && context.client.livez(endpoint).await.is_ok()
            {
                return no(format!("{id} answers, although the driver knows no process of it"), at);
            }
            // The last start: whoever started it since, the guard is another one then.
            yes(status.incarnation, facts([("running", false.into())]), at)
        }
        Err(error) => unknown(Unavailable::new(format!("the process of {id}"), error.to_string()), at),
    }
}

pub(super) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let Some(driver) = context.driver else { return Sent::NotSent("there is no driver".to_owned()) };
    let id = context.id(request);
    let last = guard.incarnation.as_deref();
    context.starts.remember(&request.intent, last);
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

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    let Some(driver) = context.driver else { return cannot_tell(request, "there is no driver".to_owned()) };
    let id = context.id(request);
    match driver.status(&id).await {
        Ok(status) if status.running => Effect::Happened(receipt(&format!("the process of {id} runs"), &status)),
        Ok(status) if context.starts.before(&request.intent).is_some_and(|last| last != status.incarnation) => {
            Effect::Happened(receipt(&started_and_ended(&id), &status))
        }
        Ok(_) => Effect::Absent,
        Err(error) => cannot_tell(request, error.to_string()),
    }
}

fn started_and_ended(id: &Id) -> String {
    format!("{id} was started since it was looked at, and has ended again")
}

pub(super) fn receipt(summary: &str, status: &ProcessStatus) -> Receipt {
    let facts = facts([("running", status.running.into()), ("incarnation", status.incarnation.clone().into())]);
    Receipt { summary: summary.to_owned(), facts }
}
