//! What a person says of a diagnosis afterwards: that it was right, or wrong and what it was instead.

use std::collections::BTreeMap;

use operator_protocols::{FaultClass, Locus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Principal;

/// What a person says of a diagnosis. It is counted and learned from; it is no decision about anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The subject instance.
    pub subject: String,
    /// The incident.
    pub incident: String,
    /// The ticket by which it was named.
    pub ticket: String,
    /// The diagnosis it is about.
    pub diagnosis: String,
    /// Who made that diagnosis.
    pub diagnoser: String,
    /// The class it named.
    pub class: FaultClass,
    /// What is said of it.
    pub verdict: MarkVerdict,
    /// What the cause was, where the person says.
    pub cause: Option<(FaultClass, Locus)>,
    /// Their words, for people.
    pub note: String,
    /// Who says so.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
}

/// What is said of a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkVerdict {
    /// It named the cause.
    Right,
    /// It did not.
    Wrong,
    /// Nothing any more.
    Withdrawn,
}

/// How often diagnoses were right, as far as people said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkReport {
    /// By who made them.
    pub by_diagnoser: BTreeMap<String, MarkCounts>,
    /// By the class they named.
    pub by_class: BTreeMap<String, MarkCounts>,
}

/// Counts of incidents, each by its diagnosis that was marked, or by its last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkCounts {
    /// A person said that it was right.
    pub right: u64,
    /// A person said that it was wrong.
    pub wrong: u64,
    /// It said that the evidence does not decide.
    pub abstained: u64,
    /// Nobody said anything.
    pub unmarked: u64,
}

impl MarkReport {
    /// Counts one incident: the diagnoser and class of its diagnosis, and what was said of it, if anything.
    pub fn count(&mut self, diagnoser: &str, class: FaultClass, verdict: Option<MarkVerdict>) {
        let by_diagnoser = self.by_diagnoser.entry(diagnoser.to_owned()).or_default();
        let by_class = self.by_class.entry(class.to_string()).or_default();
        for counts in [by_diagnoser, by_class] {
            match verdict {
                _ if class == FaultClass::Unknown => counts.abstained += 1,
                Some(MarkVerdict::Right) => counts.right += 1,
                Some(MarkVerdict::Wrong) => counts.wrong += 1,
                None | Some(MarkVerdict::Withdrawn) => counts.unmarked += 1,
            }
        }
    }
}
