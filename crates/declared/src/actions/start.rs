//! `start_component`: a component whose process does not run is started as declared; once, whatever is repeated and even
//! if it ends again meanwhile, since it names the start that was the last before it.

use operator_protocols::{
    Driver, DriverError, Effect, ExecutionToken, Guard, Holds, Id, ProcessStatus, Sent, Timestamp,
};
use tokio::time::timeout;

use super::{Context, Starts, guarded, receipt, refused};
use crate::check;
use crate::file::{Component, Means};

pub(super) async fn guard(context: &Context<'_>, id: &Id, status: ProcessStatus, at: Timestamp) -> Guard {
    let component = context.file.component(&id.local);
    let holds = match component {
        _ if status.running => Holds::No(format!("the process of {id} runs")),
        // Somebody else may have started it, where this driver does not see it.
        Some(component) if answers(context, component, at).await => {
            Holds::No(format!("{id} answers, although the driver knows no process of it"))
        }
        _ => Holds::Yes,
    };
    guarded(holds, Some((status.running, status.incarnation)), at)
}

/// Whether all its checks are well; that a Prometheus has not noticed its end yet is no answer.
async fn answers(context: &Context<'_>, component: &Component, at: Timestamp) -> bool {
    let asked = component.checks.iter().any(|check| !matches!(check.means, Means::PromQl(_)));
    asked && check::component(context.asker, component, at).await.answer_time().is_some()
}

pub(super) async fn execute(
    starts: &Starts,
    driver: &dyn Driver,
    id: &Id,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let last = guard.incarnation.as_deref();
    starts.remember(token.intent(), last);
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

pub(super) fn effect(id: &Id, status: &ProcessStatus, before: Option<&Option<String>>) -> Effect {
    if status.running {
        Effect::Happened(receipt(format!("the process of {id} runs"), status))
    } else if before.is_some_and(|last| *last != status.incarnation) {
        Effect::Happened(receipt(started_and_ended(id), status))
    } else {
        Effect::Absent
    }
}

fn started_and_ended(id: &Id) -> String {
    format!("{id} was started since it was looked at, and has ended again")
}
