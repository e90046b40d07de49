//! A system that is only told: its signals and states are written by hand, one observation every five seconds.

use operator_protocols::{
    Component, ComponentState, DiscrepancyKind, Finding, Id, Locus, Signal, SignalKind, SignalRole, Timestamp,
    Unavailable, Verdict, Worse,
};

use super::*;

const SUBJECT: &str = "shop";

const FILE: &str = r#"
prometheus_url = "http://prom:9090"

[[component]]
name = "a"
kind = "api"
metrics = "http://a:1/metrics"
check = [{ tcp = "a:1" }]

[[component]]
name = "b"
kind = "api"
metrics = "http://b:1/metrics"
check = [{ tcp = "b:1" }]

[[component]]
name = "c"
kind = "api"
metrics = "http://c:1/metrics"
check = [{ tcp = "c:1" }]

[[signal]]
name = "load"
on = "component:a"
metric = "load"
unit = "1"

[[signal]]
name = "requests"
on = "component:a"
metric = "requests"
value = "rate"
unit = "1/s"

[[signal]]
name = "limit"
on = "kind:api"
metric = "limit"
unit = "1"

[[signal]]
name = "depth"
on = "entity:queue"
promql = "depth"
by = "queue"
unit = "messages"

[[invariant]]
name = "not_loaded"
signal = "load"
above = 0.9
clear = 0.7
grace = "10s"
message = "it is busy"
minimum_traffic = { signal = "requests", at_least = 1 }

[[invariant]]
name = "same_limit"
signal = "limit"
peers_within = 0

[[invariant]]
name = "fixed_limit"
signal = "limit"
unchanged_for = "1m"

[[invariant]]
name = "short_queues"
signal = "depth"
above = 100
"#;

