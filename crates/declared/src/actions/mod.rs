//! What can be done to a system that is only described: its processes are started, and started again, by a driver that
//! knows them by the names of their components. Without a driver nothing can be done.

mod restart;
mod start;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionRequest, Driver, DriverError, Effect, ExecutionToken, Guard, Holds, Id, Locus,
    ProcessStatus, RESTART_COMPONENT, Receipt, START_COMPONENT, Sent, Timestamp, Unavailable, Value, restart_component,
    start_component,
};

use crate::check::Asker;
use crate::file::SystemFile;

/// How long an action is watched before it is judged: two intervals of the monitor.
const SETTLE: Duration = Duration::from_secs(10);

/// What actions work with.
pub(crate) struct Context<'a> {
    pub(crate) subject: &'a str,
    pub(crate) file: &'a SystemFile,
    pub(crate) asker: &'a Asker,
    pub(crate) driver: Option<&'a Arc<dyn Driver>>,
    pub(crate) starts: &'a Starts,
}

/// Every action that can be offered.
pub(crate) fn definitions(with_driver: bool) -> Vec<ActionDefinition> {
    if with_driver { vec![start_component(&[], SETTLE), restart_component(&[], SETTLE)] } else { Vec::new() }
}

/// The driver and the component, if the request is one that is offered, aimed and parametrised rightly.
fn checked<'c>(context: &'c Context<'_>, request: &'c ActionRequest) -> Result<(&'c dyn Driver, &'c Id), String> {
    let definitions = definitions(context.driver.is_some());
    let definition = definitions.iter().find(|definition| definition.name == request.action);
    let (Some(definition), Some(driver)) = (definition, context.driver) else {
        return Err(format!("there is no action {}", request.action));
    };
    definition.validate(&request.params).map_err(|error| error.to_string())?;
    match &request.target {
        Locus::Component(id) if id.subject == context.subject && context.file.component(&id.local).is_some() => {
            Ok((driver.as_ref(), id))
        }
        other => Err(format!("{} cannot be aimed at {other}", request.action)),
    }
}

/// Reads the facts that an action relies on.
pub(crate) async fn guard(context: &Context<'_>, request: &ActionRequest, at: Timestamp) -> Guard {
    let (driver, id) = match checked(context, request) {
        Ok(checked) => checked,
        Err(why) => return guarded(Holds::No(why), None, at),
    };
    match driver.status(id).await {
        Ok(status) if request.action == START_COMPONENT => start::guard(context, id, status, at).await,
        Ok(status) => restart::guard(id, status, at),
        Err(error) => {
            let why = Unavailable::new(format!("the process of {id}"), error.to_string());
            guarded(Holds::Unknown(why), None, at)
        }
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
    let (driver, id) = match checked(context, request) {
        Ok(checked) => checked,
        Err(why) => return Sent::NotSent(why),
    };
    if guard.holds != Holds::Yes {
        return Sent::NotSent(format!("its guard {}", guard.holds));
    }
    match request.action.as_str() {
        START_COMPONENT => start::execute(context.starts, driver, id, guard, token).await,
        RESTART_COMPONENT => restart::execute(context.starts, driver, id, guard, token).await,
        other => Sent::NotSent(format!("there is no action {other}")),
    }
}

/// Whether an action happened.
pub(crate) async fn effect(context: &Context<'_>, request: &ActionRequest) -> Effect {
    let cannot_tell =
        |why: String| Effect::Unknown(Unavailable::new(format!("whether {} happened", request.action), why));
    let (driver, id) = match checked(context, request) {
        Ok(checked) => checked,
        Err(why) => return cannot_tell(why),
    };
    let before = context.starts.before(&request.intent);
    let ended = before.clone().flatten();
    if request.action == RESTART_COMPONENT && ended.is_none() {
        return cannot_tell("which start it was to end is not known in this process".to_owned());
    }
    match driver.status(id).await {
        Ok(status) if request.action == START_COMPONENT => start::effect(id, &status, before.as_ref()),
        Ok(status) => restart::effect(id, &status, ended.as_deref()),
        Err(error) => cannot_tell(error.to_string()),
    }
}

/// A guard that states whether the process runs, where that is known.
fn guarded(holds: Holds, running: Option<(bool, Option<String>)>, at: Timestamp) -> Guard {
    let (facts, incarnation) = match running {
        Some((running, incarnation)) => (BTreeMap::from([("running".to_owned(), Value::from(running))]), incarnation),
        None => (BTreeMap::new(), None),
    };
    Guard { holds, incarnation, facts, as_of: at }
}

fn receipt(summary: String, status: &ProcessStatus) -> Receipt {
    let facts = [("running", Value::from(status.running)), ("incarnation", Value::from(status.incarnation.clone()))];
    Receipt { summary, facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

/// What a driver's refusal says of the send.
fn refused(error: &DriverError) -> Sent {
    match error {
        DriverError::Unknown(_) => Sent::Unknown(error.to_string()),
        DriverError::NoSuchComponent(_)
        | DriverError::Incarnation { .. }
        | DriverError::StartedSince { .. }
        | DriverError::Refused(_) => Sent::NoEffect(error.to_string()),
    }
}

/// More are not remembered; all but the last are forgotten then.
const MAX_STARTS: usize = 1_000;

/// Which start of its target was the last when an action was sent, by intent and as far as this process knows; none, if
/// the target was never started.
#[derive(Debug, Default)]
pub(crate) struct Starts(Mutex<BTreeMap<String, Option<String>>>);

impl Starts {
    fn remember(&self, intent: &str, last: Option<&str>) {
        let mut starts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if starts.len() >= MAX_STARTS {
            starts.clear();
        }
        starts.insert(intent.to_owned(), last.map(str::to_owned));
    }

    fn before(&self, intent: &str) -> Option<Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(intent).cloned()
    }
}
