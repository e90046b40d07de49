//! What an agent is doing, for whoever watches.

use std::collections::BTreeMap;

use operator_reasoner::Step;
use serde::Serialize;

/// What an agent is doing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AgentProgress {
    /// Each incident it has taken, by id.
    pub cases: BTreeMap<String, CaseProgress>,
    /// How many cases it has answered so far.
    pub answered: u64,
    /// How many it gave up on.
    pub given_up: u64,
}

/// How one case gets on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseProgress {
    /// Where it stands.
    pub stage: CaseStage,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// What the diagnoser said last of how it gets on.
    pub step: Option<Step>,
    /// What became of it, or why the last attempt failed; for people.
    pub told: String,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStage {
    /// The diagnoser is at it.
    Thinking,
    /// An attempt failed; another follows.
    Waiting,
    /// An answer was handed in and taken.
    Answered,
    /// Nothing came of it: the reasoner's explanation stands.
    GivenUp,
}
