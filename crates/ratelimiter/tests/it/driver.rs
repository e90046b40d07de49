//! Starting and restarting, through a driver that remembers what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use operator_protocols::{BoxFuture, Driver, DriverError, Effect, Holds, Id, ProcessStatus, Sent};

use crate::fake_node::FakeNode;
use crate::redis_server::RedisServer;
use crate::scene::{Scene, component, now, request, settings, token};

#[derive(Default)]
struct Processes {
    states: Mutex<BTreeMap<String, State>>,
}

#[derive(Clone, Copy)]
struct State {
    /// How often it was started; the last start's name.
    starts: u32,
    running: bool,
}

impl State {
    const NEVER: Self = Self { starts: 0, running: false };

    fn incarnation(self) -> Option<String> {
        (self.starts > 0).then(|| self.starts.to_string())
    }
}

impl Processes {
    fn of(&self, id: &Id) -> Result<State, DriverError> {
        let states = self.states.lock().expect("unpoisoned");
        states.get(&id.local).copied().ok_or_else(|| DriverError::NoSuchComponent(id.local.clone()))
    }

    fn status_of(&self, id: &Id) -> Result<ProcessStatus, DriverError> {
        let state = self.of(id)?;
        Ok(ProcessStatus { running: state.running, incarnation: state.incarnation(), exit: None })
    }

    fn set(&self, id: &Id, state: State) -> Result<ProcessStatus, DriverError> {
        self.states.lock().expect("unpoisoned").insert(id.local.clone(), state);
        self.status_of(id)
    }

    fn starts_of(&self, name: &str) -> u32 {
        self.states.lock().expect("unpoisoned")[name].starts
    }

    /// It runs or not, after so many starts.
    fn is(&self, name: &str, starts: u32, running: bool) {
        self.states.lock().expect("unpoisoned").insert(name.to_owned(), State { starts, running });
    }
}

impl Driver for Processes {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { self.status_of(id) })
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let state = self.of(id)?;
            if state.running {
                return self.status_of(id);
            }
            if state.incarnation().as_deref() != last {
                let expected = last.map(str::to_owned);
                return Err(DriverError::StartedSince { expected, actual: state.incarnation() });
            }
            self.set(id, State { starts: state.starts + 1, running: true })
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let state = self.of(id)?;
            self.set(id, State { running: false, ..state })
        })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let state = self.of(id)?;
            let actual = state.incarnation().filter(|_| state.running);
            if actual.as_deref() != Some(incarnation) {
                return Err(DriverError::Incarnation { expected: incarnation.to_owned(), actual });
            }
            self.set(id, State { starts: state.starts + 1, running: true })
        })
    }
}

async fn scene() -> (RedisServer, FakeNode, Arc<Processes>, Scene) {
    let redis = RedisServer::start().await;
    let n1 = FakeNode::healthy("n1", &redis.run_id, &[]).await;
    let processes = Arc::new(Processes::default());
    processes.is("n1", 1, true);
    processes.is("n2", 6, false);
    processes.states.lock().expect("unpoisoned").insert("redis".to_owned(), State::NEVER);
    let nodes = [("n1", n1.address()), ("n2", "127.0.0.1:1".to_owned()), ("n3", "127.0.0.1:2".to_owned())];
    let scene = Scene::with(settings(redis.port, &nodes), Some(Arc::clone(&processes) as Arc<dyn Driver>));
    (redis, n1, processes, scene)
}

#[tokio::test]
async fn without_a_driver_nothing_is_started() {
    let offered = |scene: &Scene| scene.subject.actions().iter().map(|action| action.name.clone()).collect::<Vec<_>>();
    let (redis, n1, _, with) = scene().await;
    assert!(offered(&with).contains(&"start_component".to_owned()));
    let without = Scene::new(redis.port, &[&n1]);
    assert!(!offered(&without).iter().any(|name| name.ends_with("_component")));
    let guard = without.guard(&request("start_component", component("n1"), &[])).await;
    assert!(matches!(guard.holds, Holds::No(_)));
}

