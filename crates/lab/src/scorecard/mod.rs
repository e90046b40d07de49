//! The scorecard: what many runs of many scenarios say about a diagnoser, with how sure one may be of it.
//!
//! A run's outcome is a [`RunResult`], one line of a [`ResultLog`], so that a campaign that was broken off goes on
//! where it stopped. [`Scorecard`] is a pure function of results.

mod confusion;
mod miss;
mod proportion;
mod result_log;
mod run_result;
mod score;
mod table;

pub use confusion::{Confusion, ConfusionCell};
pub use miss::Miss;
pub use proportion::Proportion;
pub use result_log::{ResultLog, ResultLogError};
pub use run_result::{ActionTaken, Cost, DiagnosisGiven, RunKey, RunOutcome, RunResult};
pub use score::{Quantiles, Regression, Score, Scorecard};
