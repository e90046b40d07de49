//! `counter_drift`: what a node admitted and what Redis recorded for it do not agree.
//!
//! The discrepancies say who: records by a writer that never said it exists are Unclaimed, and so is what Redis holds for
//! a node beyond what that node says; grants that Redis does not hold are Missing. After a node started again, a key on
//! which its former start was wrong is `Ok` only once grants of the new one are on record.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{Discrepancy, DiscrepancyKind, Evaluation, Finding, Verdict};

use super::case::Case;
use super::key_findings;
use crate::details::{Account, Details, Difference, Ledger, UnreadableLog};

pub(super) const NAME: &str = "counter_drift";
/// Cost.
pub(super) const TOLERANCE: f64 = crate::ledger::TOLERANCE as f64;
/// How much longer than the window a difference is seen: until its last second is out of the comparison.
const MARGIN: Duration = Duration::from_secs(5);

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let ledger = &case.details.ledger;
    let wrong_before = wrong_before(case);
    if let Some(verdict) = case.books_closed(ledger.why_not.as_ref()) {
        let keys = wrong_before.keys().map(|key| (key.clone(), verdict.clone())).collect();
        return key_findings::evaluations(case, NAME, keys, verdict);
    }
    let mut verdicts: BTreeMap<String, Verdict> = BTreeMap::new();
    for key in &ledger.judged {
        let verdict = match finding(case, ledger, key) {
            Some(finding) => Verdict::Violated(finding),
            None => match wrong_before.get(key).and_then(|writers| unproven(ledger, case, writers)) {
                Some(node) => {
                    Verdict::Suppressed(format!("nothing that {node} granted since its start is on record yet"))
                }
                None => Verdict::Ok,
            },
        };
        verdicts.insert(key.clone(), verdict);
    }
    key_findings::evaluations(case, NAME, verdicts, Verdict::Ok)
}

/// The accounts of one key that break the law, over all its windows.
pub(super) fn discrepancies(case: &Case<'_>, key: &str) -> Vec<Discrepancy> {
    let ledger = &case.details.ledger;
    let differing = ledger.differing.iter().filter(|difference| difference.key == key);
    let accounts = differing.flat_map(|difference| {
        difference.accounts.iter().filter_map(|account| discrepancy(case, ledger, difference, account))
    });
    let logs = ledger.unreadable.iter().filter(|log| log.key == key);
    accounts.chain(logs.map(|log| unreadable(case, log))).collect()
}

/// What is wrong with one key.
fn finding(case: &Case<'_>, ledger: &Ledger, key: &str) -> Option<Finding> {
    let discrepancies = discrepancies(case, key);
    let mut involves: BTreeSet<_> = discrepancies.iter().filter_map(|found| found.claimed_by.clone()).collect();
    let windows = ledger.differing.iter().filter(|found| found.key == key).map(|found| found.window_ms);
    let windows = windows.chain(ledger.unreadable.iter().filter(|log| log.key == key).map(|log| log.window_ms));
    let window_ms = windows.max().unwrap_or(0);
    let worst = discrepancies.iter().max_by(|a, b| a.amount.total_cmp(&b.amount))?;
    involves.insert(case.redis());
    let message = match (worst.kind, &worst.claimed_by) {
        (DiscrepancyKind::Missing, Some(node)) => {
            format!("{key}: of {} that {node} admitted, {} are not on record", worst.of, worst.amount)
        }
        _ => format!("{key}: of {} on record, {} were admitted by no node", worst.of, worst.amount),
    };
    let measured = worst.amount;
    Some(Finding {
        involves: involves.into_iter().collect(),
        discrepancies,
        persists: Some(Duration::from_millis(window_ms.min(crate::inspector::HORIZON_MS)) + MARGIN),
        ..Finding::new(message, measured, TOLERANCE)
    })
}

