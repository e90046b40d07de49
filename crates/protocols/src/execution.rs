//! What passes between the operator and a subject when an action is carried out.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::{Locus, Timestamp, Unavailable, Value};

/// One action, aimed and parametrised.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ActionRequest {
    /// The intent this carries out: unique for ever, the same for every attempt. Used as the idempotency key.
    pub intent: String,
    /// The action's name.
    pub action: String,
    /// What it is aimed at.
    pub target: Locus,
    /// Its parameters, defaults filled in.
    pub params: BTreeMap<String, Value>,
}

/// The live facts that an action relies on.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Guard {
    /// Whether the action may be carried out now.
    pub holds: Holds,
    /// Which start of the target this is about, where that matters.
    pub incarnation: Option<String>,
    /// The facts. They are part of what an approval is bound to: only what must not have changed belongs here.
    pub facts: BTreeMap<String, Value>,
    /// When the facts were true.
    pub as_of: Timestamp,
}

/// Whether an action may be carried out now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Holds {
    /// It may.
    Yes,
    /// It may not, and why.
    No(String),
    /// It could not be told, so it may not.
    Unknown(Unavailable),
}

/// What the operator's claim gives to a send: which intent and attempt it is, in which epoch, and until when it may be
/// sent. A subject carries out nothing without one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExecutionToken {
    intent: String,
    attempt: u32,
    epoch: u64,
    send_by: Timestamp,
    time_limit: Duration,
}

impl ExecutionToken {
    /// The token of one claimed attempt. Only whoever holds the claim has reason to make one.
    pub fn new(intent: impl Into<String>, attempt: u32, epoch: u64, send_by: Timestamp, time_limit: Duration) -> Self {
        Self { intent: intent.into(), attempt, epoch, send_by, time_limit }
    }

    /// The intent; the idempotency key.
    pub fn intent(&self) -> &str {
        &self.intent
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The epoch of the claim.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// After this instant it must not be sent.
    pub fn send_by(&self) -> Timestamp {
        self.send_by
    }

    /// How long the operator waits for the answer before it calls the outcome unknown.
    pub fn time_limit(&self) -> Duration {
        self.time_limit
    }
}

/// What came of sending.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Sent {
    /// Nothing left this side.
    NotSent(String),
    /// The target proved that it did nothing.
    NoEffect(String),
    /// It is done.
    Done(Receipt),
    /// The target took it and works on it: ask [`Subject::effect`](crate::Subject::effect) from time to time.
    Accepted {
        /// How often to ask.
        poll: Duration,
        /// When to stop waiting.
        deadline: Timestamp,
    },
    /// It may have happened or not, or happen yet.
    Unknown(String),
}

/// What the target said of something done.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
    /// What was done, for people.
    pub summary: String,
    /// What the target said.
    pub facts: BTreeMap<String, Value>,
}

impl Receipt {
    /// A receipt without further facts.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), facts: BTreeMap::new() }
    }
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Effect {
    /// It happened.
    Happened(Receipt),
    /// It is under way.
    UnderWay {
        /// How much of it is done, from 0 to 1, where that can be told.
        progress: Option<f64>,
    },
    /// It has not happened.
    Absent,
    /// It could not be told.
    Unknown(Unavailable),
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("holds"),
            Self::No(why) => write!(f, "does not hold: {why}"),
            Self::Unknown(why) => write!(f, "could not be told: {why}"),
        }
    }
}
