//! The judge of a subject's invariants: a pure function of what was seen.

use std::time::Duration;

use crate::{Evaluation, History, InvariantDefinition, Observation};

/// Judges a subject's invariants. No I/O, no clock, no memory of its own: everything it needs of the past is in
/// [`History`]; grace and hysteresis are the operator's, once for every subject.
pub trait InvariantChecker: Send + Sync {
    /// What must hold.
    fn invariants(&self) -> &[InvariantDefinition];

    /// How much of the past [`check`](Self::check) needs.
    fn lookback(&self) -> Duration;

    /// Judges every invariant at every locus it speaks of. `past` does not contain `now`.
    ///
    /// A locus that cannot be judged is `Unknown`, never left out; one that was judged before and is no more is `Gone`.
    fn check(&self, past: &History, now: &Observation) -> Vec<Evaluation>;
}
