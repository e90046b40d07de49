//! How a subject is made from configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Driver, InvariantChecker, Subject, Value};

/// The part of the configuration that speaks of one subject instance.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SubjectConfig {
    /// The instance's name.
    pub name: String,
    /// Its kind, which picks the factory.
    pub kind: String,
    /// Its settings, whose names and meanings are the factory's.
    pub settings: BTreeMap<String, Value>,
}

/// Makes a subject and its checker, or says which setting is wrong. It connects to nothing: a system that is down can
/// still be watched.
pub type SubjectFactory =
    fn(&SubjectConfig, Option<Arc<dyn Driver>>) -> Result<(Box<dyn Subject>, Box<dyn InvariantChecker>), SubjectError>;

/// Which setting is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectError {
    /// The setting.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub message: String,
}

impl SubjectError {
    /// `field` is wrong, and `message` says what would be right.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for SubjectError {}
