//! The simulated shop keeps every obligation, repeats by its seed, and breaks by its mechanisms: each fault shows where
//! it would in a real one, and not where it would not.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::compliance::Compliance;
use operator_protocols::shop::{COMPONENTS, LANES, Shop, Surge};
use operator_protocols::{
    ActionRequest, ComponentState, DependencyState, DiscrepancyKind, EventKind, ExecutionToken, Finding, History,
    Holds, Id, InvariantChecker, Locus, LogLevel, Observation, Sent, SignalKind, Subject, Timestamp, Value, Verdict,
};

use crate::runtime::{StillClock, block_on};

const BEGAN: i64 = 1_790_000_000_000;

/// A shop that is looked at every five seconds.
struct Watched {
    shop: Shop,
    subject: Box<dyn Subject>,
    checker: Box<dyn InvariantChecker>,
    past: History,
    now: Timestamp,
}

impl Watched {
    fn opened(seed: u64) -> Self {
        let shop = Shop::new(seed);
        let (subject, checker) = shop.subject("corner", 1.0);
        let mut watched = Self { shop, subject, checker, past: History::new(), now: Timestamp::from_millis(BEGAN) };
        watched.watch(180);
        watched
    }

    fn watch(&mut self, seconds: u64) -> Observation {
        let mut last = Observation::default();
        for _ in 0..seconds / 5 {
            self.now = self.now.plus(Duration::from_secs(5));
            last = block_on(self.subject.observe(self.now));
            self.past.push(Arc::new(last.clone()), self.checker.lookback() + Duration::from_secs(5));
        }
        last
    }

    /// What is violated now, as (invariant, where, what).
    fn findings(&self) -> Vec<(String, String, Finding)> {
        let now = self.past.last().expect("it was looked at");
        let violated = self.checker.check(&self.past, now).into_iter().filter_map(|one| match one.verdict {
            Verdict::Violated(finding) => Some((one.invariant, one.on.to_text(), finding)),
            _ => None,
        });
        violated.collect()
    }

    fn violated(&self) -> Vec<String> {
        self.findings().into_iter().map(|(invariant, on, _)| format!("{invariant} {on}")).collect()
    }

    fn act(&mut self, action: &str, component: &str, params: &[(&str, Value)]) -> Sent {
        let request = ActionRequest {
            intent: "i1".into(),
            action: action.into(),
            target: Locus::component("corner", component),
            params: params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        };
        let guard = block_on(self.subject.guard(&request, self.now));
        assert_eq!(guard.holds, Holds::Yes);
        let token = ExecutionToken::new("i1", 1, 1, self.now.plus(Duration::from_secs(9)), Duration::from_secs(9));
        block_on(self.subject.execute(&request, &guard, &token))
    }
}

fn value(seen: &Observation, on: &str, name: &str) -> f64 {
    let on = Locus::parse("corner", on).expect("a locus");
    seen.signal(&on, name).unwrap_or_else(|| panic!("{name} of {on}")).value
}

fn state(seen: &Observation, name: &str) -> ComponentState {
    seen.component(&Id::new("corner", name)).expect("listed").state
}

#[test]
fn the_shop_keeps_every_obligation() {
    let (clock, healthy, dead) = (StillClock::new(), Shop::new(1), Shop::new(1));
    healthy.deploy("packer-1", "1.4.1", 1.0);
    dead.unplug();
    let (pause, counted) = (clock.clone(), healthy.clone());
    let kit = Compliance::new(Arc::new(clock), move || healthy.subject("corner", 1.0))
        .dead(move || dead.subject("corner", 1.0))
        .pause(move |duration| pause.pass(duration))
        .writes(move || Box::pin(std::future::ready(counted.commands_obeyed())));
    let report = block_on(kit.run());
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|check| check.name).collect();
    assert_eq!(skipped, ["effects.fresh"], "none of its actions is keyed; {report}");
}

