//! Starting and restarting, through a driver that remembers what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use operator_protocols::{BoxFuture, Driver, DriverError, Effect, Holds, Id, ProcessStatus, Sent};

use crate::fake_node::FakeNode;
use crate::redis_server::RedisServer;
use crate::scene::{Scene, component, now, request, settings, token};

#[derive(Default)]
struct Processes {
    /// Which start of each component runs; 0 = none.
    starts: Mutex<BTreeMap<String, u32>>,
}

impl Processes {
    fn of(&self, id: &Id) -> Result<u32, DriverError> {
        let starts = self.starts.lock().expect("unpoisoned");
        starts.get(&id.local).copied().ok_or_else(|| DriverError::NoSuchComponent(id.local.clone()))
    }

    fn status_of(&self, id: &Id) -> Result<ProcessStatus, DriverError> {
        let start = self.of(id)?;
        Ok(ProcessStatus { running: start > 0, incarnation: (start > 0).then(|| start.to_string()), exit: None })
    }

    fn set(&self, id: &Id, start: u32) -> Result<ProcessStatus, DriverError> {
        self.starts.lock().expect("unpoisoned").insert(id.local.clone(), start);
        self.status_of(id)
    }
}

impl Driver for Processes {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { self.status_of(id) })
    }

    fn start<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let start = self.of(id)?;
            self.set(id, if start > 0 { start } else { 100 })
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { self.set(id, 0) })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let start = self.of(id)?;
            if start.to_string() != incarnation {
                let actual = (start > 0).then(|| start.to_string());
                return Err(DriverError::Incarnation { expected: incarnation.to_owned(), actual });
            }
            self.set(id, start + 1)
        })
    }
}

async fn scene() -> (RedisServer, FakeNode, Arc<Processes>, Scene) {
    let redis = RedisServer::start().await;
    let n1 = FakeNode::healthy("n1", &redis.run_id, &[]).await;
    let processes = Arc::new(Processes::default());
    processes.starts.lock().expect("unpoisoned").extend([
        ("n1".to_owned(), 1),
        ("n2".to_owned(), 0),
        ("redis".to_owned(), 0),
    ]);
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
    processes.starts.lock().expect("unpoisoned").insert("n1".into(), 0);
    assert!(matches!(scene.guard(&start("n1")).await.holds, Holds::No(why) if why.contains("answers")));
    for name in ["n2", "redis"] {
        assert_eq!(scene.subject.effect(&start(name), now()).await, Effect::Absent);
        let guard = scene.guard(&start(name)).await;
        assert_eq!(guard.holds, Holds::Yes);
        assert!(matches!(scene.subject.execute(&start(name), &guard, &token(1)).await, Sent::Done(_)));
        assert!(matches!(scene.subject.effect(&start(name), now()).await, Effect::Happened(_)));
    }
}

#[tokio::test]
async fn a_start_is_ended_once_whatever_is_repeated() {
    let (_redis, _n1, processes, scene) = scene().await;
    // n2 hangs: its process runs and does not answer.
    processes.starts.lock().expect("unpoisoned").insert("n2".into(), 7);
    let restart = request("restart_component", component("n2"), &[]);
    let guard = scene.guard(&restart).await;
    assert_eq!((&guard.holds, guard.incarnation.as_deref()), (&Holds::Yes, Some("7")));
    assert!(matches!(scene.subject.effect(&restart, now()).await, Effect::Unknown(_)));
    assert!(matches!(scene.subject.execute(&restart, &guard, &token(1)).await, Sent::Done(_)));
    assert!(matches!(scene.subject.execute(&restart, &guard, &token(2)).await, Sent::Done(_)));
    assert_eq!(processes.starts.lock().expect("unpoisoned")["n2"], 8);
    assert!(matches!(scene.subject.effect(&restart, now()).await, Effect::Happened(_)));
    // Somebody else ended that start before the first send: then nothing was done.
    assert!(matches!(scene.subject.execute(&restart, &guard, &token(1)).await, Sent::NoEffect(_)));
}

#[tokio::test]
async fn the_only_healthy_node_and_redis_are_not_restarted() {
    let (_redis, _n1, _, scene) = scene().await;
    let restart = |name: &str| request("restart_component", component(name), &[]);
    assert!(matches!(scene.guard(&restart("n1")).await.holds, Holds::No(why) if why.contains("only healthy node")));
    assert!(matches!(scene.guard(&restart("n2")).await.holds, Holds::No(why) if why.contains("does not run")));
    assert!(matches!(scene.guard(&restart("redis")).await.holds, Holds::No(why) if why.contains("cannot be aimed")));
}
