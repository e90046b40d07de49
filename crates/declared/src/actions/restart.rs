//! `restart_component`: a component whose process runs is stopped and started as declared; once, whatever is repeated,
//! since it names the start that it ends.

use operator_protocols::{
    Driver, DriverError, Effect, ExecutionToken, Guard, Holds, Id, ProcessStatus, Sent, Timestamp, Unavailable,
};
use tokio::time::timeout;

use super::{Starts, guarded, receipt, refused};

pub(super) fn guard(id: &Id, status: ProcessStatus, at: Timestamp) -> Guard {
    let holds = match (status.running, &status.incarnation) {
        (false, _) => Holds::No(format!("the process of {id} does not run")),
        (true, None) => {
            let why = "the driver does not say which start of it";
            Holds::Unknown(Unavailable::new(format!("the process of {id}"), why))
        }
        (true, Some(_)) => Holds::Yes,
    };
    guarded(holds, Some((status.running, status.incarnation)), at)
}

pub(super) async fn execute(
    starts: &Starts,
    driver: &dyn Driver,
    id: &Id,
    guard: &Guard,
    token: &ExecutionToken,
) -> Sent {
    let Some(incarnation) = guard.incarnation.as_deref() else {
        return Sent::NotSent("its guard does not name the start that it should end".to_owned());
    };
    starts.remember(token.intent(), Some(incarnation));
    let repeated = token.attempt() > 1;
    match timeout(token.time_limit(), driver.restart_if(id, incarnation)).await {
        Ok(Ok(status)) => Sent::Done(receipt(format!("{id} was started again"), &status)),
        // A repeat that finds another start: an earlier attempt ended the one it named.
        Ok(Err(DriverError::Incarnation { actual: Some(actual), .. })) if repeated => {
            let status = ProcessStatus { running: true, incarnation: Some(actual), exit: None };
            Sent::Done(receipt(format!("{id} is another start already"), &status))
        }
        Ok(Err(error @ DriverError::Incarnation { .. })) if repeated => Sent::Unknown(error.to_string()),
        Ok(Err(error)) => refused(&error),
        Err(_) => Sent::Unknown(format!("the driver did not answer within {:?}", token.time_limit())),
    }
}

pub(super) fn effect(id: &Id, status: &ProcessStatus, ended: Option<&str>) -> Effect {
    if !status.running {
        Effect::UnderWay { progress: None }
    } else if status.incarnation.as_deref() == ended {
        Effect::Absent
    } else {
        Effect::Happened(receipt(format!("{id} is another start"), status))
    }
}
