//! Checks that a subject keeps the protocol's obligations, for the tests of whoever writes one.
//!
//! A [`Compliance`] is given a clock and a way to make the subject over a *healthy* system, and if possible over a
//! *dead* one; it puts both through their paces on whatever runtime awaits it and comes back with a [`Report`] that
//! names each obligation, and what broke it.
//!
//! It sends the healthy system requests that must be refused. A subject that does not refuse them carries them out, so
//! give it a system that may be broken.
//!
//! ```no_run
//! # use operator_protocols::{Clock, InvariantChecker, Subject, compliance::Compliance};
//! # use std::{sync::Arc, time::Duration};
//! # type Made = (Box<dyn Subject>, Box<dyn InvariantChecker>);
//! # async fn test(clock: Arc<dyn Clock>, over_healthy: fn() -> Made, over_dead: fn() -> Made) {
//! let report = Compliance::new(clock, over_healthy).dead(over_dead).interval(Duration::from_secs(1)).run().await;
//! assert!(report.passed(), "{report}");
//! # }
//! ```

mod actions;
mod blindness;
mod caller;
mod dead;
mod evaluations;
mod hostile;
mod kit;
mod names;
mod observations;
mod parameters;
mod probes;
mod report;
mod requests;
mod session;
mod signals;

pub use kit::{Compliance, Made};
pub use observations::{MAX_DETAILS_BYTES, MAX_DETAILS_DEPTH};
pub use report::{Check, Outcome, Report};
