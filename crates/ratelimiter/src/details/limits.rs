//! Stored limits that changed lately.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::inspector::LimitRecord;

/// Stored limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LimitsDetail {
    /// Redis's clock at the reading, in microseconds; none if they could not be read.
    pub(crate) as_of_us: Option<u64>,
    /// If not: why.
    pub(crate) why_not: Option<String>,
    /// The records that changed within the last two hours, by key.
    pub(crate) recent: BTreeMap<String, RecentLimit>,
    /// The last change of each key that the operator itself made, by key.
    pub(crate) own: BTreeMap<String, OwnChange>,
}

/// A record that changed lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecentLimit {
    /// The record.
    pub(crate) record: LimitRecord,
    /// The limit the key is used with while none is stored, if it was seen in use.
    pub(crate) unstored: Option<u64>,
}

/// A change that the operator made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnChange {
    /// The intent.
    pub(crate) intent: String,
    /// The version of the record it made.
    pub(crate) version: u64,
}