struct Scene {
    checker: DeclaredChecker,
    history: History,
    at: Timestamp,
    signals: Vec<(Locus, &'static str, f64)>,
    down: Vec<&'static str>,
    gaps: Vec<Unavailable>,
}

fn component(name: &str) -> Locus {
    Locus::component(SUBJECT, name)
}

fn queue(name: &str) -> Locus {
    Locus::entity(SUBJECT, "queue", name)
}

fn queues() -> Locus {
    Locus::Group(operator_protocols::GroupId::new(SUBJECT, "queue"))
}

impl Scene {
    fn healthy() -> Self {
        let file = Arc::new(SystemFile::parse(FILE).expect("right"));
        let mut signals = vec![(component("a"), "load", 0.5), (component("a"), "requests", 10.0)];
        signals.extend(["a", "b", "c"].map(|name| (component(name), "limit", 100.0)));
        signals.push((queue("q"), "depth", 3.0));
        Self {
            checker: DeclaredChecker::new(SUBJECT, file, 1.0),
            history: History::new(),
            at: Timestamp::from_millis(1_000_000_000),
            signals,
            down: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn set(&mut self, on: &Locus, name: &str, value: f64) {
        self.signals.iter_mut().filter(|one| one.0 == *on && one.1 == name).for_each(|one| one.2 = value);
    }

    fn forget(&mut self, on: &Locus, name: &str) {
        self.signals.retain(|one| !(one.0 == *on && one.1 == name));
    }

    fn judge(&mut self) -> Judged {
        let mut now = Observation::new(self.at);
        for name in ["a", "b", "c"] {
            let down = self.down.contains(&name);
            now.components.push(Component {
                id: Id::new(SUBJECT, name),
                kind: "api".to_owned(),
                address: None,
                state: if down { ComponentState::Down } else { ComponentState::Up },
                raw_state: if down { "connection refused".to_owned() } else { "answers".to_owned() },
                version: None,
                labels: std::collections::BTreeMap::new(),
            });
        }
        now.unavailable.clone_from(&self.gaps);
        for (on, name, value) in &self.signals {
            now.signals.push(Signal {
                on: on.clone(),
                name: (*name).to_owned(),
                role: SignalRole::Other,
                value: *value,
                unit: "1".to_owned(),
                observed_at: self.at,
                kind: SignalKind::Gauge,
                worse: Worse::Neither,
            });
        }
        let judged = self.checker.check(&self.history, &now);
        self.history.push(Arc::new(now), self.checker.lookback());
        self.at = self.at.plus(Duration::from_secs(5));
        Judged(judged)
    }
}

struct Judged(Vec<Evaluation>);

impl Judged {
    fn verdict(&self, invariant: &str, on: &Locus) -> &Verdict {
        let found: Vec<_> = self.0.iter().filter(|one| one.invariant == invariant && one.on == *on).collect();
        assert_eq!(found.len(), 1, "{invariant} at {on}: {:?}", self.0);
        &found[0].verdict
    }

    fn finding(&self, invariant: &str, on: &Locus) -> &Finding {
        match self.verdict(invariant, on) {
            Verdict::Violated(finding) => finding,
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }

    fn suppressed(&self, invariant: &str, on: &Locus) -> &str {
        match self.verdict(invariant, on) {
            Verdict::Suppressed(why) => why,
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }

    fn unknown(&self, invariant: &str, on: &Locus) -> String {
        match self.verdict(invariant, on) {
            Verdict::Unknown(why) => why.to_string(),
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }

    fn violated(&self) -> Vec<(&str, String)> {
        let violated = self.0.iter().filter(|one| matches!(one.verdict, Verdict::Violated(_)));
        violated.map(|one| (one.invariant.as_str(), one.on.to_string())).collect()
    }
}

#[test]
fn a_healthy_system_violates_nothing_and_everything_is_judged() {
    let mut scene = Scene::healthy();
    for _ in 0..3 {
        let judged = scene.judge();
        assert!(judged.0.iter().all(|one| one.verdict == Verdict::Ok), "{:?}", judged.0);
    }
}

#[test]
fn graces_are_scaled_and_nothing_else() {
    let file = Arc::new(SystemFile::parse(FILE).expect("right"));
    let checker = DeclaredChecker::new(SUBJECT, file, 0.1);
    let loaded = checker.invariants().iter().find(|one| one.name == "not_loaded").expect("declared");
    assert_eq!((loaded.grace, loaded.threshold), (Duration::from_secs(1), Some(0.9)));
    assert_eq!(loaded.minimum_traffic, Some(1.0));
}

#[test]
fn one_missed_answer_is_unknown_and_two_running_are_down() {
    let mut scene = Scene::healthy();
    scene.judge();
    scene.down.push("b");
    assert!(scene.judge().unknown(UP, &component("b")).contains("missed once: connection refused"));
    let judged = scene.judge();
    let finding = judged.finding(UP, &component("b"));
    assert_eq!(finding.message, "b has not answered for 5 s: connection refused");
    assert_eq!(scene.judge().finding(UP, &component("b")).measured, 10.0);
    scene.down.clear();
    assert_eq!(scene.judge().verdict(UP, &component("b")), &Verdict::Ok);
}

#[test]
fn a_reading_beyond_its_limit_is_a_finding_and_clears_only_beyond_the_other() {
    let mut scene = Scene::healthy();
    let mut at = |load: f64| {
        scene.set(&component("a"), "load", load);
        scene.judge()
    };
    assert_eq!(at(0.9).suppressed("not_loaded", &component("a")), "between the limit and where it clears");
    let judged = at(0.95);
    assert_eq!(judged.violated(), [("not_loaded", "a".to_owned())]);
    let finding = judged.finding("not_loaded", &component("a"));
    assert_eq!(finding.message, "it is busy (load is 0.95, above 0.9)");
    assert_eq!((finding.measured, finding.threshold), (0.95, 0.9));
    assert_eq!(at(0.71).suppressed("not_loaded", &component("a")), "between the limit and where it clears");
    assert_eq!(at(0.7).verdict("not_loaded", &component("a")), &Verdict::Ok);
}

#[test]
fn without_traffic_nothing_is_judged_and_without_knowing_the_traffic_nothing_is_known() {
    let mut scene = Scene::healthy();
    scene.set(&component("a"), "load", 5.0);
    scene.set(&component("a"), "requests", 0.5);
    assert_eq!(scene.judge().suppressed("not_loaded", &component("a")), "idle");
    scene.forget(&component("a"), "requests");
    assert!(scene.judge().unknown("not_loaded", &component("a")).contains("requests of a"));
}

#[test]
fn no_data_is_unknown_with_why_and_suppressed_where_who_would_tell_is_down() {
    let mut scene = Scene::healthy();
    scene.judge();
    scene.forget(&component("a"), "load");
    scene.gaps.push(Unavailable::new("the metrics of a", "a:1 answers 500"));
    assert_eq!(scene.judge().unknown("not_loaded", &component("a")), "load of a: a:1 answers 500");
    scene.down.push("a");
    assert_eq!(scene.judge().suppressed("not_loaded", &component("a")), "a does not answer");
}

#[test]
fn one_that_differs_from_most_of_its_peers_is_named_with_the_difference() {
    let mut scene = Scene::healthy();
    scene.judge();
    scene.set(&component("c"), "limit", 10.0);
    let judged = scene.judge();
    assert_eq!(judged.violated(), [("same_limit", "c".to_owned()), ("fixed_limit", "c".to_owned())]);
    let finding = judged.finding("same_limit", &component("c"));
    assert_eq!(finding.message, "limit is 10, 100 at 2 of 3 peers");
    let discrepancy = &finding.discrepancies[0];
    assert_eq!((discrepancy.kind, discrepancy.claimed_by.clone()), (DiscrepancyKind::Differs, Some(component("c"))));
    assert_eq!((discrepancy.amount, discrepancy.agree, discrepancy.peers), (90.0, 2, 3));

    scene.set(&component("b"), "limit", 20.0);
    assert!(scene.judge().unknown("same_limit", &component("a")).contains("no value is that of most"));
}

#[test]
fn a_value_that_must_not_change_is_violated_until_it_is_back_or_stood_long_enough() {
    let mut scene = Scene::healthy();
    scene.judge();
    scene.set(&component("b"), "limit", 7.0);
    let judged = scene.judge();
    assert_eq!(judged.finding("fixed_limit", &component("b")).message, "limit was 100 and is 7");
    scene.set(&component("b"), "limit", 100.0);
    assert_eq!(scene.judge().verdict("fixed_limit", &component("b")), &Verdict::Ok);

    let mut scene = Scene::healthy();
    scene.judge();
    scene.set(&component("b"), "limit", 7.0);
    let violated = (0..20).take_while(|_| !scene.judge().violated().iter().all(|(name, _)| *name != "fixed_limit"));
    // A minute after it changed, the value of a minute ago is the new one.
    assert_eq!(violated.count(), 12);
}

#[test]
fn an_entity_that_is_seen_no_more_is_unknown_and_gone_after_five_minutes() {
    let mut scene = Scene::healthy();
    scene.set(&queue("q"), "depth", 500.0);
    assert_eq!(scene.judge().violated(), [("short_queues", "queue q".to_owned())]);
    scene.forget(&queue("q"), "depth");
    let mut unknown = 0;
    while scene.judge().verdict("short_queues", &queue("q")) != &Verdict::Gone {
        unknown += 1;
        assert!(unknown < 100);
    }
    assert_eq!(unknown, 59, "five minutes less one observation");
}

#[test]
fn an_entity_is_never_gone_while_its_source_cannot_be_read() {
    let mut scene = Scene::healthy();
    scene.judge();
    scene.forget(&queue("q"), "depth");
    scene.gaps.push(Unavailable::new("depth", "the Prometheus server did not answer"));
    for _ in 0..100 {
        assert!(scene.judge().unknown("short_queues", &queue("q")).contains("did not answer"));
    }
}

#[test]
fn many_at_once_are_one_finding_about_all_of_them() {
    let mut scene = Scene::healthy();
    for number in 0..FOLD_ABOVE {
        scene.signals.push((queue(&format!("q{number}")), "depth", 200.0 + number as f64));
    }
    let judged = scene.judge();
    assert_eq!(judged.violated().len(), FOLD_ABOVE, "each is told");
    assert_eq!(judged.suppressed("short_queues", &queues()), "told at each");
    scene.set(&queue("q"), "depth", 1000.0);
    let judged = scene.judge();
    let finding = judged.finding("short_queues", &queues());
    assert_eq!((judged.violated().len(), finding.count), (1, FOLD_ABOVE as u32 + 1));
    assert_eq!(finding.message, "21 at once, for example queue q: depth is 1000 messages, above 100 messages");
    assert_eq!(judged.suppressed("short_queues", &queue("q3")), "folded");
}

#[test]
fn no_entity_at_all_is_not_health() {
    let mut scene = Scene::healthy();
    scene.forget(&queue("q"), "depth");
    assert!(scene.judge().unknown("short_queues", &queues()).contains("it was not told"));
}
