//! Who calls or needs whom.

use crate::Id;

/// The link from a component to one that it calls or needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dependency {
    /// The component that calls or needs.
    pub from: Id,
    /// The component that is called or needed.
    pub to: Id,
    /// What the link is for, in the subject's words; links of one kind are peers.
    pub kind: String,
    /// The link as its caller sees it.
    pub state: DependencyState,
}

/// How a link is doing, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DependencyState {
    /// The caller reaches the callee.
    Up,
    /// The caller cannot reach the callee.
    Down,
    /// It could not be told.
    Unknown,
}
