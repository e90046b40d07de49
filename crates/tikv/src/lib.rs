//! The subject that teaches the operator TiKV: stores that hold regions, and the placement drivers (PD) that steer them.
//!
//! - Looking: PD's HTTP API (`pd`), Prometheus (`queries`, `metrics`), log files (`logs`), and all put together into one
//!   observation (`observe`), whose free-form part is typed in `details`.
//! - Judging: one invariant a file (`checker`), thresholds as settings.
//! - Acting: one action a file (`actions`); explaining (`probes`); the past (`past`).

#[allow(dead_code, unused_imports, reason = "the contract comes before what fulfils it")]
mod checker;
#[allow(dead_code, unused_imports, reason = "the contract comes before what fulfils it")]
mod details;
#[allow(dead_code, unused_imports, reason = "the reader comes before the one who asks it")]
mod logs;
#[allow(dead_code, unused_imports, reason = "the reader comes before the one who asks it")]
mod metrics;
#[allow(dead_code, reason = "the contract comes before what fulfils it")]
mod names;
#[allow(dead_code, reason = "the past comes before the one who asks for it")]
mod past;
pub mod queries;
#[allow(dead_code, reason = "the contract comes before what fulfils it")]
mod thresholds;

pub use names::KIND;