#[tokio::test]
async fn only_what_does_not_run_is_started() {
    let (_redis, _n1, processes, scene) = scene().await;
    let start = |name: &str| request("start_component", component(name), &[]);
    assert!(matches!(scene.guard(&start("n1")).await.holds, Holds::No(why) if why.contains("runs")));
    assert!(matches!(scene.guard(&start("n3")).await.holds, Holds::Unknown(_)), "the driver does not know it");
    processes.is("n1", 1, false);
    assert!(matches!(scene.guard(&start("n1")).await.holds, Holds::No(why) if why.contains("answers")));
    for name in ["n2", "redis"] {
        assert_eq!(scene.subject.effect(&start(name), now()).await, Effect::Absent);
    }
    for (name, last) in [("n2", Some("6")), ("redis", None)] {
        let guard = scene.guard(&start(name)).await;
        assert_eq!((&guard.holds, guard.incarnation.as_deref()), (&Holds::Yes, last), "its last start");
        assert!(matches!(scene.subject.execute(&start(name), &guard, &token(1)).await, Sent::Done(_)));
        assert!(matches!(scene.subject.effect(&start(name), now()).await, Effect::Happened(_)));
    }
}

#[tokio::test]
async fn a_start_is_ended_once_whatever_is_repeated() {
    let (_redis, _n1, processes, scene) = scene().await;
    // n2 hangs: its process runs and does not answer.
    processes.is("n2", 7, true);
    let restart = request("restart_component", component("n2"), &[]);
    let guard = scene.guard(&restart).await;
    assert_eq!((&guard.holds, guard.incarnation.as_deref()), (&Holds::Yes, Some("7")));
    assert!(matches!(scene.subject.effect(&restart, now()).await, Effect::Unknown(_)));
    assert!(matches!(scene.subject.execute(&restart, &guard, &token(1)).await, Sent::Done(_)));
    assert!(matches!(scene.subject.execute(&restart, &guard, &token(2)).await, Sent::Done(_)));
    assert_eq!(processes.starts_of("n2"), 8);
    assert!(matches!(scene.subject.effect(&restart, now()).await, Effect::Happened(_)));
    // Somebody else ended that start before the first send: then nothing was done.
    assert!(matches!(scene.subject.execute(&restart, &guard, &token(1)).await, Sent::NoEffect(_)));
}

#[tokio::test]
async fn what_was_started_and_died_before_its_outcome_was_known_is_not_started_again_by_the_same_intent() {
    let (_redis, _n1, processes, scene) = scene().await;
    let start = request("start_component", component("n2"), &[]);
    let guard = scene.guard(&start).await;
    assert!(matches!(scene.subject.execute(&start, &guard, &token(1)).await, Sent::Done(_)));
    // Whoever asked did not hear of it, and the process died again: starts are counted, not states compared.
    processes.is("n2", 7, false);
    assert!(matches!(scene.subject.effect(&start, now()).await, Effect::Happened(_)), "known in this process");
    match scene.subject.execute(&start, &guard, &token(2)).await {
        Sent::Done(receipt) => assert!(receipt.summary.contains("has ended again"), "{}", receipt.summary),
        other => panic!("{other:?}"),
    }
    assert_eq!(processes.starts_of("n2"), 7, "started once");
    // An intent that was looked at before somebody else started it did nothing.
    assert!(matches!(scene.subject.execute(&start, &guard, &token(1)).await, Sent::NoEffect(_)));
    // A new one, which has seen that start, may start it.
    let guard = scene.guard(&start).await;
    assert_eq!(guard.incarnation.as_deref(), Some("7"));
    assert!(matches!(scene.subject.execute(&start, &guard, &token(1)).await, Sent::Done(_)));
    assert_eq!(processes.starts_of("n2"), 8);
}

#[tokio::test]
async fn the_only_healthy_node_and_redis_are_not_restarted() {
    let (_redis, _n1, _, scene) = scene().await;
    let restart = |name: &str| request("restart_component", component(name), &[]);
    assert!(matches!(scene.guard(&restart("n1")).await.holds, Holds::No(why) if why.contains("only healthy node")));
    assert!(matches!(scene.guard(&restart("n2")).await.holds, Holds::No(why) if why.contains("does not run")));
    assert!(matches!(scene.guard(&restart("redis")).await.holds, Holds::No(why) if why.contains("cannot be aimed")));
}
