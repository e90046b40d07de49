//! A target that takes a while to take what it is told: so that whoever told it may be dead by then, and a repeat may be
//! there before the first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use operator_lab::LabError;
use operator_lab::environment::{
    Cleared, Environment, EnvironmentStatus, FaultDescription, FaultRequest, Injected, WorkloadSample, WorkloadSpec,
};
use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus, SubjectConfig};

/// How late, one after the other: an operator that is killed is back after about 200 ms.
const MILLIS: [u64; 4] = [250, 60, 600, 120];

/// How late the next one is.
#[derive(Debug, Default)]
pub struct Lateness(AtomicUsize);

impl Lateness {
    /// Waits as long as it takes.
    pub async fn wait(&self) {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(MILLIS[number % MILLIS.len()])).await;
    }
}

/// An environment whose driver starts and restarts late.
pub struct Late<E> {
    pub environment: E,
    pub lateness: Arc<Lateness>,
}

impl<E: Environment> Environment for Late<E> {
    fn subject_config(&self) -> SubjectConfig {
        self.environment.subject_config()
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(LateDriver { driver: self.environment.driver(), lateness: Arc::clone(&self.lateness) })
    }

    fn status(&self) -> EnvironmentStatus {
        self.environment.status()
    }

    fn faults(&self) -> Vec<FaultDescription> {
        self.environment.faults()
    }

    fn inject<'a>(&'a self, request: &'a FaultRequest) -> BoxFuture<'a, Result<Injected, LabError>> {
        self.environment.inject(request)
    }

    fn clear(&self) -> BoxFuture<'_, Result<Cleared, LabError>> {
        self.environment.clear()
    }

    fn start_workload<'a>(&'a self, spec: &'a WorkloadSpec) -> BoxFuture<'a, Result<(), LabError>> {
        self.environment.start_workload(spec)
    }

    fn stop_workload(&self) -> BoxFuture<'_, Result<(), LabError>> {
        self.environment.stop_workload()
    }

    fn workload_samples(&self) -> Vec<WorkloadSample> {
        self.environment.workload_samples()
    }

    fn shut_down(&self) -> BoxFuture<'_, Result<(), LabError>> {
        self.environment.shut_down()
    }
}

struct LateDriver {
    driver: Arc<dyn Driver>,
    lateness: Arc<Lateness>,
}

impl Driver for LateDriver {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        self.driver.status(id)
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            self.lateness.wait().await;
            self.driver.start_if(id, last).await
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        self.driver.stop(id)
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            self.lateness.wait().await;
            self.driver.restart_if(id, incarnation).await
        })
    }
}
