//! The rate limiter as an environment: one Redis, nodes that each reach it over a link of their own, and load.

mod compose;
mod config;
mod cpu_hog;
mod environment;
mod fault;
mod fault_words;
mod inject;
mod node_api;
mod outside_write;
mod places;
mod planned_work;
mod programs;
mod redis_commands;
mod scenario;
mod stage;
mod start;
mod undo;
mod workload;

pub use compose::start_in_containers;
pub use config::{OnRedisFailure, RateLimiterConfig};
pub use environment::RateLimiterEnvironment;
pub use fault::Fault;
pub use stage::STAGE;
pub use undo::Undo;

/// Checks a workload without starting it.
///
/// # Errors
/// Names the first setting that is wrong and what would be right.
pub fn check_workload(spec: &crate::environment::WorkloadSpec) -> Result<(), crate::LabError> {
    workload::check(spec)
}

/// The kind of subject.
pub const KIND: &str = "ratelimiter";
/// The component that is Redis.
pub const REDIS: &str = "redis";
/// The kind of entity that a rate-limited key is.
pub const KEY_ENTITY: &str = "key";
/// The groups that a statement may be about: all keys, all nodes.
pub const GROUPS: [&str; 2] = ["keys", "nodes"];
