//! The agent: it takes the open incidents, most severe first, puts each to a diagnoser that may take minutes, and hands
//! the answer in as a command. It stands beside the loop and never holds up a cycle.
//!
//! An [`Office`] is where it finds its cases and hands its answers in: [`LocalOffice`] within the operator's process,
//! [`RemoteOffice`] over the control socket. [`Agent`] works through them.

mod case;
mod local;
mod office;
mod progress;
mod query;
mod remote;
mod runner;
mod watched;

pub use case::{CaseFile, CaseSummary};
pub use local::LocalOffice;
pub use office::Office;
pub use progress::{AgentProgress, CaseProgress, CaseStage};
pub use query::{Query, QueryReply};
pub use remote::RemoteOffice;
pub use runner::{Agent, AgentLimits};
