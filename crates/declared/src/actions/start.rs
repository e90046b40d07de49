//! `start_component`: a component whose process does not run is started as declared; once, whatever is repeated and even
//! if it ends again meanwhile, since it names the start that was the last before it.

use operator_protocols::{
    Driver, DriverError, Effect, ExecutionToken, Guard, Holds, Id, ProcessStatus, Sent, Timestamp,
};
use tokio::time::timeout;

use super::{Restarts, guarded, receipt, refused};

pub(super) fn guard(id: &Id, status: ProcessStatus, at: Timestamp) -> Guard {
    let holds = if status.running { Holds::No(format!("the process of {id} runs")) } else { Holds::Yes };
    guarded(holds, Some((status.running, status.incarnation)), at)
}

pub(super) async fn execute(
    restarts: &Restarts,
    driver: &dyn Driver,
    id: &Id,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let last = guard.incarnation.as_deref();
    restarts.remember(token.intent(), last);
    match timeout(token.time_limit(), driver.start_if(id, last)).await {
        Ok(Ok(status)) => Sent::Done(receipt(format!("{id} was started"), &status)),
        // A repeat that finds another start: an earlier attempt made it, and it has ended again.
        Ok(Err(DriverError::StartedSince { actual, .. })) if token.attempt() > 1 => {
            let status = ProcessStatus { running: false, incarnation: actual, exit: None };
            Sent::Done(receipt(started_and_ended(id), &status))
        }
        Ok(Err(error)) => refused(&error),
        Err(_) => Sent::Unknown(format!("the driver did not answer within {:?}", token.time_limit())),
    }
}

/// `last` is the start that was the last when it was sent, where that is known.
pub(super) fn effect(id: &Id, status: &ProcessStatus, last: Option<Option<&str>>) -> Effect {
    if status.running {
        Effect::Happened(receipt(format!("the process of {id} runs"), status))
    } else if last.is_some_and(|last| last != status.incarnation.as_deref()) {
        Effect::Happened(receipt(started_and_ended(id), status))
    } else {
        Effect::Absent
    }
}

fn started_and_ended(id: &Id) -> String {
    format!("{id} was started since it was looked at, and has ended again")
}
