//! The books: what the nodes say they admitted, what Redis recorded, and what was allowed. Pure functions; what they
//! are fed with is read elsewhere.

mod accounts;
mod close;
mod excess;
mod limits_in_force;
mod node_rows;
mod rotation;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub(crate) use accounts::TOLERANCE;
pub(crate) use close::{Books, close};
pub(crate) use limits_in_force::{LimitMemory, Writers, majority_default, unstored_limit};
pub(crate) use node_rows::NodeRows;
pub(crate) use rotation::{Candidates, pick};
