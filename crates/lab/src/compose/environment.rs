//! The environment as whoever runs it holds it.

use std::fmt;
use std::sync::Arc;

use operator_protocols::{BoxFuture, Driver, ProcessStatus, SubjectConfig};

use super::driver::ComposeDriver;
use super::fault::ComposeFault;
use super::inner::{Inner, lock};
use super::project::ComposeProject;
use crate::environment::{
    Cleared, Environment, EnvironmentStatus, FaultDescription, FaultRequest, Injected, Link, ProcessAt, WorkloadSample,
    WorkloadSpec,
};
use crate::error::LabError;
use crate::process::ProcessReport;
use crate::proxy::Behaviour;

/// A running system in containers. With the last handle to it everything of it is removed, if it was not shut down
/// before; if this process is killed, the next start in the same folder does that.
#[derive(Clone)]
pub struct ComposeEnvironment {
    pub(super) inner: Arc<Inner>,
}

impl fmt::Debug for ComposeEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComposeEnvironment").field("project", &self.inner.project).finish_non_exhaustive()
    }
}

impl ComposeEnvironment {
    /// Its compose project.
    pub fn project(&self) -> &ComposeProject {
        &self.inner.project
    }

    fn processes(&self) -> Vec<ProcessAt> {
        let seen = lock(&self.inner.seen);
        let load = self.inner.load.as_ref().map(|load| load.service());
        let at = |name: &str, address: Option<String>| {
            let container = seen.get(name);
            let never = || ProcessStatus { running: false, incarnation: None, exit: None };
            ProcessAt {
                report: ProcessReport {
                    name: name.to_owned(),
                    pid: container.and_then(|container| container.pid),
                    status: container.map_or_else(never, |container| container.status.clone()),
                    paused: container.is_some_and(|container| container.paused),
                    declared: true,
                },
                address,
            }
        };
        let services = self.inner.services.iter().map(|service| at(&service.name, service.address.clone()));
        // The load is shown once there is some.
        let load = load.filter(|load| seen.contains_key(*load)).map(|load| at(load, None));
        services.chain(load).collect()
    }

    fn links(&self) -> Vec<Link> {
        let seen = lock(&self.inner.seen);
        let on = |service: &str, network: &str| {
            seen.get(service)
                .is_none_or(|container| container.networks.contains_key(&self.inner.project.network(network)))
        };
        let link = |link: &super::LinkOverNetwork| Link {
            from: link.from.clone(),
            to: link.to.clone(),
            behaviour: if on(&link.from, link.network) && on(&link.to, link.network) {
                Behaviour::Pass
            } else {
                Behaviour::Cut
            },
        };
        self.inner.links.iter().map(link).collect()
    }
}

impl Environment for ComposeEnvironment {
    fn subject_config(&self) -> SubjectConfig {
        self.inner.subject.clone()
    }

    fn driver(&self) -> Arc<dyn Driver> {
        let components = self.inner.services.iter().filter(|service| service.component);
        let driver = ComposeDriver::new(
            Arc::clone(&self.inner.project),
            Arc::clone(&self.inner.operation),
            self.inner.subject.name.clone(),
            components.map(|service| service.name.clone()),
        );
        Arc::new(match &self.inner.names {
            Some(names) => driver.with_names(Arc::clone(names)),
            None => driver,
        })
    }

    fn status(&self) -> EnvironmentStatus {
        EnvironmentStatus {
            subject: self.inner.subject.name.clone(),
            kind: self.inner.subject.kind.clone(),
            processes: self.processes(),
            links: self.links(),
            open_faults: self.inner.journal().open_entries().iter().map(|entry| entry.what.clone()).collect(),
        }
    }

    fn faults(&self) -> Vec<FaultDescription> {
        ComposeFault::descriptions(&self.inner.networks)
    }

    fn inject<'a>(&'a self, request: &'a FaultRequest) -> BoxFuture<'a, Result<Injected, LabError>> {
        Box::pin(async move { self.inner.inject(&ComposeFault::parse(request)?).await })
    }

    fn clear(&self) -> BoxFuture<'_, Result<Cleared, LabError>> {
        Box::pin(self.inner.undo_all())
    }

    fn start_workload<'a>(&'a self, spec: &'a WorkloadSpec) -> BoxFuture<'a, Result<(), LabError>> {
        Box::pin(self.inner.begin_workload(spec))
    }

    fn stop_workload(&self) -> BoxFuture<'_, Result<(), LabError>> {
        Box::pin(self.inner.end_workload())
    }

    fn workload_samples(&self) -> Vec<WorkloadSample> {
        self.inner.samples()
    }

    fn shut_down(&self) -> BoxFuture<'_, Result<(), LabError>> {
        Box::pin(self.inner.shut_down())
    }
}
