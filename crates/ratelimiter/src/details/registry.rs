//! The registry of the nodes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::inspector::RegisteredState;

/// The last reading of the registry that counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct RegistryDetail {
    /// Whether that is the reading of this observation. If not, it says who was there, and nothing about now.
    pub(crate) counts: bool,
    /// If not: why.
    pub(crate) why_not: Option<String>,
    /// The nodes by name.
    pub(crate) nodes: BTreeMap<String, RegisteredDetail>,
}

/// What the registry says of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisteredDetail {
    /// Its state.
    pub(crate) state: RegisteredState,
    /// Whether its last heartbeat is younger than two intervals.
    pub(crate) fresh: bool,
    /// Which start of it wrote last.
    pub(crate) boot_id: Option<String>,
}
