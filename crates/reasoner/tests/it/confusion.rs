//! The confusion matrix: how often each fault is named rightly, over many seeds, and as what it is mistaken.

use std::collections::BTreeMap;

use crate::world::{Fault, World};

/// How many runs of each fault. `FIRST_SEED` in the environment moves to runs that no constant was looked at with.
const SEEDS: u64 = 60;

/// The share of runs that must be named rightly: class and place both.
fn least(fault: Fault) -> f64 {
    match fault {
        Fault::Nothing | Fault::StoreDown | Fault::CallerDown => 1.0,
        _ => 0.95,
    }
}

#[test]
fn every_fault_is_named_rightly_over_many_seeds() {
    let mut table = String::new();
    let mut failed = Vec::new();
    for fault in Fault::ALL {
        let mut answers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut right = 0;
        let first: u64 = std::env::var("FIRST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
        for seed in first..first + SEEDS {
            let world = World::with(fault, seed);
            let diagnosis = world.diagnosis();
            right += u64::from(world.is_right(&diagnosis));
            let mark = if world.is_right(&diagnosis) { "" } else { "!" };
            let place = world.truth.iter().any(|(_, locus)| *locus == diagnosis.primary.locus);
            let answer = format!("{mark}{}{}", diagnosis.primary.class, if place { "" } else { " elsewhere" });
            answers.entry(answer).or_default().push(seed);
        }
        let share = right as f64 / SEEDS as f64;
        let told: Vec<_> = answers
            .iter()
            .map(|(answer, seeds)| {
                let which = if answer.starts_with('!') { format!(" {seeds:?}") } else { String::new() };
                format!("{answer} ×{}{which}", seeds.len())
            })
            .collect();
        table += &format!("{:<20} {:>5.1}%  {}\n", format!("{fault:?}"), share * 100.0, told.join(", "));
        if share < least(fault) {
            failed.push(fault);
        }
    }
    println!("{table}");
    assert!(failed.is_empty(), "too often wrong: {failed:?}\n{table}");
}
