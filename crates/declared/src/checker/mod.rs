//! What must hold, judged from what was observed: that every component answers, which is built in, and what the file
//! says of signals.
//!
//! What has no reading is `Unknown`, unless whoever would tell is down: then it is `Suppressed`, and its being down is
//! what is told. More than [`FOLD_ABOVE`] places of one kind that violate one invariant at once are one finding.

mod fold;
mod peers;
mod scene;
mod threshold;
mod unchanged;
mod up;

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{Evaluation, History, InvariantChecker, InvariantDefinition, Observation};

pub use fold::FOLD_ABOVE;

use crate::file::{Limit, SystemFile};
use scene::Scene;

/// The invariant that is built in: every component answers.
pub const UP: &str = "up";
/// How much of the past is kept at least: as long as an entity that is seen no more is asked about.
const LOOKBACK: Duration = Duration::from_secs(600);

/// Judges a system described in a file.
#[derive(Debug, Clone)]
pub struct DeclaredChecker {
    subject: String,
    file: Arc<SystemFile>,
    definitions: Vec<InvariantDefinition>,
    lookback: Duration,
}

impl DeclaredChecker {
    /// The checker of the instance `subject`, whose graces are multiplied by `time_scale`.
    pub(crate) fn new(subject: &str, file: Arc<SystemFile>, time_scale: f64) -> Self {
        let scaled = |grace: Duration| grace.mul_f64(time_scale.clamp(0.0, 1000.0));
        let mut definitions = vec![InvariantDefinition {
            name: UP.to_owned(),
            description: "Every component answers its checks".to_owned(),
            severity: file.up.severity,
            threshold: None,
            unit: "s".to_owned(),
            grace: scaled(file.up.grace),
            clear_after: file.up.clear_after,
            minimum_traffic: None,
        }];
        let mut lookback = LOOKBACK;
        for invariant in &file.invariants {
            if let Limit::Unchanged(time) = invariant.limit {
                lookback = lookback.max(time);
            }
            let signal = file.signal(&invariant.signal);
            definitions.push(InvariantDefinition {
                name: invariant.name.clone(),
                description: invariant.description.clone(),
                severity: invariant.severity,
                threshold: match invariant.limit {
                    Limit::Above { limit, .. } | Limit::Below { limit, .. } => Some(limit),
                    Limit::Peers { tolerance } => Some(tolerance),
                    Limit::Unchanged(_) => None,
                },
                unit: signal.map(|signal| signal.unit.clone()).unwrap_or_default(),
                grace: scaled(invariant.grace),
                clear_after: invariant.clear_after,
                minimum_traffic: invariant.minimum_traffic.as_ref().map(|traffic| traffic.at_least),
            });
        }
        Self { subject: subject.to_owned(), file, definitions, lookback }
    }
}

impl InvariantChecker for DeclaredChecker {
    fn invariants(&self) -> &[InvariantDefinition] {
        &self.definitions
    }

    fn lookback(&self) -> Duration {
        self.lookback
    }

    fn check(&self, past: &History, now: &Observation) -> Vec<Evaluation> {
        let mut evaluations = up::judge(&self.subject, &self.file, past, now);
        for invariant in &self.file.invariants {
            let Some(signal) = self.file.signal(&invariant.signal) else { continue };
            let scene = Scene { subject: &self.subject, file: &self.file, invariant, signal, past, now };
            let verdicts = match invariant.limit {
                Limit::Above { .. } | Limit::Below { .. } => threshold::judge(&scene),
                Limit::Unchanged(time) => unchanged::judge(&scene, time),
                Limit::Peers { tolerance } => peers::judge(&scene, tolerance),
            };
            evaluations.extend(fold::evaluations(&scene, verdicts));
        }
        evaluations
    }
}

#[cfg(test)]
mod tests;
