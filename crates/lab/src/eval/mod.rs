//! Campaigns: scenarios × seeds, each against the real loop over a system that is really broken, and what came of it.
//!
//! A campaign keeps each run's result as soon as it is there, so that one that was broken off goes on where it stopped.

mod approver;
mod campaign;
mod pacing;
mod plan;
mod run;
mod stage;
mod watch;

pub use campaign::{EvalError, EvalOptions, Progress, run_campaign};
pub use plan::planned;
pub use stage::Stage;
