//! How numbers moved since earlier looks. The subject remembers them, so that a checker need not keep an hour of
//! observations of a thousand stores to say that something does not get less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names;

/// How numbers moved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DriftDetail {
    /// By what it is, `down-peer` or `regions of store-4`.
    pub(crate) moved: BTreeMap<String, Moved>,
}

impl DriftDetail {
    /// The name under which the regions that a store holds are followed. Abnormal regions are followed under PD's word for
    /// them, `down-peer`.
    pub(crate) fn regions_of(store: u64) -> String {
        format!("regions of {}", names::store(store))
    }

    /// The name under which the snapshots that a store sends, receives and applies are followed.
    pub(crate) fn snapshots_of(store: u64) -> String {
        format!("snapshots of {}", names::store(store))
    }

    /// How the number of that name moved, if it is followed.
    pub(crate) fn of(&self, name: &str) -> Option<&Moved> {
        self.moved.get(name)
    }
}

/// How one number moved.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Moved {
    /// The value now.
    pub(crate) now: f64,
    /// Seconds since it was last less than now's least: for so long it has not got less.
    pub(crate) not_falling_s: f64,
    /// Seconds since it was last zero, or since it was first seen.
    pub(crate) above_zero_s: f64,
    /// By how much it changes a minute, over the last ten minutes at most.
    pub(crate) per_minute: f64,
}
