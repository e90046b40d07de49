//! What the operator itself changed, so that its own restoring of a limit is not taken for somebody's mistake.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::details::OwnChange;

/// More changes are not remembered; the oldest version goes first.
const MAX_CHANGES: usize = 1000;

/// The last change of each key that the operator made, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct OwnChanges {
    by_key: Mutex<BTreeMap<String, OwnChange>>,
}

impl OwnChanges {
    /// Remembers that `intent` made `version` of the record of `key`.
    pub(crate) fn remember(&self, key: &str, intent: &str, version: u64) {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        by_key.insert(key.to_owned(), OwnChange { intent: intent.to_owned(), version });
        if by_key.len() > MAX_CHANGES {
            let oldest = by_key.iter().min_by_key(|(_, change)| change.version).map(|(key, _)| key.clone());
            oldest.and_then(|key| by_key.remove(&key));
        }
    }

    /// All of them.
    pub(crate) fn by_key(&self) -> BTreeMap<String, OwnChange> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
