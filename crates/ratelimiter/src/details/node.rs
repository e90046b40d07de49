//! What an expected node said of itself.

use serde::{Deserialize, Serialize};

use crate::Address;
use crate::api::{Mode, NodeSettings};

/// One expected node. What it did not say is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeDetail {
    /// Where it is asked.
    pub(crate) address: Option<Address>,
    /// Whether `/livez` was answered in time.
    pub(crate) answers: bool,
    /// If it was not: why.
    pub(crate) silence: Option<String>,
    /// If it was not: whether the connection was refused, so that no process listens there.
    pub(crate) refused: bool,
    /// Which start of it.
    pub(crate) boot_id: Option<String>,
    /// How it decides.
    pub(crate) mode: Option<Mode>,
    /// Whether its Redis answers its pings.
    pub(crate) redis_connected: Option<bool>,
    /// Which start of which Redis it uses.
    pub(crate) redis_run_id: Option<String>,
    /// Whether it takes no traffic.
    pub(crate) draining: bool,
    /// Whether it is about to stop, by its own word or by the registry's.
    pub(crate) leaving: bool,
    /// What must be the same on all nodes.
    pub(crate) settings: Option<NodeSettings>,
}

impl NodeDetail {
    /// A node of which nothing is known yet.
    pub(crate) fn silent(address: Option<Address>, why: impl Into<String>) -> Self {
        Self {
            address,
            answers: false,
            silence: Some(why.into()),
            refused: false,
            boot_id: None,
            mode: None,
            redis_connected: None,
            redis_run_id: None,
            draining: false,
            leaving: false,
            settings: None,
        }
    }

    /// Whether it decides without Redis; none if it did not say.
    pub(crate) fn degraded(&self) -> Option<bool> {
        self.mode.map(|mode| mode != Mode::Coordinated)
    }
}
