//! `restart_component`: a node whose process runs is stopped and started as declared; once, whatever is repeated, since it
//! names the start that it ends. A healthy node is restarted only if another one is healthy too; a hung one always.

use operator_protocols::{
    ActionDefinition, ActionRequest, DriverError, Effect, ExecutionToken, Guard, Sent, Timestamp, Unavailable,
    restart_component,
};
use tokio::time::timeout;

use super::context::{cannot_tell, facts, no, refused, unknown, yes};
use super::live_nodes::LiveNodes;
use super::start_component::receipt;
use super::{Context, SETTLE, target};
use crate::api::Mode;
use crate::names::NODE;

pub(super) fn definition() -> ActionDefinition {
    restart_component(&[NODE], SETTLE)
}

pub(super) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let Some(driver) = context.driver else { return no("there is no driver", at) };
    let (id, node) = (context.id(request), target(request));
    let (status, live) = tokio::join!(driver.status(&id), LiveNodes::ask(context));
    let incarnation = match status {
        Ok(status) if !status.running => return no(format!("the process of {id} does not run"), at),
        Ok(status) => status.incarnation,
        Err(error) => return unknown(Unavailable::new(format!("the process of {id}"), error.to_string()), at),
    };
    let Some(incarnation) = incarnation else {
        return unknown(
            Unavailable::new(format!("the process of {id}"), "the driver does not say which start of it"),
            at,
        );
    };
    let healthy = live.of(node).is_some_and(|health| health.mode == Mode::Coordinated);
    if healthy && live.others_healthy(node) == 0 {
        return no(format!("{node} is the only healthy node"), at);
    }
    yes(Some(incarnation), facts([("running", true.into())]), at)
}

pub(super) async fn execute(
    context: &Context<'_>,
    request: &ActionRequest,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let Some(driver) = context.driver else { return Sent::NotSent("there is no driver".to_owned()) };
    let Some(incarnation) = guard.incarnation.as_deref() else {
        return Sent::NotSent("its guard does not name the start that it should end".to_owned());
    };
    let id = context.id(request);
    context.starts.remember(&request.intent, Some(incarnation));
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

pub(super) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    let Some(driver) = context.driver else { return cannot_tell(request, "there is no driver".to_owned()) };
    let id = context.id(request);
    let Some(Some(ended)) = context.starts.before(&request.intent) else {
        return cannot_tell(request, "which start it was to end is not known in this process".to_owned());
    };
    match driver.status(&id).await {
        Ok(status) if status.running && status.incarnation.as_ref() != Some(&ended) => {
            Effect::Happened(receipt(&format!("{id} is another start"), &status))
        }
        Ok(status) if status.running => Effect::Absent,
        Ok(_) => Effect::UnderWay { progress: None },
        Err(error) => cannot_tell(request, error.to_string()),
    }
}
