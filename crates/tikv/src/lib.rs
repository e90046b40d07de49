//! The subject that teaches the operator TiKV: stores that hold regions, and the placement drivers (PD) that steer them.
//!
//! - Looking: PD's HTTP API (`pd`), Prometheus (`queries`, `metrics`), log files (`logs`), and all put together into one
//!   observation (`observe`), whose free-form part is typed in `details`.
//! - Judging: one invariant a file (`checker`), thresholds as settings.
//! - Acting: one action a file (`actions`); explaining (`probes`); the past (`past`).

mod actions;
#[allow(dead_code, reason = "the page in the documentation is made from what only tests read")]
mod checker;
mod config;
mod details;
mod logs;
mod metrics;
mod names;
mod observe;
mod past;
mod pd;
mod probes;
pub mod queries;
mod subject;
mod thresholds;

pub use config::Config;
pub use names::KIND;
pub use subject::{TikvSubject, factory};
