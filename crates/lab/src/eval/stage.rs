//! What a run needs of one kind of subject: its environment and its factory.

use std::path::PathBuf;

use operator_protocols::{BoxFuture, SubjectFactory};

use crate::environment::Environment;
use crate::error::LabError;
use crate::scenario::Scenario;

/// Starts an environment, in time.
type Starting = BoxFuture<'static, Result<Box<dyn Environment>, LabError>>;

/// One kind of subject, as the lab runs it.
#[derive(Clone, Copy)]
pub struct Stage {
    /// The kind.
    pub kind: &'static str,
    /// Makes the subject and its checker.
    pub factory: SubjectFactory,
    /// Whether a scenario's environment, load and fault are right; if not, what would be.
    pub check: fn(&Scenario) -> Result<(), String>,
    /// Whether a place that a scenario names, in the text form of a locus, is one that its environment has.
    pub check_locus: fn(&Scenario, &str) -> Result<(), String>,
    /// Starts the scenario's environment in a folder; nothing is left of one that does not start.
    pub start: fn(Scenario, PathBuf) -> Starting,
}

/// Every kind that the lab runs.
const STAGES: &[Stage] = &[
    #[cfg(feature = "ratelimiter")]
    crate::ratelimiter::STAGE,
    #[cfg(feature = "shop")]
    crate::shop::STAGE,
    #[cfg(feature = "tikv")]
    crate::tikv::STAGE,
];

impl Stage {
    /// The stage for a kind of subject.
    ///
    /// # Errors
    /// When the lab has none; the error names those there are.
    pub fn of(kind: &str) -> Result<Self, LabError> {
        STAGES.iter().copied().find(|stage| stage.kind == kind).ok_or_else(|| {
            let known: Vec<_> = STAGES.iter().map(|stage| stage.kind).collect();
            LabError::invalid("subject", format!("the lab runs {}, not {kind:?}", known.join(", ")))
        })
    }
}
