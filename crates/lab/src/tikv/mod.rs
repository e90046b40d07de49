//! TiKV as an environment: a simulated cluster that answers as PD and Prometheus do. It is not TiKV.
//!
//! - [`TikvConfig`]: what the cluster consists of; [`Pace`]: how its time passes.
//! - `sim`: the model: members of PD, stores, regions, what PD schedules, load and latencies.
//! - `pd_http`, `prometheus_http`: the interfaces through which it is seen, over HTTP on the loopback interface.
//! - [`Fault`]: what can be broken in it.

mod config;
mod driver;
mod environment;
mod fault;
mod fault_words;
mod go;
mod inject;
mod pd_http;
mod prometheus_http;
mod scenario;
mod servers;
mod sim;
mod stage;
mod undo;
mod workload;

pub use crate::pace::Pace;
pub use config::TikvConfig;
pub use environment::TikvEnvironment;
pub use fault::Fault;
pub use stage::STAGE;
pub use undo::Undo;
pub use workload::check as check_workload;

/// The kind of subject.
pub const KIND: &str = "tikv";
