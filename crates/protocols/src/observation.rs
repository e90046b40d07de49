//! Everything seen of a subject at one instant. The first of the nine nouns: Observation → Evaluation → Violation →
//! Ticket → Diagnosis → Proposal → Approval → Execution → Verification.

use std::collections::BTreeMap;

use crate::{Component, Dependency, Event, Id, Locus, LogLine, Signal, Timestamp, Unavailable, Value};

/// Everything seen of the subject at one instant.
///
/// The typed facets are what generic reasoning and every screen feed on; `details` says anything else. Data that is
/// missing is said in `unavailable`, never invented.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Observation {
    /// When the observation began, by the operator's clock.
    pub at: Timestamp,
    /// The parts of the subject, those that do not answer included.
    pub components: Vec<Component>,
    /// Who calls or needs whom.
    pub dependencies: Vec<Dependency>,
    /// Measured numbers.
    pub signals: Vec<Signal>,
    /// What happened; an event may be repeated in later observations under the same id.
    pub events: Vec<Event>,
    /// What components wrote since the last observation.
    pub logs: Vec<LogLine>,
    /// What only the subject's own checker understands.
    pub details: BTreeMap<String, Value>,
    /// What could not be read.
    pub unavailable: Vec<Unavailable>,
}

impl Observation {
    /// An observation of nothing, at `at`.
    pub fn new(at: Timestamp) -> Self {
        Self { at, ..Self::default() }
    }

    /// The component called `id`.
    pub fn component(&self, id: &Id) -> Option<&Component> {
        self.components.iter().find(|component| &component.id == id)
    }

    /// The reading of `name` on `on`.
    pub fn signal(&self, on: &Locus, name: &str) -> Option<&Signal> {
        self.signals.iter().find(|signal| &signal.on == on && signal.name == name)
    }

    /// Moves every reading that is not finite to `unavailable`: such a number can neither be judged nor written down.
    pub fn discard_readings_that_are_not_finite(&mut self) {
        let unavailable = &mut self.unavailable;
        self.signals.retain(|signal| {
            let finite = signal.value.is_finite();
            if !finite {
                unavailable.push(Unavailable::new(
                    format!("{} of {}", signal.name, signal.on),
                    format!("the reading {} is not a finite number", signal.value),
                ));
            }
            finite
        });
    }
}
