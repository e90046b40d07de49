//! A part of the subject that can be up or down.

use std::collections::BTreeMap;

use crate::Id;

/// A process, a node, a store: something with a state of its own.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Component {
    /// Its name.
    pub id: Id,
    /// What kind of component it is, in the subject's words; components of one kind are peers.
    pub kind: String,
    /// Where it is reached, if anywhere.
    pub address: Option<String>,
    /// Its state in the protocol's words.
    pub state: ComponentState,
    /// Its state in the subject's own words.
    pub raw_state: String,
    /// The version it runs, if it says.
    pub version: Option<String>,
    /// What the operator should know of it beyond that; an `incarnation` label tells one start from the next.
    pub labels: BTreeMap<String, String>,
}

/// How a component is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ComponentState {
    /// It answers and does its work.
    Up,
    /// It answers, and says that it does not do its work fully.
    Degraded,
    /// It does not answer, or is known to be gone.
    Down,
    /// It could not be told.
    Unknown,
}
