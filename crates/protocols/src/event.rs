//! Something that happened at a known time.

use crate::{EventId, Locus, Timestamp, Value};

/// Something that happened to the subject.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// Its name; the same event seen in two observations has one name.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What it happened to.
    pub on: Locus,
    /// What kind of event it was.
    pub kind: EventKind,
    /// What changed, where something did.
    pub change: Option<Change>,
    /// What to tell a person.
    pub message: String,
}

/// What kind of event it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum EventKind {
    /// A setting was changed.
    ConfigChange,
    /// A component started again.
    Restart,
    /// Another component took the lead.
    LeaderChange,
    /// A version was rolled out.
    Deploy,
    /// Somebody, the operator perhaps, acted.
    Action,
    /// Anything else.
    Other,
}

/// What an event changed.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// The setting that changed.
    pub field: String,
    /// What it was before; [`Value::Null`] if it was not set.
    pub before: Value,
    /// What it is now; [`Value::Null`] if it was removed.
    pub after: Value,
}