#[test]
fn a_healthy_shop_breaks_nothing_and_serves_everybody() {
    for seed in 0..5 {
        let mut shop = Watched::opened(seed);
        for _ in 0..60 {
            shop.watch(10);
            assert_eq!(shop.violated(), Vec::<String>::new(), "seed {seed}");
        }
        let (answered, failed) = shop.shop.shoppers();
        assert!((18_000..30_000).contains(&answered), "{answered}");
        assert_eq!(failed, 0);
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let run = |seed| {
        let mut shop = Watched::opened(seed);
        shop.shop.hog("orders-2", 12.0);
        shop.watch(60)
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn how_often_one_looks_changes_nothing() {
    let (often, seldom) = (Shop::new(5), Shop::new(5));
    for second in 0..=120 {
        often.step(Timestamp::from_millis(BEGAN + second * 1_000));
    }
    seldom.step(Timestamp::from_millis(BEGAN));
    seldom.step(Timestamp::from_millis(BEGAN + 120_000));
    assert_eq!(often.shoppers(), seldom.shoppers());
}

#[test]
fn a_killed_replica_is_down_for_its_callers_and_the_others_take_its_orders() {
    let mut shop = Watched::opened(1);
    shop.shop.kill("orders-2");
    let seen = shop.watch(60);
    assert_eq!(state(&seen, "orders-2"), ComponentState::Down);
    let link = |from, to| {
        let (from, to) = (Id::new("corner", from), Id::new("corner", to));
        seen.dependencies.iter().find(|link| link.from == from && link.to == to).expect("listed").state
    };
    assert_eq!(link("front-1", "orders-2"), DependencyState::Down);
    assert_eq!(link("front-1", "orders-1"), DependencyState::Up);
    assert_eq!(link("orders-2", "queue"), DependencyState::Unknown, "only it could say");
    assert_eq!(shop.violated(), ["component_down component:orders-2"]);
    assert!(matches!(shop.act("start_component", "orders-2", &[]), Sent::Done(_)));
    let seen = shop.watch(30);
    assert_eq!(shop.violated(), Vec::<String>::new());
    let again = seen.events.iter().filter(|event| event.kind == EventKind::Restart).count();
    assert_eq!(again, 1);
}

#[test]
fn a_packer_that_is_killed_loses_no_job() {
    let mut shop = Watched::opened(2);
    for _ in 0..10 {
        shop.shop.kill("packer-1");
        shop.shop.revive("packer-1");
        shop.watch(10);
        assert!(shop.violated().iter().all(|one| !one.starts_with("lane_accounts")));
    }
}

#[test]
fn a_hog_slows_its_own_component_and_nothing_below_it() {
    let mut shop = Watched::opened(1);
    let before = shop.watch(10);
    shop.shop.hog("orders-2", 12.0);
    let seen = shop.watch(60);
    let times = |on, name| value(&seen, on, name) / value(&before, on, name);
    assert!(times("component:orders-2", "answer_time") > 5.0);
    assert!(times("edge:front-1>orders-2", "round_trip") > 5.0);
    assert!(times("edge:orders-2>queue", "round_trip") < 1.5);
    assert!(times("component:orders-1", "answer_time") < 1.5);
    assert!(shop.violated().iter().any(|one| one.starts_with("slow_answers")), "{:?}", shop.violated());
    assert!(matches!(shop.act("drain_replica", "orders-2", &[]), Sent::Done(_)));
    let drained = shop.watch(60);
    assert_eq!(shop.violated(), Vec::<String>::new());
    assert!(value(&drained, "component:orders-2", "answer_time") > 0.15, "it is tried, and still slow");
}

#[test]
fn a_delay_is_seen_by_the_caller_and_not_by_the_called() {
    let mut shop = Watched::opened(1);
    let before = shop.watch(10);
    shop.shop.delay("orders-1", "queue", 300);
    let seen = shop.watch(60);
    assert!(value(&seen, "edge:orders-1>queue", "round_trip") > 0.3);
    assert!(value(&seen, "edge:orders-2>queue", "round_trip") < 0.02);
    let own = |seen: &Observation| value(seen, "component:queue", "answer_time");
    assert!(own(&seen) < own(&before) * 1.5);
    assert!(shop.violated().iter().any(|one| one.starts_with("slow_answers")), "{:?}", shop.violated());
}

#[test]
fn a_cut_link_times_out_for_its_caller_alone() {
    let mut shop = Watched::opened(1);
    shop.shop.cut("orders-3", "catalog", true);
    let seen = shop.watch(60);
    let link = |from: &str| {
        let from = Id::new("corner", from);
        seen.dependencies.iter().find(|link| link.from == from && link.to.local == "catalog").expect("listed").state
    };
    assert_eq!((link("orders-3"), link("orders-1")), (DependencyState::Down, DependencyState::Up));
    assert!(shop.violated().iter().any(|one| one.starts_with("failed_answers")), "{:?}", shop.violated());
    let said = seen.logs.iter().any(|line| line.level == LogLevel::Error && line.component.local == "orders-3");
    assert!(said, "{:?}", seen.logs);
}

#[test]
fn other_settings_on_one_replica_differ_from_its_peers_until_it_is_restarted() {
    let mut shop = Watched::opened(1);
    shop.shop.set_vat("orders-1", 7);
    shop.watch(10);
    let findings = shop.findings();
    let [(invariant, on, finding)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((&**invariant, &**on), ("same_settings", "component:orders-1"));
    let one = &finding.discrepancies[0];
    assert_eq!((one.kind, one.agree, one.peers), (DiscrepancyKind::Differs, 2, 3));
    assert!(matches!(shop.act("restart_component", "orders-1", &[]), Sent::Done(_)));
    shop.watch(30);
    assert_eq!(shop.violated(), Vec::<String>::new());
}

#[test]
fn sales_that_one_replica_does_not_report_are_missing_for_it_alone_until_it_is_restarted() {
    let mut shop = Watched::opened(1);
    shop.shop.set_reporting("orders-3", false);
    shop.watch(60);
    let findings = shop.findings();
    let [(invariant, on, finding)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((&**invariant, &**on), ("sales_recorded", "component:orders-3"));
    assert!(finding.discrepancies.len() > 1);
    assert!(finding.discrepancies.iter().all(|one| one.kind == DiscrepancyKind::Missing && one.agree == 2));
    assert!(matches!(shop.act("restart_component", "orders-3", &[]), Sent::Done(_)));
    shop.watch(30);
    assert_eq!(shop.violated(), Vec::<String>::new());
}

#[test]
fn jobs_that_somebody_takes_or_puts_are_in_the_accounts_of_their_lane_alone() {
    let mut shop = Watched::opened(1);
    assert!(shop.shop.steal("express", 40) > 20);
    shop.watch(10);
    let findings = shop.findings();
    let [(_, on, finding)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(on, "entity:lane:express");
    assert!(finding.discrepancies.iter().all(|one| one.kind == DiscrepancyKind::Missing && one.agree == 0));
    shop.watch(150);
    assert_eq!(shop.violated(), Vec::<String>::new(), "two minutes later it is past");

    assert_eq!(shop.shop.smuggle("parcel", 60), 60);
    shop.watch(10);
    let findings = shop.findings();
    let [(_, on, finding)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(on, "entity:lane:parcel");
    let one = &finding.discrepancies[0];
    assert_eq!((one.kind, one.amount, &one.claimed_by), (DiscrepancyKind::Unclaimed, 60.0, &None));
}

#[test]
fn a_lost_journal_loses_every_lane_and_names_the_queue() {
    let mut shop = Watched::opened(1);
    let held: usize = LANES.iter().map(|lane| shop.shop.waiting(lane)).sum();
    shop.shop.lose_journal();
    shop.watch(15);
    let findings = shop.findings();
    let accounts: Vec<_> = findings.iter().filter(|(invariant, ..)| invariant == "lane_accounts").collect();
    let [(_, on, finding)] = &accounts[..] else { panic!("{findings:?}") };
    assert_eq!((&**on, finding.count), ("component:queue", 3));
    assert!((finding.measured - held as f64).abs() < 2.0, "{} of {held}", finding.measured);
    assert_eq!(shop.shop.process("queue").expect("there").starts, 2);
}

#[test]
fn a_restart_of_the_queue_with_its_journal_loses_nothing() {
    let mut shop = Watched::opened(1);
    assert!(matches!(shop.act("restart_component", "queue", &[]), Sent::Done(_)));
    shop.watch(60);
    assert!(shop.violated().iter().all(|one| !one.starts_with("lane_accounts")), "{:?}", shop.violated());
}

#[test]
fn a_full_disk_takes_no_jobs_until_it_is_freed() {
    let mut shop = Watched::opened(1);
    shop.shop.fill_disk(0);
    let seen = shop.watch(30);
    assert!(value(&seen, "component:queue", "disk_used") >= 1.0);
    let violated = shop.violated();
    assert!(violated.contains(&"disk_full component:queue".to_owned()), "{violated:?}");
    assert!(violated.iter().any(|one| one.starts_with("failed_answers")), "{violated:?}");
    assert!(matches!(shop.act("free_disk", "queue", &[]), Sent::Done(_)));
    shop.watch(60);
    assert_eq!(shop.violated(), Vec::<String>::new());
}

#[test]
fn far_more_shoppers_than_packers_can_serve_make_jobs_wait() {
    let mut shop = Watched::opened(1);
    let before = shop.watch(10);
    shop.shop.surge(Some(Surge::Stays(4.0)));
    let seen = shop.watch(150);
    assert!(value(&seen, "component:queue", "jobs_held") > 3.0 * value(&before, "component:queue", "jobs_held"));
    assert!(shop.violated().contains(&"jobs_wait component:queue".to_owned()), "{:?}", shop.violated());
}

#[test]
fn a_wave_that_the_shop_can_take_and_a_planned_restart_break_nothing() {
    for seed in 0..5 {
        let mut shop = Watched::opened(seed);
        shop.shop.surge(Some(Surge::Wave(2.0, 240.0)));
        for _ in 0..60 {
            shop.watch(5);
            assert_eq!(shop.violated(), Vec::<String>::new(), "seed {seed}");
        }
        shop.shop.restart_orders_in_turn();
        let mut last = Observation::default();
        for _ in 0..40 {
            last = shop.watch(5);
            let bad: Vec<_> = shop.violated().into_iter().filter(|one| !one.starts_with("component_down")).collect();
            assert_eq!(
                bad,
                Vec::<String>::new(),
                "seed {seed}: whoever is down is drained, and up before it is a ticket"
            );
        }
        assert_eq!(last.events.iter().filter(|event| event.kind == EventKind::Restart).count(), 3);
        assert_eq!(shop.shop.shoppers().1, 0);
    }
}

#[test]
fn a_packer_whose_clock_is_ahead_throws_fresh_jobs_away() {
    let mut shop = Watched::opened(1);
    shop.shop.set_clock("packer-2", 400_000);
    shop.watch(60);
    let violated = shop.violated();
    assert_eq!(violated, ["thrown_away component:packer-2", "clock_offset component:packer-2"]);
    assert!(matches!(shop.act("set_clock", "packer-2", &[]), Sent::Done(_)));
    shop.watch(60);
    assert_eq!(shop.violated(), Vec::<String>::new());
}

#[test]
fn a_slow_version_and_a_small_cache_are_changes_that_can_be_taken_back() {
    let mut shop = Watched::opened(1);
    shop.shop.deploy("orders-2", "1.5.0", 12.0);
    let seen = shop.watch(60);
    let change = seen.events.last().and_then(|event| event.change.clone()).expect("a change");
    assert_eq!((&*change.field, &change.before), ("version", &"1.4.0".into()));
    assert!(shop.violated().iter().any(|one| one.starts_with("slow_answers")));
    assert!(matches!(shop.act("set_version", "orders-2", &[("version", change.before)]), Sent::Done(_)));
    shop.watch(60);
    assert_eq!(shop.violated(), Vec::<String>::new());

    shop.shop.set_cache_entries(10);
    let seen = shop.watch(60);
    let change = seen.events.last().and_then(|event| event.change.clone()).expect("a change");
    assert!(shop.violated().iter().any(|one| one.starts_with("slow_answers")), "{:?}", shop.violated());
    assert!(value(&seen, "component:catalog", "answer_time") > 0.05);
    assert!(matches!(shop.act("set_cache_entries", "catalog", &[("entries", change.before)]), Sent::Done(_)));
    shop.watch(60);
    assert_eq!(shop.violated(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_unknown_though_its_callers_are_answered() {
    let mut shop = Watched::opened(1);
    shop.shop.hide("front-2", true);
    shop.shop.hide("orders-1", true);
    let seen = shop.watch(30);
    assert_eq!(state(&seen, "orders-1"), ComponentState::Unknown);
    assert!(value(&seen, "edge:front-1>orders-1", "round_trip") > 0.0);
    assert!(value(&seen, "edge:front-2>catalog", "received_total") > 0.0, "whoever it calls hears of it");
    assert!(seen.unavailable.iter().any(|one| one.what.contains("orders-1")));
    let now = shop.past.last().expect("seen");
    let blind = shop.checker.check(&shop.past, now).into_iter().filter(|one| one.on.to_text() == "component:orders-1");
    assert!(blind.into_iter().all(|one| matches!(one.verdict, Verdict::Unknown(_))));
    let request = ActionRequest {
        intent: "i1".into(),
        action: "restart_component".into(),
        target: Locus::component("corner", "orders-1"),
        params: Default::default(),
    };
    let guard = block_on(shop.subject.guard(&request, shop.now));
    assert!(matches!(guard.holds, Holds::Unknown(_)), "nobody may rely on what nobody can read");
    assert_eq!(shop.violated(), Vec::<String>::new());
}

#[test]
fn a_counter_begins_again_with_its_process() {
    let mut shop = Watched::opened(1);
    shop.shop.kill("front-1");
    shop.shop.revive("front-1");
    let seen = shop.watch(10);
    for on in ["component:front-1", "edge:front-1>catalog"] {
        let on = Locus::parse("corner", on).expect("a locus");
        let counts = seen.signals.iter().filter(|signal| signal.on == on);
        // What comes over a link the called one counts: that goes on.
        let counts = counts.filter(|signal| signal.name != "received_total");
        let counts: Vec<_> = counts.filter(|signal| matches!(signal.kind, SignalKind::Counter { .. })).collect();
        assert!(counts.len() == 2 && counts.iter().all(|count| count.value < 200.0), "{counts:?}");
    }
    assert_eq!(seen.components.len(), COMPONENTS.len());
}
