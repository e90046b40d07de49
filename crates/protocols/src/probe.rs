//! Read-only questions that an investigation may put to a subject.

use std::collections::BTreeMap;

use crate::{Locus, ParamDefinition, ParamError, Timestamp, Unavailable, Value};

/// A read-only question that a subject answers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProbeDefinition {
    /// Its name, `snake_case`.
    pub name: String,
    /// What it tells.
    pub description: String,
    /// Its parameters.
    pub params: Vec<ParamDefinition>,
}

impl ProbeDefinition {
    /// Checks parameters: nothing unknown, nothing missing, everything within its bounds.
    ///
    /// # Errors
    /// Names the first parameter that does not fit and what would.
    pub fn validate(&self, params: &BTreeMap<String, Value>) -> Result<(), ParamError> {
        crate::action::validate_params(&self.params, params)
    }
}

/// One question, asked.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProbeRequest {
    /// The probe's name.
    pub probe: String,
    /// What it is about.
    pub target: Locus,
    /// Its parameters.
    pub params: BTreeMap<String, Value>,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProbeAnswer {
    /// When it was true.
    pub as_of: Timestamp,
    /// What was found, or why it could not be.
    pub answer: Result<Value, Unavailable>,
}
