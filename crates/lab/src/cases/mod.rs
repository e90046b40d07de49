//! Recorded cases: what a diagnoser was given, with what is true, so that any diagnoser can be asked again at any time.
//!
//! - [`RecordedCase`]: one case on disk: evidence, actions on offer, looks beyond the evidence, truth.
//! - [`Keeping`]: a diagnoser that keeps what another is given, so that runs of the lab become cases.
//! - [`of_public_data`]: cases of public root-cause data.
//! - [`AnswerLog`]: what diagnosers answered, a line each, resumably.
//! - [`Tally`]: how often they were right, and at what cost.
//! - [`check`]: holds stored answers against the evidence. It shares nothing with the checks a diagnoser does itself.

mod answer_log;
pub mod check;
mod keeping;
mod looks;
mod public;
mod recorded_case;
mod tally;

pub use answer_log::{AnswerKey, AnswerLog, Mark, StoredAnswer};
pub use keeping::{Keeping, Kept};
pub use looks::StoredLooks;
pub use public::of_public_data;
pub use recorded_case::{CaseError, RecordedCase, read_cases};
pub use tally::{Tally, tallies};
