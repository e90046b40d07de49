//! The conservation law: what a boot admitted is what Redis recorded for it, second by second of Redis's clock.
//!
//! Only whole seconds are compared that are over on both sides: at least [`SETTLED_S`] old when the nodes were asked, and
//! not yet beyond the window when Redis was. So the two readings need not be taken at one time.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeRows;
use crate::details::{Account, Difference};
use crate::inspector::{Fold, LogId};

/// By how much cost accounts may differ, over and above what a node never learned the outcome of.
pub(crate) const TOLERANCE: u64 = 5;
/// Seconds younger than this may still change: a call that is under way is given up after a quarter of it.
const SETTLED_S: i64 = 2;
/// Nodes keep rows, and accounts are compared, for the window but at most this long.
const LONGEST_US: u64 = crate::inspector::HORIZON_MS * 1000;

/// The comparison of one log.
#[derive(Debug, PartialEq)]
pub(super) struct Comparison {
    /// The first second compared.
    pub(super) from: i64,
    /// The last one.
    pub(super) to: i64,
    /// Every account that could be judged.
    pub(super) accounts: Vec<Account>,
    /// Writers with records that are known and cannot be asked.
    pub(super) not_asked: BTreeSet<String>,
    /// Nodes whose account of this log is not complete.
    pub(super) incomplete: u64,
}

/// The seconds that can be compared for a log; none, if its window is too short for that.
fn seconds(fold: &Fold, asked_after_us: u64) -> Option<(i64, i64)> {
    let second = |micros: u64| i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX);
    let back_us = fold.log.window_ms.saturating_mul(1000).min(LONGEST_US);
    let mut from = second(fold.now_us.saturating_sub(back_us)) + 1;
    if fold.complete_after_us > 0 {
        from = from.max(second(fold.complete_after_us) + 1);
    }
    let to = second(asked_after_us) - SETTLED_S - 1;
    (from <= to).then_some((from, to))
}

/// Compares the accounts of one log. `known` are the boots that ever said they exist.
pub(super) fn compare(
    fold: &Fold,
    nodes: &[NodeRows],
    asked_after_us: u64,
    known: &BTreeSet<String>,
) -> Option<Comparison> {
    let (from, to) = seconds(fold, asked_after_us)?;
    let mut accounts: BTreeMap<(String, u64), Account> = BTreeMap::new();
    let mut since: BTreeMap<&str, (&str, Option<i64>)> = BTreeMap::new();
    let mut unanswered: BTreeMap<&str, u64> = BTreeMap::new();
    let mut incomplete = 0;
    for node in nodes {
        let complete_since = node.complete_since(&fold.log);
        incomplete += u64::from(complete_since.is_none());
        since.insert(&node.writer, (&node.node, complete_since));
        // A call whose outcome is not known may have been recorded a second before or after it was sent, and under
        // whatever generation was in force then.
        let rows = node.of(&fold.log).iter().filter(|row| (from - 1..=to + 1).contains(&row.second));
        let not_known = rows.fold(0_u64, |sum, row| sum.saturating_add(row.unanswered));
        unanswered.insert(&node.writer, not_known);
        if let Some(complete_since) = complete_since {
            admitted(&mut accounts, fold, node, not_known, (from.max(complete_since), to));
        }
    }
    let mut not_asked = BTreeSet::new();
    for row in &fold.rows {
        // An older generation no longer counts: its log goes with the next grant.
        if row.generation < fold.generation || !(from..=to).contains(&row.second) {
            continue;
        }
        let node = match since.get(row.writer.as_str()) {
            Some((_, None)) => continue,
            Some((_, Some(complete_since))) if row.second < *complete_since => continue,
            Some((node, Some(_))) => Some((*node).to_owned()),
            None if known.contains(&row.writer) => {
                not_asked.insert(row.writer.clone());
                continue;
            }
            None => None,
        };
        let account = accounts.entry((row.writer.clone(), row.generation)).or_insert_with(|| Account {
            writer: row.writer.clone(),
            node,
            generation: row.generation,
            admitted: 0,
            recorded: 0,
            unanswered: unanswered.get(row.writer.as_str()).copied().unwrap_or(0),
        });
        account.recorded = account.recorded.saturating_add(row.cost);
    }
    let accounts = accounts.into_values().filter(|account| account.admitted > 0 || account.recorded > 0).collect();
    Some(Comparison { from, to, accounts, not_asked, incomplete })
}

/// Enters what a node says it admitted in these seconds.
fn admitted(
    accounts: &mut BTreeMap<(String, u64), Account>,
    fold: &Fold,
    node: &NodeRows,
    unanswered: u64,
    (from, to): (i64, i64),
) {
    let reset_in = i64::try_from(fold.generation / 1_000_000).unwrap_or(i64::MAX);
    for row in node.of(&fold.log) {
        // Before a reset an older generation was right, and its records may be gone. Since then it is not.
        let outdated = row.generation < fold.generation && row.second <= reset_in;
        if outdated || !(from..=to).contains(&row.second) {
            continue;
        }
        let account = accounts.entry((node.writer.clone(), row.generation)).or_insert_with(|| Account {
            writer: node.writer.clone(),
            node: Some(node.node.clone()),
            generation: row.generation,
            admitted: 0,
            recorded: 0,
            unanswered,
        });
        account.admitted = account.admitted.saturating_add(row.admitted);
    }
}

/// Whether an account keeps the law.
pub(super) fn agrees(account: &Account) -> bool {
    account.node.is_some() && account.missing().unsigned_abs() <= TOLERANCE + account.unanswered
        || account.node.is_none() && account.recorded <= TOLERANCE
}

impl Comparison {
    /// The difference, if some account does not keep the law.
    pub(super) fn difference(&self, log: &LogId) -> Option<Difference> {
        self.accounts.iter().any(|account| !agrees(account)).then(|| Difference {
            key: log.key.clone(),
            window_ms: log.window_ms,
            from: self.from,
            to: self.to,
            accounts: self.accounts.clone(),
        })
    }
}
