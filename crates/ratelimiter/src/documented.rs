//! `docs/ratelimiter.md` names every setting, invariant and action, and no other.

use std::collections::BTreeSet;

use operator_protocols::InvariantChecker;

use crate::{RateLimiterChecker, actions, config};

#[test]
fn the_page_names_every_setting_invariant_and_action_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ratelimiter.md");
    let page = std::fs::read_to_string(path).expect("docs/ratelimiter.md exists");
    let first_cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let told: BTreeSet<_> = first_cells.flat_map(|cell| cell.split(", ")).map(|name| name.replace('`', "")).collect();
    let checker = RateLimiterChecker::new("it", 1.0);
    let known: BTreeSet<_> = (config::SETTINGS.iter().map(|name| (*name).to_owned()))
        .chain(checker.invariants().iter().map(|one| one.name.clone()))
        .chain(actions::definitions(true).into_iter().map(|one| one.name))
        .collect();
    assert_eq!(told, known);
}
