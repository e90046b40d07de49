//! `start_component`: a component whose process does not run is started as declared.

use operator_protocols::{Driver, Effect, ExecutionToken, Guard, Holds, Id, ProcessStatus, Sent, Timestamp};
use tokio::time::timeout;

use super::{guarded, receipt, refused};

pub(super) fn guard(id: &Id, status: ProcessStatus, at: Timestamp) -> Guard {
    let holds = if status.running { Holds::No(format!("the process of {id} runs")) } else { Holds::Yes };
    guarded(holds, Some((status.running, status.incarnation)), at)
}

pub(super) async fn execute(driver: &dyn Driver, id: &Id, token: &ExecutionToken) -> Sent {
    match timeout(token.time_limit(), driver.start(id)).await {
        Ok(Ok(status)) => Sent::Done(receipt(format!("{id} was started"), &status)),
        Ok(Err(error)) => refused(&error),
        Err(_) => Sent::Unknown(format!("the driver did not answer within {:?}", token.time_limit())),
    }
}

pub(super) fn effect(id: &Id, status: &ProcessStatus) -> Effect {
    if status.running { Effect::Happened(receipt(format!("the process of {id} runs"), status)) } else { Effect::Absent }
}
