//! An honest limiter never gives a finding, and every dishonesty gives the right one.

use proptest::prelude::*;

use super::simulation::{Entry, World};
use super::{NodeRows, TOLERANCE};
use crate::api::AdmittedRow;
use crate::details::{Account, Ledger};
use crate::inspector::Fold;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Ten readings over some minutes of honest work with resets, restarts, changed limits and nodes without Redis.
    #[test]
    fn an_honest_limiter_gives_no_finding(seed in any::<u64>(), most in prop_oneof![Just(1000_usize), Just(12)]) {
        let mut world = World::new(seed);
        for _ in 0..10 {
            world.run(20);
            let ledger = world.close(most);
            prop_assert!(ledger.differing.is_empty(), "seed {seed}: {:?}", ledger.differing);
            prop_assert!(ledger.excess.is_empty(), "seed {seed}: {:?}", ledger.excess);
            prop_assert!(ledger.limit_unknown.is_empty(), "seed {seed}");
        }
    }

    /// Whatever a third of the records of one node is worth, its loss is found if it is above the tolerance.
    #[test]
    fn lost_records_of_one_node_are_missing_and_of_nobody_else(seed in any::<u64>()) {
        let mut world = World::new(seed);
        world.run(60);
        let before: u64 = world.close(1000).differing.len() as u64;
        prop_assert_eq!(before, 0);
        let ledger = world.close_with(1000, |_, folds| {
            for fold in folds {
                fold.rows.retain(|row| !row.writer.starts_with("n1@"));
            }
        });
        for account in broken(&ledger) {
            prop_assert_eq!(account.node.as_deref(), Some("n1"), "seed {}", seed);
            prop_assert!(account.missing() > 0);
        }
    }
}

fn broken(ledger: &Ledger) -> Vec<&Account> {
    let accounts = ledger.differing.iter().flat_map(|difference| &difference.accounts);
    accounts.filter(|account| !super::accounts::agrees(account)).collect()
}

/// A world with a good deal of settled traffic.
fn busy() -> World {
    let mut world = World::new(7);
    world.run(60);
    world
}

#[test]
fn records_lost_by_redis_are_missing_of_every_node() {
    let ledger = busy().close_with(1000, |_, folds| folds.iter_mut().for_each(|fold| fold.rows.clear()));
    let nodes: std::collections::BTreeSet<_> =
        broken(&ledger).iter().filter_map(|account| account.node.clone()).collect();
    assert!(nodes.len() >= 2, "{ledger:?}");
    assert!(broken(&ledger).iter().all(|account| account.missing() > TOLERANCE as i64));
}

#[test]
fn an_entry_of_a_writer_that_never_said_it_exists_is_unclaimed_above_the_tolerance() {
    for (cost, found) in [(TOLERANCE, false), (TOLERANCE + 1, true)] {
        let mut world = busy();
        let (log, recorded) = world.logs.iter_mut().next_back().expect("a log");
        let (log, generation) = (log.clone(), recorded.generation);
        let t_us = world.now_us - 5_000_000;
        let writer = "intruder@x".to_owned();
        recorded.entries.push(Entry { t_us, cost, generation, limit: 20, writer });
        let ledger = world.close(1000);
        let broken = broken(&ledger);
        assert_eq!(broken.len(), usize::from(found), "{cost}");
        assert!(broken.iter().all(|account| account.node.is_none() && account.recorded == cost));
        assert!(ledger.differing.iter().all(|difference| difference.key == log.key));
    }
}

