//! Scenarios: an environment, a load, a fault, and what is true about it, so that a diagnosis can be judged.
//!
//! A scenario is a TOML file. Where it says `{node}` and has `pick.node = ["node-1", …]`, the seed of a run picks one:
//! five seeds do not break the same node five times.

mod catalogue;
mod pattern;
mod pick;
mod read;
mod truth;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::environment::{FaultRequest, WorkloadSpec};
use crate::error::LabError;

pub use catalogue::{all, find, suite};
pub use pattern::Pattern;
pub use read::ScenarioError;
pub use truth::{ActionTruth, ActionVerdict, HypothesisTruth, HypothesisVerdict, Truth};

/// A scenario in which every placeholder is filled: what one run does, and what is true about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, for example `R1`.
    pub id: String,
    /// What happens, in a few words.
    pub title: String,
    /// What happens and what is hard about it, for people.
    pub story: String,
    /// The kind of subject.
    pub subject: String,
    /// The environment, in the words of its kind of subject.
    #[serde(default)]
    pub environment: toml::Table,
    /// The load.
    pub workload: WorkloadSpec,
    /// The fault.
    pub fault: FaultRequest,
    /// What is true.
    pub truth: Truth,
    /// How long everything may take.
    pub deadlines: Deadlines,
}

impl Scenario {
    /// The environment's settings, read as those of one kind of subject.
    ///
    /// # Errors
    /// Names the setting that is unknown or wrong.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, LabError> {
        let settings = self.environment.clone().try_into();
        settings.map_err(|error: toml::de::Error| LabError::invalid("environment", error.message().to_owned()))
    }
}

/// How long each part of a run takes at most, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// How long load runs before the fault, so that there is a baseline. Nothing may be found wrong meanwhile.
    pub warm_up_s: u32,
    /// From the fault to the ticket.
    pub detect_s: u32,
    /// From the ticket to a diagnosis that stays.
    pub diagnose_s: u32,
    /// From the fault to a system in which nothing is wrong. Where no ticket is expected: how long to watch that none
    /// comes.
    pub recover_s: u32,
}

impl Deadlines {
    /// The longest that a run can take, without starting and ending the environment.
    pub fn total(&self) -> Duration {
        let after = self.recover_s.max(self.detect_s.saturating_add(self.diagnose_s));
        Duration::from_secs(self.warm_up_s.saturating_add(after).into())
    }
}

/// A scenario as its file has it: with placeholders, and what may be put in their place.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioFile {
    /// The placeholders and what each may become.
    pub pick: BTreeMap<String, Vec<String>>,
    text: toml::Table,
    source: String,
}
