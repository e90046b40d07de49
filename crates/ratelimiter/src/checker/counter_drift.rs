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
    if let Some(verdict) = case.books_closed(ledger.why_not.as_ref(), ledger.as_of_us) {
        return key_findings::evaluations(case, NAME, case.keys_not_judged(&verdict), verdict);
    }
    let wrong_before = wrong_before(case);
    let mut verdicts = case.keys_not_judged(&Verdict::Gone);
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
    let active = ledger.nodes.iter().filter(|(_, standing)| standing.agreeing > 0 || standing.differing > 0);
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
        for difference in Details::differences_of(past) {
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

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component, key};
    use super::*;
    use crate::names;

    fn account(node: &str, admitted: u64, recorded: u64, unanswered: u64) -> Account {
        let known = node.starts_with('n');
        Account {
            writer: format!("{node}@boot-{node}"),
            node: known.then(|| node.to_owned()),
            generation: 0,
            admitted,
            recorded,
            unanswered,
        }
    }

    fn differ(scene: &mut Scene, on: &str, accounts: Vec<Account>) {
        let ledger = &mut scene.details.ledger;
        if !ledger.judged.iter().any(|judged| judged == on) {
            ledger.judged.push(on.to_owned());
        }
        let difference = Difference { key: on.to_owned(), window_ms: 60_000, from: 1, to: 50, accounts };
        ledger.differing.push(difference);
    }

    #[test]
    fn grants_of_one_node_that_are_not_on_record_are_missing_of_it() {
        let mut scene = Scene::healthy();
        differ(&mut scene, "k", vec![account("n1", 40, 40, 0), account("n2", 30, 29, 0), account("n3", 20, 2, 0)]);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "key k".to_owned())]);
        let finding = judged.finding(NAME, &key("k"));
        assert_eq!(finding.discrepancies.len(), 1);
        let found = &finding.discrepancies[0];
        assert_eq!((found.kind, &found.claimed_by), (DiscrepancyKind::Missing, &Some(component("n3"))));
        assert_eq!((found.amount, found.of, found.agree, found.peers), (18.0, 20.0, 2, 3));
        assert_eq!(found.held_by, component("redis"));
        assert_eq!(finding.persists, Some(Duration::from_secs(65)));
        assert!(finding.involves.contains(&component("n3")) && !finding.involves.contains(&component("n1")));
    }

    #[test]
    fn grants_of_all_nodes_that_are_not_on_record_leave_nobody_to_agree() {
        let mut scene = Scene::healthy();
        differ(&mut scene, "k", vec![account("n1", 40, 0, 0), account("n2", 30, 0, 0), account("n3", 20, 0, 0)]);
        let judged = scene.judge();
        let finding = judged.finding(NAME, &key("k"));
        assert_eq!(finding.discrepancies.len(), 3);
        assert!(finding.discrepancies.iter().all(|found| (found.agree, found.peers) == (0, 3)));
    }

    #[test]
    fn records_of_an_unknown_writer_are_unclaimed_and_so_is_what_a_node_denies() {
        for (accounts, amount) in [
            (vec![account("n1", 10, 10, 0), account("stranger", 0, 25, 0)], 25.0),
            (vec![account("n1", 10, 60, 0)], 50.0),
        ] {
            let mut scene = Scene::healthy();
            differ(&mut scene, "k", accounts);
            let judged = scene.judge();
            let found = &judged.finding(NAME, &key("k")).discrepancies[0];
            assert_eq!((found.kind, &found.claimed_by), (DiscrepancyKind::Unclaimed, &None));
            assert_eq!(found.amount, amount);
        }
    }

    #[test]
    fn a_log_that_cannot_be_read_is_unclaimed() {
        let mut scene = Scene::healthy();
        let log = UnreadableLog { key: "k".to_owned(), window_ms: 1000, entries: 1, why: "x".to_owned() };
        scene.details.ledger.unreadable.push(log);
        let judged = scene.judge();
        let finding = judged.finding(NAME, &key("k"));
        assert_eq!(finding.discrepancies[0].kind, DiscrepancyKind::Unclaimed);
    }

    #[test]
    fn the_tolerance_and_what_is_unanswered_are_not_differences() {
        let mut scene = Scene::healthy();
        differ(
            &mut scene,
            "k",
            vec![account("n1", 40, 35, 0), account("n2", 30, 15, 10), account("stranger", 0, 5, 0)],
        );
        assert_eq!(scene.judge().violated(), []);
        differ(&mut scene, "k", vec![account("n1", 41, 35, 0)]);
        assert_eq!(scene.judge().violated(), [(NAME, "key k".to_owned())]);
    }

    #[test]
    fn many_keys_are_one_finding_that_keeps_who_is_missing_what() {
        let mut scene = Scene::healthy();
        for n in 0..=super::super::FOLD_ABOVE {
            differ(&mut scene, &format!("k{n}"), vec![account("n1", 9, 9, 0), account("n3", 20, 0, 0)]);
        }
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "group keys".to_owned())]);
        let finding = judged.finding(NAME, &names::all_keys("limiter"));
        assert_eq!(finding.count, 21);
        assert!(finding.involves.contains(&component("n3")));
        assert_eq!(finding.discrepancies.len(), 5);
        assert!(finding.discrepancies.iter().all(|found| found.claimed_by == Some(component("n3"))));
        assert_eq!(judged.suppressed(NAME, &key("k7")), "folded");
        scene.details.ledger.differing.pop();
        let judged = scene.judge();
        assert_eq!(judged.violated().len(), 20);
        assert_eq!(judged.suppressed(NAME, &names::all_keys("limiter")), "told at its keys");
    }

    #[test]
    fn a_new_start_is_ok_only_once_its_grants_are_on_record() {
        let mut scene = Scene::healthy();
        differ(&mut scene, "k", vec![account("n3", 20, 0, 0)]);
        scene.judge();
        scene.details.ledger.differing.clear();
        assert_eq!(scene.judge().verdict(NAME, &key("k")), &Verdict::Ok, "the same start is judged by the law itself");
        let standing = scene.details.ledger.nodes.get_mut("n3").expect("asked");
        (standing.boot_id, standing.agreeing) = ("boot-new".to_owned(), 0);
        assert!(scene.judge().suppressed(NAME, &key("k")).contains("n3"));
        scene.details.ledger.nodes.get_mut("n3").expect("asked").agreeing = 1;
        assert_eq!(scene.judge().verdict(NAME, &key("k")), &Verdict::Ok);
    }

    #[test]
    fn without_redis_nothing_is_said_and_what_was_wrong_is_not_cleared() {
        let mut scene = Scene::healthy();
        differ(&mut scene, "k", vec![account("n3", 20, 0, 0)]);
        scene.judge();
        scene.details.ledger.why_not = Some("too slow".to_owned());
        let judged = scene.judge();
        assert!(matches!(judged.verdict(NAME, &key("k")), Verdict::Unknown(_)));
        assert!(matches!(judged.verdict(NAME, &names::all_keys("limiter")), Verdict::Unknown(_)));
        scene.lose_redis();
        assert_eq!(scene.judge().suppressed(NAME, &key("k")), "Redis does not answer");
    }
}