#[test]
fn an_entry_in_the_name_of_a_node_is_more_on_record_than_it_admitted() {
    let mut world = busy();
    let (t_us, (_, recorded)) = (world.now_us - 5_000_000, world.logs.iter_mut().next_back().expect("a log"));
    let forged = recorded.entries.iter().rev().find(|entry| entry.t_us < t_us).cloned().expect("an entry");
    let boot = world.close(1000).nodes["n0"].boot_id.clone();
    let recorded = world.logs.values_mut().next_back().expect("a log");
    recorded.entries.push(Entry {
        t_us,
        cost: 50,
        writer: format!("n0@{boot}"),
        generation: recorded.generation,
        ..forged
    });
    let ledger = world.close(1000);
    let broken = broken(&ledger);
    assert_eq!(broken.len(), 1, "{ledger:?}");
    assert!(broken[0].node.as_deref() == Some("n0") && broken[0].missing() < -(TOLERANCE as i64));
}

#[test]
fn what_a_node_had_no_room_for_or_was_not_read_to_the_end_is_not_judged() {
    let emptied = |full: bool, cut: bool| {
        busy().close_with(1000, move |nodes, folds| {
            let first = folds[0].log.clone();
            for node in nodes.iter_mut() {
                let (id, boot) = (node.node.clone(), node.boot_id.clone());
                *node = NodeRows::new(&id, &id, &boot, Vec::new());
                node.untracked = u64::from(full);
                node.until = cut.then(|| first.clone());
            }
        })
    };
    assert!(!broken(&emptied(false, false)).is_empty(), "a node that claims to have admitted nothing is judged");
    assert!(broken(&emptied(true, false)).is_empty());
    assert!(broken(&emptied(false, true)).is_empty());
}

#[test]
fn a_boot_that_can_no_longer_be_asked_is_not_judged_but_counted() {
    let ledger = busy().close_with(1000, |nodes, _| {
        nodes.remove(0);
    });
    assert!(broken(&ledger).is_empty());
    assert!(ledger.coverage.boots_not_asked >= 1);
}

#[test]
fn unanswered_cost_widens_the_tolerance_by_itself() {
    let lose = |unanswered: u64| {
        busy().close_with(1000, move |nodes, folds| {
            let fold = folds.pop().expect("a fold");
            let second = (fold.now_us / 1_000_000) as i64 - 8;
            let mut rows = nodes[0].of(&fold.log).to_vec();
            rows.push(AdmittedRow {
                key: String::new(),
                window_ms: fold.log.window_ms,
                generation: fold.generation,
                second,
                admitted: 30,
                degraded: 0,
                unanswered,
                since: 0,
            });
            rows.iter_mut().for_each(|row| row.key.clone_from(&fold.log.key));
            let (id, boot) = (nodes[0].node.clone(), nodes[0].boot_id.clone());
            nodes[0] = NodeRows::new(&id, &id, &boot, rows);
            *folds = vec![fold];
        })
    };
    assert_eq!(broken(&lose(24)).len(), 1);
    assert_eq!(broken(&lose(30)).len(), 0);
}

/// Doubles what every node says it admitted, and what is on record for it.
fn doubled(nodes: &mut [NodeRows], folds: &mut [Fold]) {
    for fold in folds.iter_mut() {
        fold.rows.iter_mut().for_each(|row| row.cost *= 4);
    }
    for node in nodes {
        let mut rows = Vec::new();
        for (log, own) in node.logs() {
            rows.extend(own.iter().map(|row| AdmittedRow {
                key: log.key.clone(),
                admitted: row.admitted * 4,
                ..row.clone()
            }));
        }
        *node = NodeRows::new(&node.node, &node.node, &node.boot_id, rows);
    }
}

#[test]
fn more_than_the_limit_is_an_excess_even_where_the_accounts_agree() {
    let ledger = busy().close_with(1000, |nodes, folds| doubled(nodes, folds));
    assert!(!ledger.excess.is_empty());
    for excess in &ledger.excess {
        assert!(excess.admitted > excess.limit + excess.shares, "{excess:?}");
        assert!(excess.over.is_empty() && excess.open.is_empty());
    }
}

#[test]
fn a_boot_that_can_no_longer_be_asked_still_counts_by_its_records() {
    let ledger = busy().close_with(1000, |nodes, folds| {
        doubled(nodes, folds);
        nodes.clear();
    });
    assert!(!ledger.excess.is_empty());
}