/// What an account that breaks the law says.
fn discrepancy(case: &Case<'_>, ledger: &Ledger, difference: &Difference, account: &Account) -> Option<Discrepancy> {
    let missing = account.missing() as f64;
    let allowed = TOLERANCE + account.unanswered as f64;
    let (kind, claimed_by, amount, of) = match &account.node {
        Some(node) if missing > allowed => {
            (DiscrepancyKind::Missing, Some(case.node(node)), missing, account.admitted as f64)
        }
        Some(_) if -missing > allowed => (DiscrepancyKind::Unclaimed, None, -missing, account.recorded as f64),
        None if account.recorded as f64 > TOLERANCE => {
            (DiscrepancyKind::Unclaimed, None, account.recorded as f64, account.recorded as f64)
        }
        _ => return None,
    };
    let (agree, peers) = standing(ledger, difference, account.node.as_deref());
    Some(Discrepancy {
        what: case.key(&difference.key),
        claimed_by,
        held_by: case.redis(),
        kind,
        amount,
        of,
        agree,
        peers,
    })
}

/// How many other nodes agree with Redis on this key, and how many nodes claim something on it. Where only one does,
/// all nodes with any grants are compared.
fn standing(ledger: &Ledger, difference: &Difference, node: Option<&str>) -> (u32, u32) {
    let keeps = |account: &&Account| account.missing().unsigned_abs() as f64 <= TOLERANCE + account.unanswered as f64;
    let claimants: BTreeSet<&str> = difference
        .accounts
        .iter()
        .filter(|account| account.admitted > 0)
        .filter_map(|account| account.node.as_deref())
        .collect();
    let broken: BTreeSet<&str> = difference
        .accounts
        .iter()
        .filter(|account| !keeps(account))
        .filter_map(|account| account.node.as_deref())
        .collect();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if claimants.len() >= 2 {
        let agree = claimants.iter().filter(|claimant| !broken.contains(*claimant) && Some(**claimant) != node).count();
        return (count(agree), count(claimants.len()));
    }
    let active = ledger.nodes.iter().filter(|(_, standing)| standing.agreeing + standing.differing > 0);
    let agree =
        active.clone().filter(|(name, standing)| standing.differing == 0 && Some(name.as_str()) != node).count();
    (count(agree), count(active.count()))
}

fn unreadable(case: &Case<'_>, log: &UnreadableLog) -> Discrepancy {
    let entries = log.entries.max(1) as f64;
    Discrepancy {
        what: case.key(&log.key),
        claimed_by: None,
        held_by: case.redis(),
        kind: DiscrepancyKind::Unclaimed,
        amount: entries,
        of: entries,
        agree: 0,
        peers: u32::try_from(case.details.ledger.nodes.len()).unwrap_or(u32::MAX),
    }
}

/// Keys on which a node's grants were missing within the lookback, with the writers they were missing of.
fn wrong_before(case: &Case<'_>) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut wrong: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for past in case.past.iter() {
        let Ok(ledger) = Details::ledger_of(past) else { continue };
        for difference in ledger.differing {
            for account in difference.accounts {
                let broken = account.missing() as f64 > TOLERANCE + account.unanswered as f64;
                if let Some(node) = account.node.filter(|_| broken) {
                    wrong.entry(difference.key.clone()).or_default().insert((node, account.writer));
                }
            }
        }
    }
    wrong
}

/// A node that is still expected, whose start that was wrong is no longer there, and whose present start has nothing on
/// record yet.
fn unproven<'a>(ledger: &Ledger, case: &Case<'_>, writers: &'a BTreeSet<(String, String)>) -> Option<&'a str> {
    writers
        .iter()
        .find(|(node, writer)| {
            let expected = case.details.nodes.contains_key(node);
            let proven = ledger.nodes.get(node).is_some_and(|standing| {
                standing.agreeing > 0 || writer.rsplit_once('@').is_some_and(|(_, boot)| boot == standing.boot_id)
            });
            expected && !proven
        })
        .map(|(node, _)| node.as_str())
}
