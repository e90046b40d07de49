//! The environment as whoever runs it holds it.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use operator_protocols::{BoxFuture, Driver, SubjectConfig, Value};

use super::config::RateLimiterConfig;
use super::fault::Fault;
use super::node_api::NodeApi;
use super::places::{Places, loopback};
use super::planned_work::PlannedWork;
use super::programs::Programs;
use super::undo::Undo;
use super::workload::{BURST, LOADGEN, RunningWorkload};
use super::{KIND, REDIS};
use crate::environment::{
    Cleared, Environment, EnvironmentStatus, FaultDescription, FaultRequest, Injected, ProcessAt, WorkloadSample,
    WorkloadSpec,
};
use crate::error::LabError;
use crate::journal::Journal;
use crate::process::{Supervisor, SupervisorDriver};

/// The process that is another Redis, for a node that is pointed at the wrong one.
pub(super) const OTHER_REDIS: &str = "redis-other";

/// A running rate limiter. With the last handle to it and its drivers ends everything it started; with this process as
/// well, whatever way that ends.
#[derive(Debug, Clone)]
pub struct RateLimiterEnvironment {
    pub(super) inner: Arc<Inner>,
}

/// What a running environment consists of.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: RateLimiterConfig,
    pub(super) programs: Programs,
    pub(super) supervisor: Arc<Supervisor>,
    pub(super) places: Places,
    pub(super) journal: Mutex<Journal<Undo>>,
    /// Held by whoever breaks or mends something.
    pub(super) operation: tokio::sync::Mutex<()>,
    pub(super) workload: Mutex<Option<RunningWorkload>>,
    /// Planned work under way.
    pub(super) planned: Mutex<Option<PlannedWork>>,
    pub(super) http: reqwest::Client,
    /// Held as long as the environment lives, so that no other runs in its folder.
    pub(super) _lock: File,
}

impl Inner {
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal<Undo>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn planned(&self) -> MutexGuard<'_, Option<PlannedWork>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn redis_address(&self) -> SocketAddr {
        loopback(self.places.redis.port())
    }

    pub(super) fn redis_folder(&self) -> PathBuf {
        self.config.folder.join(REDIS)
    }

    pub(super) fn api(&self) -> NodeApi<'_> {
        NodeApi { client: &self.http, nodes: self.places.node_addresses().map(|(_, address)| address).collect() }
    }

    /// Ends the other Redis, if no node runs with it any more.
    pub(super) async fn end_other_redis(&self) -> Result<(), LabError> {
        let mut reports = self.places.nodes.keys().map(|node| self.supervisor.report(node));
        if reports.all(|report| report.is_ok_and(|report| report.declared)) {
            self.supervisor.stop(OTHER_REDIS).await?;
        }
        Ok(())
    }

    fn address_of(&self, process: &str) -> Option<SocketAddr> {
        match process {
            REDIS => Some(self.redis_address()),
            OTHER_REDIS => Some(loopback(self.places.other_redis.port())),
            node => self.places.nodes.get(node).map(|place| loopback(place.port.port())),
        }
    }
}

impl RateLimiterEnvironment {
    /// Where Redis is, past every link.
    pub fn redis_address(&self) -> SocketAddr {
        self.inner.redis_address()
    }

    /// Where the nodes are, by name.
    pub fn node_addresses(&self) -> BTreeMap<String, SocketAddr> {
        self.inner.places.node_addresses().map(|(name, address)| (name.to_owned(), address)).collect()
    }

    /// The settings it was started with.
    pub fn config(&self) -> &RateLimiterConfig {
        &self.inner.config
    }

    /// Its processes, by name: `redis`, `node-1` …, `loadgen`.
    pub fn supervisor(&self) -> &Arc<Supervisor> {
        &self.inner.supervisor
    }

    /// The names of its components: Redis and the nodes.
    pub fn components(&self) -> Vec<String> {
        std::iter::once(REDIS.to_owned()).chain(self.inner.config.node_names()).collect()
    }
}

impl Environment for RateLimiterEnvironment {
    fn subject_config(&self) -> SubjectConfig {
        let node =
            |(name, at): (&str, SocketAddr)| Value::map([("id", name.into()), ("address", at.to_string().into())]);
        let nodes = self.inner.places.node_addresses().map(node).collect();
        SubjectConfig {
            name: self.inner.config.subject.clone(),
            kind: KIND.to_owned(),
            settings: BTreeMap::from([
                ("nodes".to_owned(), Value::List(nodes)),
                ("redis_url".to_owned(), Value::Text(format!("redis://{}", self.redis_address()))),
            ]),
        }
    }

    fn driver(&self) -> Arc<dyn Driver> {
        let supervisor = Arc::clone(&self.inner.supervisor);
        Arc::new(SupervisorDriver::new(supervisor, self.inner.config.subject.clone(), self.components()))
    }

    fn status(&self) -> EnvironmentStatus {
        let inner = &self.inner;
        let processes = inner.supervisor.names().into_iter().filter_map(|name| {
            let report = inner.supervisor.report(&name).ok()?;
            let started = report.status.running || report.status.exit.is_some();
            let address = inner.address_of(&name).map(|address| address.to_string());
            // What exists only while something is broken is not shown before.
            let shown = started || ![OTHER_REDIS, LOADGEN, BURST].contains(&name.as_str());
            shown.then_some(ProcessAt { report, address })
        });
        EnvironmentStatus {
            subject: inner.config.subject.clone(),
            kind: KIND.to_owned(),
            processes: processes.collect(),
            links: inner.places.links(),
            open_faults: inner.journal().open_entries().iter().map(|entry| entry.what.clone()).collect(),
        }
    }

    fn faults(&self) -> Vec<FaultDescription> {
        Fault::descriptions()
    }

    fn inject<'a>(&'a self, request: &'a FaultRequest) -> BoxFuture<'a, Result<Injected, LabError>> {
        Box::pin(async move { self.inner.inject(&Fault::parse(request)?).await })
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
        Box::pin(async move {
            // It would start a node again.
            self.inner.stop_work().await;
            Ok(self.inner.supervisor.stop_all().await?)
        })
    }
}
