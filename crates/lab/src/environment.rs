//! A running system that may be broken on purpose, whatever system it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use operator_core::SystemClock;
use operator_protocols::{BoxFuture, Clock, Driver, SubjectConfig, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::process::ProcessReport;
use crate::proxy::Behaviour;

/// One running system, its load and its faults.
pub trait Environment: Send + Sync {
    /// What the operator's configuration would say of it.
    fn subject_config(&self) -> SubjectConfig;

    /// Acts on the processes of its components.
    fn driver(&self) -> Arc<dyn Driver>;

    /// The clock by which its time passes: the system's, unless it is simulated.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// How many seconds pass by its clock in one: infinitely many, where they pass only when asked for.
    fn speed(&self) -> f64 {
        1.0
    }

    /// Lets time pass until it is `until` by its clock; none, if that is past.
    fn advance(&self, until: Timestamp) -> BoxFuture<'_, Result<(), LabError>> {
        let left = until.since(self.clock().now());
        Box::pin(async move {
            tokio::time::sleep(left).await;
            Ok(())
        })
    }

    /// How it is, without asking the system itself.
    fn status(&self) -> EnvironmentStatus;

    /// What can be broken.
    fn faults(&self) -> Vec<FaultDescription>;

    /// Breaks something. How to take it back is on disk before.
    fn inject<'a>(&'a self, request: &'a FaultRequest) -> BoxFuture<'a, Result<Injected, LabError>>;

    /// Takes back everything that was broken and is not mended yet.
    fn clear(&self) -> BoxFuture<'_, Result<Cleared, LabError>>;

    /// Puts the system under load, in place of any load before.
    fn start_workload<'a>(&'a self, spec: &'a WorkloadSpec) -> BoxFuture<'a, Result<(), LabError>>;

    /// Ends the load, if there is any.
    fn stop_workload(&self) -> BoxFuture<'_, Result<(), LabError>>;

    /// What the load met, second by second, the last ten minutes at most, oldest first.
    fn workload_samples(&self) -> Vec<WorkloadSample>;

    /// Ends everything. What is not undone stays in the journal for the next start.
    fn shut_down(&self) -> BoxFuture<'_, Result<(), LabError>>;
}

/// What to break: a fault by its name or its number, and its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRequest {
    /// The fault's name or number.
    pub kind: String,
    /// Its parameters.
    #[serde(flatten)]
    pub params: BTreeMap<String, Value>,
}

impl FaultRequest {
    /// The fault `kind`, so far without parameters.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), params: BTreeMap::new() }
    }

    /// With this parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.insert(name.into(), value.into());
        self
    }
}

/// A fault that an environment offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultDescription {
    /// Its number, for example `R1`.
    pub id: String,
    /// Its name.
    pub kind: String,
    /// What really happens.
    pub description: String,
    /// Its parameters, each with its unit and what it is when it is not given.
    pub params: BTreeMap<String, String>,
}

/// A fault that acts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    /// Its entry in the undo journal.
    pub number: u64,
    /// What was done.
    pub what: String,
}

/// What became of the faults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cleared {
    /// What was taken back.
    pub undone: Vec<String>,
    /// What could not be taken back, each with why. It stays in the journal.
    pub left: Vec<String>,
}

/// How an environment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentStatus {
    /// The subject instance.
    pub subject: String,
    /// Its kind.
    pub kind: String,
    /// Every process, in order.
    pub processes: Vec<ProcessAt>,
    /// Every link that can be broken.
    pub links: Vec<Link>,
    /// What was broken and is not taken back, oldest first.
    pub open_faults: Vec<String>,
}

/// A process and where it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessAt {
    /// How it is.
    #[serde(flatten)]
    pub report: ProcessReport,
    /// Where it listens, if it does.
    pub address: Option<String>,
}

/// A link between two components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The caller.
    pub from: String,
    /// The called.
    pub to: String,
    /// How it behaves.
    pub behaviour: Behaviour,
}

/// Which load to put on a system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSpec {
    /// Its shape over time, in the load generator's words.
    #[serde(default = "steady")]
    pub pattern: String,
    /// Requests a second, whatever becomes of them.
    pub rate: u32,
    /// How many different keys.
    #[serde(default = "hundred")]
    pub keys: u32,
    /// How unevenly they are chosen: the exponent of Zipf's law; 0 is evenly.
    #[serde(default)]
    pub zipf: f64,
    /// Makes it repeatable.
    #[serde(default)]
    pub seed: u64,
    /// What only this system's load generator understands.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
}

fn steady() -> String {
    "steady".to_owned()
}

const fn hundred() -> u32 {
    100
}

/// One second of load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSample {
    /// Seconds since the load began.
    pub second: u64,
    /// Requests sent.
    pub sent: u64,
    /// Answered, and granted.
    pub granted: u64,
    /// Answered, and refused as they should be.
    pub refused: u64,
    /// Not answered, or not as they should be.
    pub errors: u64,
    /// Answered without the coordination that the system promises, where it says so; also among the others.
    #[serde(default)]
    pub degraded: u64,
    /// Half of the answers took at most so long, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers took at most so long, in milliseconds.
    pub p99_ms: f64,
}
