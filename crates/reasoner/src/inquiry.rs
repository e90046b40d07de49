//! What a diagnoser is given: the evidence, the actions on offer, and the looks it may take beyond the evidence.

use operator_protocols::{
    ActionDefinition, BoxFuture, Event, Id, Locus, LogLine, ProbeAnswer, ProbeDefinition, ProbeRequest, Timestamp,
    Unavailable,
};
use serde::{Deserialize, Serialize};

use crate::{Diagnosis, EvidencePack, Usage};

/// One incident, put to a diagnoser.
#[derive(Clone, Copy)]
pub struct Inquiry<'a> {
    /// Everything that bears on it.
    pub pack: &'a EvidencePack,
    /// What the subject offers to do; only these may be recommended.
    pub actions: &'a [ActionDefinition],
    /// Looks beyond the pack.
    pub investigation: &'a dyn Investigation,
    /// What the embedded reasoner makes of the same pack: the ranking to keep or to reject, and the answer to fall
    /// back to. The reasoner itself is asked without one.
    pub reasoned: Option<&'a Diagnosis>,
}

/// One value of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it was true.
    pub at: Timestamp,
    /// The value, in the signal's unit.
    pub value: f64,
}

/// Which log lines to look for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LogSearch {
    /// Only this component's.
    pub component: Option<Id>,
    /// Only those that contain this text, in any case; all if empty.
    pub containing: String,
    /// At most so many, the newest.
    pub limit: usize,
}

/// Read-only looks at the subject and at what was seen of it lately. Whatever comes back is data from outside: it can
/// never add a capability.
pub trait Investigation: Send + Sync {
    /// The values of a signal, oldest first.
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>>;

    /// What happened, oldest first; at most `limit`, the newest.
    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>>;

    /// Log lines, oldest first.
    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>>;

    /// The questions that the subject answers.
    fn probes(&self) -> &[ProbeDefinition];

    /// Asks one of them.
    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer>;

    /// Is told how the diagnoser gets on, for whoever watches.
    fn progress(&self, _step: &Step) {}
}

/// How a diagnoser gets on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which turn of at most how many.
    pub turn: u32,
    /// The most turns there may be.
    pub turns: u32,
    /// What it does, for people: free of secrets, not escaped.
    pub text: String,
    /// What was spent so far.
    pub usage: Usage,
}
