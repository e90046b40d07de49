//! What the workshop says: of itself on its status board, and to a command it refuses.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;

/// What the workshop says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// When it was opened: its counts begin here.
    pub opened: Timestamp,
    /// Jobs waiting.
    pub backlog: u64,
    /// How long the oldest waiting jobs have waited, longest first; at most twenty.
    pub waits: Vec<Duration>,
    /// Jobs that ever arrived.
    pub arrived: u64,
    /// How many jobs a second the dispatcher hands out at most.
    pub dispatch_rate: u32,
    /// The last changes of that rate, oldest first.
    pub changes: Vec<SettingChange>,
    /// The workers.
    pub workers: Vec<WorkerStatus>,
}

/// What the workshop says of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
    /// How often it was started.
    pub starts: u64,
    /// When it was started last.
    pub started: Timestamp,
    /// Jobs finished since then.
    pub finished: u64,
    /// Jobs the dispatcher ever handed to it.
    pub handed: u64,
}

/// A change of the dispatch rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingChange {
    /// Its number among all changes, from 1.
    pub number: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Jobs a second before.
    pub before: u32,
    /// Jobs a second after.
    pub after: u32,
}

/// Nothing answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unplugged;

impl fmt::Display for Unplugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the workshop does not answer")
    }
}

impl std::error::Error for Unplugged {}

/// Why the workshop did not do what it was told. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nothing answers.
    Unplugged,
    /// It answered, and the precondition does not hold.
    Precondition(String),
}
