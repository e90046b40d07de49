//! The example passes; whoever breaks an obligation fails at exactly the check of that name.

use std::collections::BTreeSet;
use std::sync::Arc;

use operator_protocols::compliance::{Compliance, Made, Outcome, Report};
use operator_protocols::example::Workshop;

use crate::broken::BROKEN;
use crate::runtime::{StillClock, block_on};
use crate::twisted::{Twist, Twisted, TwistedChecker};

fn made(workshop: &Workshop, twist: fn(&Workshop) -> Twist) -> Made {
    let mut twist = twist(workshop);
    let (honest, checker) = workshop.subject("corner-shop");
    let checker = TwistedChecker::new(checker, &mut twist);
    (Box::new(Twisted { honest, twist }), Box::new(checker))
}

/// The report on a workshop whose subject is twisted; the healthy workshop has a change behind it, so that there is
/// an event to look at.
fn report(twist: fn(&Workshop) -> Twist) -> Report {
    let (clock, healthy, dead) = (StillClock::new(), Workshop::new(2), Workshop::new(2));
    healthy.set_dispatch_rate(20);
    dead.unplug();
    let (pause, counted) = (clock.clone(), healthy.clone());
    let kit = Compliance::new(Arc::new(clock), move || made(&healthy, twist))
        .dead(move || made(&dead, twist))
        .pause(move |duration| pause.pass(duration))
        .writes(move || Box::pin(std::future::ready(counted.commands_obeyed())));
    block_on(kit.run())
}

#[test]
fn the_example_keeps_every_obligation() {
    let report = report(|_| Twist::default());
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|check| check.name).collect();
    assert_eq!(skipped, ["effects.fresh"], "none of its actions is keyed; {report}");
    let text = report.to_string();
    assert!(text.starts_with("compliance of corner-shop\n  pass  descriptor.complete "), "{text}");
    assert!(text.ends_with(&format!(
        "{0} checks: {1} passed, 0 failed, 1 skipped",
        report.checks.len(),
        report.checks.len() - 1
    )));
}

#[test]
fn what_was_not_given_is_skipped_and_says_what_to_give() {
    fn may_be_spawned<T: Send>(run: T) -> T {
        run
    }
    let kit = Compliance::new(Arc::new(StillClock::new()), || Workshop::new(1).subject("corner-shop"));
    let report = block_on(may_be_spawned(kit.run()));
    assert!(report.passed(), "{report}");
    let why = |name: &str| match report.check(name).map(|check| &check.outcome) {
        Some(Outcome::Skipped(why)) => why.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(why("dead.answers").contains("Compliance::dead"));
    assert!(why("reads.write_nothing").contains("Compliance::writes"));
    assert!(why("events.constant").contains("no event"));
}

#[test]
fn whoever_breaks_an_obligation_fails_at_the_check_of_that_name() {
    let mut wrong = Vec::new();
    for (how, twist, expected) in BROKEN {
        let report = report(*twist);
        let failed: BTreeSet<_> = report.failed().map(|check| check.name).collect();
        if failed != expected.iter().copied().collect() {
            wrong.push(format!("a subject that {how} should fail {expected:?}, and fails {failed:?}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_check_is_without_a_subject_that_fails_it() {
    let names: BTreeSet<_> = report(|_| Twist::default()).checks.iter().map(|check| check.name).collect();
    let failed: BTreeSet<_> = BROKEN.iter().flat_map(|(_, _, expected)| expected.iter().copied()).collect();
    assert_eq!(names, failed);
}
