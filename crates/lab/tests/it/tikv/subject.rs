//! The subject over the simulated cluster: what it sees of faults, and what it owes to the protocol.

use std::sync::Arc;
use std::time::Duration;

use operator_lab::environment::{Environment as _, FaultRequest};
use operator_protocols::ComponentState::{Down, Unknown, Up};
use operator_protocols::compliance::Compliance;
use operator_protocols::{
    Evaluation, History, Id, InvariantChecker, Locus, Observation, Subject, SubjectConfig, Value, Verdict,
};

use super::cluster::Cluster;

/// A subject that watches a cluster.
struct Watch {
    cluster: Cluster,
    subject: Box<dyn Subject>,
    checker: Box<dyn InvariantChecker>,
    history: History,
}

impl Watch {
    async fn start() -> Self {
        let cluster = Cluster::start(|_| {}).await;
        let config = cluster.environment.subject_config();
        let (subject, checker) = operator_tikv::factory(&config, None).expect("right settings");
        let mut watch = Self { cluster, subject, checker, history: History::new() };
        watch.cluster.pass(900).await;
        for _ in 0..3 {
            watch.after(5).await;
        }
        watch
    }

    /// What is seen after so many seconds.
    async fn after(&mut self, seconds: u64) -> (Arc<Observation>, Vec<Evaluation>) {
        self.cluster.pass(seconds).await;
        let observation = Arc::new(self.subject.observe(self.cluster.environment.clock().now()).await);
        let evaluations = self.checker.check(&self.history, &observation);
        self.history.push(Arc::clone(&observation), self.checker.lookback());
        (observation, evaluations)
    }

    fn id(&self, local: &str) -> Id {
        Id::new(&self.cluster.environment.config().subject, local)
    }
}

fn violated(evaluations: &[Evaluation]) -> Vec<String> {
    let violated = evaluations.iter().filter(|evaluation| matches!(evaluation.verdict, Verdict::Violated(_)));
    violated.map(|evaluation| format!("{} at {}", evaluation.invariant, evaluation.on)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_under_load_is_well_and_seen_whole() {
    let mut watch = Watch::start().await;
    for _ in 0..12 {
        let (seen, evaluations) = watch.after(5).await;
        assert_eq!(violated(&evaluations), [""; 0]);
        assert_eq!(seen.unavailable, []);
        assert!(seen.components.iter().all(|component| component.state == Up), "{:?}", seen.components);
        let unknown = evaluations.iter().filter(|evaluation| matches!(evaluation.verdict, Verdict::Unknown(_)));
        assert_eq!(unknown.collect::<Vec<_>>(), [&evaluations[0]; 0]);
        assert_eq!(seen.events, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_store_is_down_within_half_a_minute_and_started_again_when_it_is_back() {
    let mut watch = Watch::start().await;
    let fault = FaultRequest::new("F1").with("store", "store-4");
    watch.cluster.break_it(fault).await;
    let mut down_after = None;
    for second in (5..=60).step_by(5) {
        let (seen, evaluations) = watch.after(5).await;
        let state = seen.component(&watch.id("store-4")).expect("listed").state;
        if state == Down && down_after.is_none() {
            down_after = Some(second);
            assert!(violated(&evaluations).iter().any(|what| what == "store_disconnected at store-4"));
        }
    }
    assert!(down_after.is_some_and(|after| (15..=35).contains(&after)), "{down_after:?}");
    watch.cluster.environment.clear().await.expect("cleared");
    let (seen, _) = watch.after(60).await;
    assert_eq!(seen.component(&watch.id("store-4")).expect("listed").state, Up);
    let events: Vec<_> = seen.events.iter().map(|event| event.message.as_str()).collect();
    assert!(events.contains(&"store-4 was started again"), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_of_pd_leaves_the_stores_alone() {
    let mut watch = Watch::start().await;
    watch.cluster.break_it(FaultRequest::new("F13")).await;
    let mut silent = 0;
    for _ in 0..10 {
        let (seen, evaluations) = watch.after(2).await;
        silent += u32::from(seen.details["cluster"].get("answers") == Some(&Value::Bool(false)));
        let stores = seen.components.iter().filter(|component| component.kind == "tikv");
        assert!(stores.clone().all(|store| matches!(store.state, Up | Unknown)));
        assert_eq!(stores.count(), 5);
        let gone = |evaluation: &&Evaluation| {
            evaluation.verdict == Verdict::Gone && matches!(evaluation.on, Locus::Component(_))
        };
        assert_eq!(evaluations.iter().filter(gone).count(), 0);
        // Until they have found the new leader, it is the links to it that are told.
        let stores =
            violated(&evaluations).into_iter().filter(|what| what.contains(" at store-") && !what.contains('→'));
        assert_eq!(stores.count(), 0, "{:?}", violated(&evaluations));
    }
    assert!(silent > 0, "the election takes some seconds");
    let (seen, _) = watch.after(5).await;
    let events: Vec<_> = seen.events.iter().map(|event| event.message.as_str()).collect();
    assert!(events.iter().any(|event| event.contains(" leads PD after ")), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subject_keeps_the_protocols_obligations() {
    let cluster = Arc::new(Cluster::start(|_| {}).await);
    cluster.pass(900).await;
    let alive = cluster.environment.subject_config();
    let dead = SubjectConfig {
        settings: [("pd".to_owned(), Value::from(vec!["http://127.0.0.1:1"]))].into(),
        ..alive.clone()
    };
    let (passing, counting) = (Arc::clone(&cluster), Arc::clone(&cluster));
    let driver = cluster.environment.driver();
    let driver_of_dead = Arc::clone(&driver);
    let report = Compliance::new(cluster.environment.clock(), move || {
        operator_tikv::factory(&alive, Some(driver)).expect("right settings")
    })
    .dead(move || operator_tikv::factory(&dead, Some(driver_of_dead)).expect("right settings"))
    .pause(move |duration| {
        let passing = Arc::clone(&passing);
        // Virtual time stands still while the subject works; real time bounds a call that never answers.
        Box::pin(async move {
            if duration <= Duration::from_secs(5) {
                passing.pass(duration.as_secs()).await;
            } else {
                tokio::time::sleep(duration).await;
            }
        })
    })
    .writes(move || {
        let counting = Arc::clone(&counting);
        Box::pin(async move {
            let requests = counting.environment.requests();
            requests.iter().filter(|(method, ..)| method != "GET").count() as u64
        })
    })
    .interval(Duration::from_secs(5))
    .run()
    .await;
    assert!(report.passed(), "{report}");
}
