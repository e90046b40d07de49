//! The rows of one node, and which part of the key space they cover.

use std::collections::BTreeMap;

use crate::api::AdmittedRow;
use crate::inspector::LogId;

/// A node with room for so many (key, window) forgets quiet ones once it is full.
const ROOM: u64 = 1000;

/// What one boot of a node says it let through.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NodeRows {
    /// The node.
    pub(crate) node: String,
    /// Which start of it.
    pub(crate) boot_id: String,
    /// As logs name it: `node@boot`, by the name it calls itself.
    pub(crate) writer: String,
    /// How many (key, window) it has rows for.
    pub(crate) tracked: u64,
    /// About how many it has none for.
    pub(crate) untracked: u64,
    /// Reading began after this one; from the beginning, if none.
    pub(crate) after: Option<LogId>,
    /// Reading ended within this one; at the end, if none.
    pub(crate) until: Option<LogId>,
    rows: BTreeMap<LogId, Vec<AdmittedRow>>,
}

impl NodeRows {
    /// The rows that were read.
    pub(crate) fn new(node: &str, calls_itself: &str, boot_id: &str, rows: Vec<AdmittedRow>) -> Self {
        let mut by_log: BTreeMap<LogId, Vec<AdmittedRow>> = BTreeMap::new();
        for mut row in rows {
            let log = LogId { key: std::mem::take(&mut row.key), window_ms: row.window_ms };
            by_log.entry(log).or_default().push(row);
        }
        Self {
            node: node.to_owned(),
            boot_id: boot_id.to_owned(),
            writer: format!("{calls_itself}@{boot_id}"),
            tracked: by_log.len() as u64,
            untracked: 0,
            after: None,
            until: None,
            rows: by_log,
        }
    }

    /// Its rows of one log. Their key is left out.
    pub(crate) fn of(&self, log: &LogId) -> &[AdmittedRow] {
        self.rows.get(log).map_or(&[], Vec::as_slice)
    }

    /// The logs it has rows of.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&LogId, &[AdmittedRow])> {
        self.rows.iter().map(|(log, rows)| (log, rows.as_slice()))
    }

    /// From which second on its account of a log is complete; none if it may not be.
    pub(crate) fn complete_since(&self, log: &LogId) -> Option<i64> {
        let read =
            self.after.as_ref().is_none_or(|after| log > after) && self.until.as_ref().is_none_or(|until| log < until);
        if !read {
            return None;
        }
        match self.of(log).iter().map(|row| row.since).max() {
            Some(since) => Some(since),
            // Without rows it admitted nothing, unless it had no room to remember.
            None if self.untracked == 0 && self.tracked < ROOM => Some(i64::MIN),
            None => None,
        }
    }
}
