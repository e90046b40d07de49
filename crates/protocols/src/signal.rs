//! A measured number.

use crate::{Locus, Timestamp};

/// One reading of one number about one thing.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Signal {
    /// What was measured. A link has signals too, as its caller sees it: without them a slow link and a slow component
    /// cannot be told apart.
    pub on: Locus,
    /// Its name, constant over time.
    pub name: String,
    /// What the number stands for, in words that hold for any system.
    pub role: SignalRole,
    /// The reading. Finite; a reading that is not is an [`Unavailable`](crate::Unavailable).
    pub value: f64,
    /// The unit: `s`, `1/s`, `bytes`, `1` …
    pub unit: String,
    /// When the reading was true.
    pub observed_at: Timestamp,
    /// Whether it may fall.
    pub kind: SignalKind,
    /// Which direction is bad.
    pub worse: Worse,
}

/// What a signal stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum SignalRole {
    /// How long something takes.
    Latency,
    /// How much is asked of it.
    Traffic,
    /// How much of it goes wrong.
    Errors,
    /// How full it is: as a share, from 0 to 1, if the unit is `1`; a count names what it counts (`jobs`, `bytes`).
    Saturation,
    /// Whether it is there.
    Availability,
    /// Anything else.
    Other,
}

/// Whether a signal may fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum SignalKind {
    /// The value as it is now.
    Gauge,
    /// A count that only grows until its source starts again.
    Counter {
        /// When the count began: a different value means a new count.
        since: Timestamp,
    },
}

/// Which direction of a signal is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Worse {
    /// More is worse.
    Higher,
    /// Less is worse.
    Lower,
    /// Neither, by itself.
    Neither,
}
