//! Closing the books of one observation: every log that was looked at, judged both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeRows;
use super::accounts::{agrees, compare};
use super::excess::{Judged, Outcome, failure_modes, judge};
use super::limits_in_force::{LimitMemory, Sources, Writers};
use crate::details::{Ledger, NodeStanding, UnreadableLog};
use crate::inspector::{Fold, LimitRecord};

/// More findings of one kind are not carried along: they are folded into one anyway.
const MAX_FINDINGS: usize = 100;

/// Everything that goes into the books.
pub(crate) struct Books<'a> {
    /// What the nodes say.
    pub(crate) nodes: &'a [NodeRows],
    /// What Redis says.
    pub(crate) folds: &'a [Fold],
    /// Redis's clock before the nodes were asked, in microseconds.
    pub(crate) asked_after_us: u64,
    /// Boots that ever said they exist.
    pub(crate) known_boots: &'a BTreeSet<String>,
    /// Settings by writer.
    pub(crate) writers: &'a Writers,
    /// The stored limits of the keys looked at.
    pub(crate) records: &'a BTreeMap<String, LimitRecord>,
    /// Limits seen earlier.
    pub(crate) memory: &'a LimitMemory,
    /// What most nodes have as default limit.
    pub(crate) default: Option<u64>,
    /// The fewest live nodes that a node may have counted on lately.
    pub(crate) live: u64,
    /// Logs known and left for another observation.
    pub(crate) waiting: u64,
}

/// Closes the books.
pub(crate) fn close(books: &Books<'_>) -> Ledger {
    let mut ledger = Ledger { as_of_us: Some(books.asked_after_us), ..Ledger::default() };
    let failure_modes = failure_modes(books.nodes, books.writers);
    let (mut judged, mut not_asked, mut limit_unknown) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for node in books.nodes {
        let standing = NodeStanding { boot_id: node.boot_id.clone(), ..NodeStanding::default() };
        ledger.nodes.insert(node.node.clone(), standing);
        ledger.coverage.untracked += node.untracked;
    }
    for fold in books.folds {
        let key = &fold.log.key;
        judged.insert(key.clone());
        if fold.problem.is_some() || fold.unparsable > 0 {
            let entries = || format!("{} entries of its log are none", fold.unparsable);
            ledger.unreadable.push(UnreadableLog {
                key: key.clone(),
                window_ms: fold.log.window_ms,
                entries: fold.unparsable,
                why: fold.problem.clone().unwrap_or_else(entries),
            });
        } else if let Some(comparison) = compare(fold, books.nodes, books.asked_after_us, books.known_boots) {
            for account in &comparison.accounts {
                if let Some(standing) = account.node.as_ref().and_then(|node| ledger.nodes.get_mut(node)) {
                    if !agrees(account) {
                        standing.differing += 1;
                    } else if account.admitted > 0 && account.recorded > 0 {
                        standing.agreeing += 1;
                    }
                }
            }
            not_asked.extend(comparison.not_asked.iter().cloned());
            ledger.differing.extend(comparison.difference(&fold.log));
        }
        let outcome = judge(&Judged {
            nodes: books.nodes,
            fold,
            limits: Sources {
                record: books.records.get(key),
                fold,
                memory: books.memory,
                writers: books.writers,
                default: books.default,
            },
            known_boots: books.known_boots,
            failure_modes: &failure_modes,
            live: books.live,
        });
        match outcome {
            Outcome::Within => {}
            Outcome::Exceeded(excess) => ledger.excess.push(*excess),
            Outcome::LimitUnknown => {
                limit_unknown.insert(key.clone());
            }
        }
    }
    ledger.differing.truncate(MAX_FINDINGS);
    ledger.unreadable.truncate(MAX_FINDINGS);
    ledger.excess.truncate(MAX_FINDINGS);
    ledger.coverage.compared = judged.len() as u64;
    ledger.coverage.waiting = books.waiting;
    ledger.coverage.boots_not_asked = not_asked.len() as u64;
    ledger.judged = judged.into_iter().collect();
    ledger.limit_unknown = limit_unknown.into_iter().collect();
    ledger
}
