//! What exactly is wrong, in a form from which a reasoner that knows no system can tell causes apart.

use std::time::Duration;

use crate::Locus;

/// What exactly is wrong.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Finding {
    /// What to tell a person.
    pub message: String,
    /// What was measured, in the invariant's unit.
    pub measured: f64,
    /// What it was held against.
    pub threshold: f64,
    /// What else is part of this; samples, when many were folded.
    pub involves: Vec<Locus>,
    /// Who claims what, and who holds it.
    pub discrepancies: Vec<Discrepancy>,
    /// How long the symptom outlives its cure (a window, say).
    pub persists: Option<Duration>,
    /// How many loci this finding speaks for: 1, or more when many were folded into it.
    pub count: u32,
}

impl Finding {
    /// A finding about one locus, without discrepancies.
    pub fn new(message: impl Into<String>, measured: f64, threshold: f64) -> Self {
        Self {
            message: message.into(),
            measured,
            threshold,
            involves: Vec::new(),
            discrepancies: Vec::new(),
            persists: None,
            count: 1,
        }
    }

    /// Whether every number in it is finite: one that is not can neither be judged nor written down.
    pub fn is_finite(&self) -> bool {
        self.measured.is_finite()
            && self.threshold.is_finite()
            && self.discrepancies.iter().all(|discrepancy| discrepancy.amount.is_finite() && discrepancy.of.is_finite())
    }
}

/// Two accounts of one thing that do not agree.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Discrepancy {
    /// What the accounts are about.
    pub what: Locus,
    /// Who says that it is so; none, if no known author does.
    pub claimed_by: Option<Locus>,
    /// Who holds it.
    pub held_by: Locus,
    /// How the accounts differ.
    pub kind: DiscrepancyKind,
    /// By how much they differ.
    pub amount: f64,
    /// Out of how much.
    pub of: f64,
    /// How many comparable claimants agree with each other (the claimant not counted, where it differs from them).
    pub agree: u32,
    /// How many comparable claimants there are in all, the claimant included.
    pub peers: u32,
}

/// How two accounts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DiscrepancyKind {
    /// Claimed, but not held.
    Missing,
    /// Held, but by no known author.
    Unclaimed,
    /// Both say something, and not the same.
    Differs,
}
