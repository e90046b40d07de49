//! The example does what its documentation says, and breaks as it says.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::example::Workshop;
use operator_protocols::{
    ActionRequest, Effect, ExecutionToken, History, Holds, InvariantChecker, Locus, Observation, START_COMPONENT, Sent,
    Subject, Timestamp, Value, Verdict,
};

use crate::runtime::block_on;

const SHOP: &str = "corner-shop";

fn second(second: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + second * 1000)
}

struct Shop {
    workshop: Workshop,
    subject: Box<dyn Subject>,
    checker: Box<dyn InvariantChecker>,
}

impl Shop {
    fn open() -> Self {
        let workshop = Workshop::new(2);
        let (subject, checker) = workshop.subject(SHOP);
        let shop = Self { workshop, subject, checker };
        shop.at(0);
        shop
    }

    fn at(&self, at: i64) -> Observation {
        block_on(self.subject.observe(second(at)))
    }

    /// The loci at which something is violated.
    fn violated(&self, at: i64) -> Vec<String> {
        let evaluations = self.checker.check(&History::new(), &self.at(at));
        let violated = evaluations.iter().filter(|evaluation| matches!(evaluation.verdict, Verdict::Violated(_)));
        violated.map(|evaluation| format!("{} at {}", evaluation.invariant, evaluation.on)).collect()
    }

    /// Guards and executes, as the operator does.
    fn act(&self, action: &str, target: &str, params: &[(&str, Value)], at: i64) -> Sent {
        let request = ActionRequest {
            intent: "i1".into(),
            action: action.into(),
            target: Locus::component(SHOP, target),
            params: params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>(),
        };
        let guard = block_on(self.subject.guard(&request, second(at)));
        assert_eq!(guard.holds, Holds::Yes);
        let token = ExecutionToken::new("i1", 1, 1, second(at + 60), Duration::from_secs(1));
        let sent = block_on(self.subject.execute(&request, &guard, &token));
        let again = block_on(self.subject.execute(&request, &guard, &token));
        assert!(matches!(again, Sent::NoEffect(_)), "a repeat under the same guard is refused: {again:?}");
        let second_attempt = ExecutionToken::new("i1", 2, 1, second(at + 60), Duration::from_secs(1));
        let again = block_on(self.subject.execute(&request, &guard, &second_attempt));
        assert!(matches!(again, Sent::Unknown(_)), "the first attempt may be why it is refused: {again:?}");
        assert!(matches!(block_on(self.subject.effect(&request, second(at))), Effect::Happened(_)));
        sent
    }
}

#[test]
fn a_healthy_workshop_keeps_up_for_an_hour() {
    let shop = Shop::open();
    for at in (0..3600).step_by(5) {
        assert_eq!(shop.violated(at), Vec::<String>::new());
    }
    let status = shop.workshop.look().expect("it answers");
    assert_eq!(status.arrived, 10 * 3595);
    assert!(status.waits.first().is_none_or(|wait| *wait <= Duration::from_millis(100)), "{status:?}");
    let finished: Vec<_> = status.workers.iter().map(|worker| worker.finished).collect();
    assert!(finished[0].abs_diff(finished[1]) <= 1, "both work: {finished:?}");
}

#[test]
fn how_often_it_is_looked_at_changes_nothing() {
    let (often, rarely) = (Shop::open(), Shop::open());
    for shop in [&often, &rarely] {
        shop.workshop.stop_worker("worker-2");
    }
    for at in 1..=60 {
        often.at(at);
    }
    assert_eq!(often.at(61), rarely.at(61));
}

#[test]
fn a_stopped_worker_is_violated_and_cured_by_starting_it() {
    let shop = Shop::open();
    shop.workshop.stop_worker("worker-1");
    assert_eq!(shop.violated(5), ["worker_stopped at worker-1"]);
    assert_eq!(shop.violated(30), ["worker_stopped at worker-1", "jobs_wait at queue"], "one worker cannot keep up");
    assert!(matches!(shop.act(START_COMPONENT, "worker-1", &[], 30), Sent::Done(_)));
    assert_eq!(shop.violated(31), ["jobs_wait at queue"], "the backlog outlives its cause");
    assert_eq!(shop.violated(60), Vec::<String>::new());
}

#[test]
fn a_stuck_queue_is_violated_and_cured_by_what_the_event_says_was_before() {
    let shop = Shop::open();
    shop.at(5);
    shop.workshop.set_dispatch_rate(0);
    assert_eq!(shop.violated(15), ["jobs_wait at queue"]);
    let seen = shop.at(15);
    let change = seen.events[0].change.clone().expect("a change");
    assert_eq!((seen.events[0].at, change.before.as_i64(), change.after.as_i64()), (second(5), Some(20), Some(0)));
    assert!(matches!(shop.act("set_dispatch_rate", "dispatcher", &[("per_second", change.before)], 15), Sent::Done(_)));
    assert_eq!(shop.violated(60), Vec::<String>::new());
}

#[test]
fn an_unplugged_workshop_is_unknown_and_works_on() {
    let shop = Shop::open();
    shop.workshop.unplug();
    let seen = shop.at(10);
    assert_eq!((seen.components.len(), seen.signals.len(), seen.unavailable.len()), (4, 0, 1));
    let evaluations = shop.checker.check(&History::new(), &seen);
    assert!(evaluations.iter().all(|evaluation| matches!(evaluation.verdict, Verdict::Unknown(_))), "{evaluations:?}");
    shop.workshop.plug_in();
    assert_eq!(shop.workshop.look().map(|status| status.arrived), Ok(100));
}

#[test]
fn a_stuck_queue_and_a_leap_of_the_clock_stay_within_bounds() {
    let shop = Shop::open();
    shop.workshop.set_dispatch_rate(0);
    for leap in 1..=4 {
        shop.workshop.step(second(leap * 1_000_000));
    }
    shop.workshop.step(Timestamp::from_millis(i64::MAX));
    let status = shop.workshop.look().expect("it answers");
    assert_eq!((status.backlog, status.waits.len()), (10_000, 20));
}

#[test]
fn the_page_that_leads_through_it_states_its_files_and_lines() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: std::path::PathBuf| std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let page = read(root.join("../../docs/write-your-own-subject.md"));
    let lines = |file: &str| read(root.join("src").join(file)).lines().count();
    let row = |file: &str| {
        let row = format!("| [{file}](../crates/protocols/src/{file}) | {} |", lines(file));
        assert!(page.contains(&row), "the page should say {row:?}");
    };
    let subject =
        ["example.rs", "example/subject.rs", "example/checker.rs", "example/actions.rs", "example/factory.rs"];
    let system = ["example/workshop.rs", "example/status.rs"];
    subject.iter().chain(&system).for_each(|file| row(file));
    let sum: usize = subject.iter().map(|file| lines(file)).sum();
    let row = format!("| **the subject** | **{sum}** | **{} files** |", subject.len());
    assert!(page.contains(&row), "the page should say {row:?}");
    let files = std::fs::read_dir(root.join("src/example")).expect("it is there").count() + 1;
    assert_eq!(files, subject.len() + system.len(), "a file is missing from the page");
}
