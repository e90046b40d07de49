//! The load generator: sends checks to the nodes on a fixed schedule and says how they were answered.
//!
//! The schedule is an open loop: a request is due when it is due, whether or not the one before was answered, and
//! its latency counts from then, so that a node that hangs is not spared (coordinated omission).

pub mod keyspace;
pub mod report;
pub mod run;
pub mod schedule;
pub mod settings;
pub mod targets;
