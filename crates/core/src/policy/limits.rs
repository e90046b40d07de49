//! How often the operator may act, and when it must stop trying.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often it may act within an hour. Zero stops everything of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionBudget {
    /// On one target; an action's own limits go before this.
    pub per_target_per_hour: u32,
    /// On one subject; an action's own limits go before this.
    pub per_subject_per_hour: u32,
    /// In all.
    pub overall_per_hour: u32,
    /// At the same time, within one subject.
    pub in_flight_per_subject: u32,
}

impl Default for ActionBudget {
    fn default() -> Self {
        Self { per_target_per_hour: 3, per_subject_per_hour: 10, overall_per_hour: 20, in_flight_per_subject: 1 }
    }
}

/// When it must stop trying: so many failed, unknown or ineffective actions of one kind, or on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// How many open it.
    pub failures: u32,
    /// How long it stays open after the last of them.
    pub open_for: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 3, open_for: Duration::from_secs(30 * 60) }
    }
}
