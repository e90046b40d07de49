//! What the operator may do by itself: a list of small rules, each with its name in the audit.

mod autonomy;
mod limits;
mod rules;
mod settings;

pub use autonomy::Autonomy;
pub use limits::{ActionBudget, Breaker};
pub use rules::{PolicyFacts, judge};
pub use settings::PolicySettings;
