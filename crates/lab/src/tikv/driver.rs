//! What starts and stops the simulated processes.

use std::sync::Arc;

use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus};

use super::environment::Inner;
use super::sim::Simulator;

/// Acts on the simulated processes of stores and members.
#[derive(Debug)]
pub(super) struct SimulatedProcesses(pub(super) Arc<Inner>);

/// A simulated process by its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// A store, by index.
    Store(usize),
    /// A member, by index.
    Member(usize),
}

impl Simulator {
    /// The process of a component.
    pub(super) fn which(&self, component: &str) -> Option<Which> {
        if let Some(index) = self.member_by_name(component) {
            return Some(Which::Member(index));
        }
        let id = component.strip_prefix("store-")?.parse().ok()?;
        self.store_by_id(id).map(Which::Store)
    }

    /// How a process is.
    pub(super) fn process_status(&self, which: Which) -> ProcessStatus {
        let (name, process) = match which {
            Which::Store(index) => (format!("store-{}", self.stores[index].id), &self.stores[index].process),
            Which::Member(index) => (self.members[index].name.clone(), &self.members[index].process),
        };
        ProcessStatus {
            running: process.running,
            incarnation: Some(process.incarnation(&name)),
            exit: process.exit.filter(|_| !process.running).map(ToOwned::to_owned),
        }
    }
}

impl SimulatedProcesses {
    /// Does `what` with the process of `id`, and starts or ends its server.
    fn with<T>(
        &self,
        id: &Id,
        what: impl FnOnce(&mut Simulator, Which) -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let unknown = || DriverError::NoSuchComponent(format!("{} of {}", id.local, id.subject));
        if id.subject != self.0.config.subject {
            return Err(unknown());
        }
        let result = {
            let mut simulator = self.0.simulator();
            let which = simulator.which(&id.local).ok_or_else(unknown)?;
            what(&mut simulator, which)?
        };
        self.0.serve().map_err(|error| DriverError::Unknown(error.to_string()))?;
        Ok(result)
    }
}

impl Driver for SimulatedProcesses {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { self.with(id, |simulator, which| Ok(simulator.process_status(which))) })
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            self.with(id, |simulator, which| {
                let status = simulator.process_status(which);
                if !status.running && status.incarnation.as_deref() != last {
                    let expected = last.unwrap_or("none").to_owned();
                    return Err(DriverError::Incarnation { expected, actual: status.incarnation });
                }
                simulator.start_process(which);
                Ok(simulator.process_status(which))
            })
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            self.with(id, |simulator, which| {
                simulator.end_process(which, "exit code 0");
                Ok(simulator.process_status(which))
            })
        })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            self.with(id, |simulator, which| {
                let status = simulator.process_status(which);
                let actual = status.incarnation.filter(|_| status.running);
                if actual.as_deref() != Some(incarnation) {
                    return Err(DriverError::Incarnation { expected: incarnation.to_owned(), actual });
                }
                simulator.end_process(which, "exit code 0");
                simulator.start_process(which);
                Ok(simulator.process_status(which))
            })
        })
    }
}
