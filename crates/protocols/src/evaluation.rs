//! One invariant judged at one locus, right now. The second of the nine nouns.

use crate::{Finding, Locus, Unavailable};

/// One invariant judged at one locus.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evaluation {
    /// The invariant's name.
    pub invariant: String,
    /// What it was judged at.
    pub on: Locus,
    /// The judgement.
    pub verdict: Verdict,
}

/// The judgement. Only `Ok` and `Gone` clear anything: not knowing is not health.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// It holds.
    Ok,
    /// It does not hold.
    Violated(Finding),
    /// It could not be told.
    Unknown(Unavailable),
    /// It was not judged, for a known reason (idle, folded into another, planned).
    Suppressed(String),
    /// What it was about exists no more.
    Gone,
}

impl Evaluation {
    /// `invariant` judged at `on`.
    pub fn new(invariant: impl Into<String>, on: Locus, verdict: Verdict) -> Self {
        Self { invariant: invariant.into(), on, verdict }
    }
}
