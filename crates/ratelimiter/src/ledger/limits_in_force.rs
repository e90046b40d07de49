//! Which limit was in force when: the stored one, else the request's as the log has it, else what most nodes have as
//! their default.

use std::collections::BTreeMap;

use crate::api::NodeSettings;
use crate::details::NodeDetail;
use crate::inspector::{Fold, LimitRecord, LogId};

/// The default limit of every boot that ever told it, by writer.
pub(crate) type Writers = BTreeMap<String, NodeSettings>;

/// The default limit that more than half of the nodes have that told theirs; none if no such majority exists.
pub(crate) fn majority_default<'a>(nodes: impl Iterator<Item = &'a NodeDetail>) -> Option<u64> {
    let mut votes: BTreeMap<u64, usize> = BTreeMap::new();
    let mut voters = 0;
    for settings in nodes.filter_map(|node| node.settings.as_ref()) {
        *votes.entry(settings.default_limit).or_default() += 1;
        voters += 1;
    }
    votes.into_iter().find(|(_, count)| count * 2 > voters).map(|(default, _)| default)
}

/// The highest limit of each log that was seen in an entry of it, and in which second last. It stands for the part of
/// a stretch that a fold no longer reaches.
#[derive(Debug, Clone, Default)]
pub(crate) struct LimitMemory {
    highest: BTreeMap<LogId, (u64, i64)>,
}

/// More logs are not remembered.
const MAX_REMEMBERED: usize = 20_000;

impl LimitMemory {
    /// Remembers what a fold shows.
    pub(crate) fn learn(&mut self, fold: &Fold, writers: &Writers, default: Option<u64>) {
        let now = second(fold.now_us);
        let keep = i64::try_from(fold.log.window_ms / 1000).unwrap_or(i64::MAX).saturating_add(60);
        for row in &fold.rows {
            let Some(limit) = requested(&row.writer, row.limit, writers, default) else { continue };
            if self.highest.len() >= MAX_REMEMBERED && !self.highest.contains_key(&fold.log) {
                return;
            }
            let entry = self.highest.entry(fold.log.clone()).or_insert((limit, row.second));
            let forgotten = entry.1 < now.saturating_sub(keep);
            if forgotten || limit > entry.0 {
                *entry = (limit, row.second);
            } else if limit == entry.0 {
                entry.1 = entry.1.max(row.second);
            }
        }
    }

    /// Forgets logs whose limit was last seen before `second`.
    pub(crate) fn forget_before(&mut self, second: i64) {
        self.highest.retain(|log, (_, seen)| {
            let keep = i64::try_from(log.window_ms / 1000).unwrap_or(i64::MAX).saturating_add(60);
            *seen >= second.saturating_sub(keep)
        });
    }

    fn of(&self, log: &LogId) -> Option<u64> {
        self.highest.get(log).map(|(limit, _)| *limit)
    }
}

/// Everything a limit may come from.
pub(super) struct Sources<'a> {
    pub(super) record: Option<&'a LimitRecord>,
    pub(super) fold: &'a Fold,
    pub(super) memory: &'a LimitMemory,
    pub(super) writers: &'a Writers,
    pub(super) default: Option<u64>,
}

impl Sources<'_> {
    /// The highest limit in force in the seconds from `from` to `to`; none if it cannot be told.
    pub(super) fn highest(&self, from: i64, to: i64) -> Option<u64> {
        let (stored, always) = stored_between(self.record, micros(from), micros(to + 1));
        if always {
            return stored;
        }
        let mut highest = stored;
        for row in self.fold.rows.iter().filter(|row| (from..=to).contains(&row.second)) {
            highest = highest.max(Some(requested(&row.writer, row.limit, self.writers, self.default)?));
        }
        // What lies beyond the window is trimmed from the log, what lies beyond the last 1,000 entries is not folded.
        let back = micros(from) < self.fold.now_us.saturating_sub(self.fold.log.window_ms.saturating_mul(1000));
        if back || micros(from) < self.fold.complete_after_us {
            highest = highest.max(self.memory.of(&self.fold.log));
        }
        highest.or(self.default)
    }
}

/// The limit of an entry. Where it is the default of the node that wrote it, what most nodes have as default is meant;
/// none if there is no such default.
fn requested(writer: &str, limit: u64, writers: &Writers, default: Option<u64>) -> Option<u64> {
    match writers.get(writer) {
        Some(settings) if settings.default_limit == limit => default,
        _ => Some(limit),
    }
}

/// The limit that a log was used with before `until_us` while none was stored, by its entries.
pub(crate) fn unstored_limit(
    fold: &Fold,
    record: Option<&LimitRecord>,
    writers: &Writers,
    default: Option<u64>,
) -> Option<u64> {
    fold.rows
        .iter()
        .filter(|row| stored_between(record, micros(row.second), micros(row.second + 1)).0.is_none())
        .filter_map(|row| requested(&row.writer, row.limit, writers, default))
        .max()
}

/// The highest limit stored at some time in [from, to), and whether one was stored all that time.
fn stored_between(record: Option<&LimitRecord>, from_us: u64, to_us: u64) -> (Option<u64>, bool) {
    let Some(record) = record else { return (None, false) };
    let present = (record.limit, record.version, u64::MAX);
    let past = record.previous.iter().map(|previous| (previous.limit, previous.from_us, previous.until_us));
    let mut highest = None;
    let mut covered = 0;
    for (limit, since, until) in std::iter::once(present).chain(past) {
        let overlap = until.min(to_us).saturating_sub(since.max(from_us));
        if overlap > 0 && limit.is_some() {
            highest = highest.max(limit);
            covered += overlap;
        }
    }
    (highest, covered >= to_us.saturating_sub(from_us))
}

fn micros(second: i64) -> u64 {
    u64::try_from(second).unwrap_or(0).saturating_mul(1_000_000)
}

fn second(micros: u64) -> i64 {
    i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX)
}
