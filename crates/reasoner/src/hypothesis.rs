//! A candidate cause: a class of fault at a locus, with what speaks for and against it.

use operator_protocols::{FaultClass, Locus};
use serde::{Deserialize, Serialize};

use crate::EvidenceId;

/// A candidate cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// What kind of cause it is.
    pub class: FaultClass,
    /// Where it is.
    pub locus: Locus,
    /// The hypothesis as a sentence.
    pub statement: String,
    /// How probable it is among those considered, from 0 to 1.
    pub probability: f64,
    /// The log-likelihood it was ranked by.
    pub score: f64,
    /// What speaks for it.
    pub supporting: Vec<EvidenceRef>,
    /// What speaks against it.
    pub contradicting: Vec<EvidenceRef>,
}

/// A citation: an evidence item and what it says here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// The item cited.
    pub id: EvidenceId,
    /// Why it speaks for or against.
    pub because: String,
    /// How much it weighs, as a log-likelihood; negative speaks against.
    pub weight: f64,
}
