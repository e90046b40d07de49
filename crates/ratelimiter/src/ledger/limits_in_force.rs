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

/// The highest limit of each log that was seen in an entry of it. It stands for the part of a stretch that a fold no
/// longer reaches, if earlier folds reached it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LimitMemory {
    seen: BTreeMap<LogId, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The highest limit, and in which second it was last seen.
    limit: Option<(u64, i64)>,
    /// Since when no entry can have escaped, in microseconds.
    since_us: u64,
    /// The last fold, in microseconds.
    until_us: u64,
}

/// More logs are not remembered.
const MAX_REMEMBERED: usize = 20_000;

impl LimitMemory {
    /// Remembers what a fold shows.
    pub(crate) fn learn(&mut self, fold: &Fold, writers: &Writers, default: Option<u64>) {
        if self.seen.len() >= MAX_REMEMBERED && !self.seen.contains_key(&fold.log) {
            return;
        }
        let complete_us = fold.complete_since_us();
        let fresh = Seen { limit: None, since_us: complete_us, until_us: fold.now_us };
        let seen = self.seen.entry(fold.log.clone()).or_insert(fresh);
        if complete_us > seen.until_us {
            seen.since_us = complete_us;
        }
        seen.until_us = fold.now_us;
        let keep = second(fold.now_us).saturating_sub(keep_s(&fold.log));
        for row in &fold.rows {
            let Some(limit) = requested(&row.writer, row.limit, writers, default) else { continue };
            match &mut seen.limit {
                Some((highest, last)) if *highest == limit => *last = row.second.max(*last),
                Some((highest, last)) if *highest > limit && *last >= keep => {}
                other => *other = Some((limit, row.second)),
            }
        }
    }

    /// Forgets logs that were not folded since `second`.
    pub(crate) fn forget_before(&mut self, second_: i64) {
        self.seen.retain(|log, seen| second(seen.until_us) >= second_.saturating_sub(keep_s(log)));
    }

    /// The highest limit seen, if nothing can have escaped since `from_us`.
    fn of(&self, log: &LogId, from_us: u64) -> Option<Option<u64>> {
        let seen = self.seen.get(log).filter(|seen| seen.since_us <= from_us)?;
        Some(seen.limit.map(|(limit, _)| limit))
    }
}

/// How long a limit matters that was seen in a log, in seconds.
fn keep_s(log: &LogId) -> i64 {
    i64::try_from(log.window_ms / 1000).unwrap_or(i64::MAX).saturating_add(60)
}

/// Everything a limit may come from.
pub(super) struct Sources<'a> {
    pub(super) record: Option<&'a LimitRecord>,
    pub(super) fold: &'a Fold,
    pub(super) memory: &'a LimitMemory,
    pub(super) writers: &'a Writers,
    pub(super) default: Option<u64>,
}

/// What was in force for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InForce {
    /// This at most.
    AtMost(u64),
    /// It was never looked at, so it cannot be judged.
    NotSeen,
    /// It was the default of the nodes, on which they do not agree.
    Unknown,
}

impl Sources<'_> {
    /// The highest limit in force in the seconds from `from` to `to`. With `degraded`, something in them was admitted
    /// without Redis: no entry tells by which limit, so the default may have been it.
    pub(super) fn highest(&self, from: i64, to: i64, degraded: bool) -> InForce {
        let (stored, always) = stored_between(self.record, micros(from), micros(to + 1));
        let mut highest = stored;
        if !always {
            for row in self.fold.rows.iter().filter(|row| (from..=to).contains(&row.second)) {
                match requested(&row.writer, row.limit, self.writers, self.default) {
                    Some(limit) => highest = highest.max(Some(limit)),
                    None => return InForce::Unknown,
                }
            }
            if degraded {
                match self.default {
                    Some(default) => highest = highest.max(Some(default)),
                    None => return InForce::Unknown,
                }
            }
            if micros(from) < self.fold.complete_since_us() {
                match self.memory.of(&self.fold.log, micros(from)) {
                    Some(seen) => highest = highest.max(seen),
                    None => return InForce::NotSeen,
                }
            }
        }
        highest.or(self.default).map_or(InForce::Unknown, InForce::AtMost)
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
