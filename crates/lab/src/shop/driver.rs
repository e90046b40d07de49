//! What starts and stops the shop's processes.

use operator_protocols::shop::{Process, Shop};
use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus};

use super::environment::SUBJECT;

/// Acts on the shop's processes.
#[derive(Debug)]
pub(super) struct ShopProcesses(pub(super) Shop);

/// A process as the protocol has it.
pub(super) fn status(process: &Process) -> ProcessStatus {
    let exit = (!process.running).then(|| "it does not answer".to_owned());
    ProcessStatus { running: process.running, incarnation: Some(process.incarnation.clone()), exit }
}

impl ShopProcesses {
    fn process(&self, id: &Id) -> Result<Process, DriverError> {
        let process = if id.subject == SUBJECT { self.0.process(&id.local) } else { None };
        process.ok_or_else(|| DriverError::NoSuchComponent(format!("{} of {}", id.local, id.subject)))
    }
}

impl Driver for ShopProcesses {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { Ok(status(&self.process(id)?)) })
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let process = self.process(id)?;
            if !process.running && Some(&*process.incarnation) != last {
                let expected = last.map(str::to_owned);
                return Err(DriverError::StartedSince { expected, actual: Some(process.incarnation) });
            }
            self.0.revive(&id.local);
            Ok(status(&self.process(id)?))
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            self.process(id)?;
            self.0.kill(&id.local);
            Ok(status(&self.process(id)?))
        })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let process = self.process(id)?;
            if !process.running || process.incarnation != incarnation {
                let actual = process.running.then_some(process.incarnation);
                return Err(DriverError::Incarnation { expected: incarnation.to_owned(), actual });
            }
            self.0.kill(&id.local);
            self.0.revive(&id.local);
            Ok(status(&self.process(id)?))
        })
    }
}
