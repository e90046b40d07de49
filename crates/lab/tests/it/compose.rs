//! A system in real containers. Where there is no container engine, these tests say so and test nothing.

use std::sync::Arc;
use std::time::Duration;

use operator_lab::compose::{ComposeEnvironment, Engine, remains, take_down_remains, tikv};
use operator_lab::environment::{Environment as _, FaultRequest};
use operator_lab::proxy::Behaviour;
use operator_lab::ratelimiter::{RateLimiterConfig, start_in_containers};
use operator_protocols::{Driver, DriverError, Id};
use tempfile::TempDir;

use crate::fixture::eventually;

/// The engine, or nothing and a word about it.
async fn engine() -> Option<Engine> {
    match Engine::detect().await {
        Ok(engine) => Some(engine),
        Err(why) => {
            println!("skipped: no engine ({why})");
            None
        }
    }
}

async fn limiter() -> (ComposeEnvironment, TempDir) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config = RateLimiterConfig {
        folder: folder.path().to_owned(),
        heartbeat_s: 1,
        ttl_s: 3,
        limits: [("vip".to_owned(), 7)].into(),
        ..RateLimiterConfig::default()
    };
    let (environment, cleared) = start_in_containers(config).await.expect("it starts");
    assert!(cleared.undone.is_empty() && cleared.left.is_empty(), "{cleared:?}");
    (environment, folder)
}

/// Everything on this machine that carries the project's name: containers, networks, volumes, images.
async fn left_of(engine: &Engine, project: &str) -> String {
    let compose = format!("label=com.docker.compose.project={project}");
    let own = format!("label=operator.lab={project}");
    let mut left = String::new();
    for (list, label) in [
        (&["ps", "--all", "--quiet"][..], &compose),
        (&["network", "ls", "--quiet"], &compose),
        (&["volume", "ls", "--quiet"], &compose),
        (&["images", "--quiet"], &own),
    ] {
        let listed = tokio::process::Command::new(&engine.docker).args(list).args(["--filter", label]).output().await;
        left += &String::from_utf8_lossy(&listed.expect("docker answers").stdout);
    }
    left
}

async fn health(environment: &ComposeEnvironment, node: &str) -> Option<serde_json::Value> {
    let status = environment.status();
    let address = status.processes.iter().find(|process| process.report.name == node)?.address.clone()?;
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build().ok()?;
    client.get(format!("http://{address}/health")).send().await.ok()?.json().await.ok()
}

async fn redis_connected(environment: &ComposeEnvironment, node: &str) -> Option<bool> {
    health(environment, node).await?["redis_connected"].as_bool()
}

async fn is_cut(environment: &ComposeEnvironment, node: &str) -> bool {
    let link = environment.status().links.into_iter().find(|link| link.from == node);
    link.expect("its link").behaviour == Behaviour::Cut
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_are_broken_and_mended_and_leave_nothing_behind() {
    let Some(engine) = engine().await else { return };
    let ((one, _one_folder), (two, _two_folder)) = tokio::join!(limiter(), limiter());
    assert_ne!(one.project().name(), two.project().name());

    let driver: Arc<dyn Driver> = one.driver();
    let id = |component: &str| Id::new("limiter", component);
    let first = driver.status(&id("node-2")).await.expect("status");
    assert!(first.running && first.incarnation.is_some(), "{first:?}");
    assert!(matches!(driver.status(&id("prometheus")).await, Err(DriverError::NoSuchComponent(_))));

    // Killed: it is started once, by whoever saw its last start.
    one.inject(&FaultRequest::new("kill_container").with("component", "node-2")).await.expect("kill");
    let dead = driver.status(&id("node-2")).await.expect("status");
    assert_eq!((dead.running, &dead.incarnation), (false, &first.incarnation), "its last start");
    assert_eq!(dead.exit.as_deref(), Some("killed (SIGKILL)"));
    assert_eq!(redis_connected(&two, "node-2").await, Some(true), "the other one is another one");
    let refused = driver.start_if(&id("node-2"), None).await.expect_err("it was started before");
    assert_eq!(refused, DriverError::StartedSince { expected: None, actual: dead.incarnation.clone() });
    let second = driver.start_if(&id("node-2"), dead.incarnation.as_deref()).await.expect("start");
    assert!(second.running && second.incarnation != first.incarnation, "{second:?}");
    one.inject(&FaultRequest::new("stop_container").with("component", "node-2")).await.expect("stop");
    let refused = driver.start_if(&id("node-2"), dead.incarnation.as_deref()).await.expect_err("a repeat");
    assert_eq!(refused, DriverError::StartedSince { expected: dead.incarnation, actual: second.incarnation });
    let cleared = one.clear().await.expect("clear");
    assert_eq!((cleared.undone.len(), cleared.left.len()), (2, 0), "{cleared:?}");
    eventually("node-2 uses Redis again", || async {
        redis_connected(&one, "node-2").await.filter(|connected| *connected)
    })
    .await;

    // Frozen: it runs and does not answer, and a restart is the cure.
    one.inject(&FaultRequest::new("pause_container").with("component", "node-3")).await.expect("pause");
    let frozen = driver.status(&id("node-3")).await.expect("status");
    assert!(frozen.running && health(&one, "node-3").await.is_none());
    let incarnation = frozen.incarnation.expect("its start");
    let restarted = driver.restart_if(&id("node-3"), &incarnation).await.expect("restart");
    assert!(restarted.running && restarted.incarnation.as_ref() != Some(&incarnation));
    let refused = driver.restart_if(&id("node-3"), &incarnation).await.expect_err("once");
    assert_eq!(refused, DriverError::Incarnation { expected: incarnation, actual: restarted.incarnation });
    one.clear().await.expect("clear: it is mended already");

    // Off one network: it answers, without Redis; off both: it does not answer.
    one.inject(&FaultRequest::new("C4").with("component", "node-1")).await.expect("disconnect");
    eventually("node-1 has lost Redis", || async {
        redis_connected(&one, "node-1").await.filter(|connected| !connected)
    })
    .await;
    assert!(is_cut(&one, "node-1").await && !is_cut(&one, "node-2").await);
    assert_eq!(one.status().open_faults, ["C4: take node-1 off the network store"]);
    let again = one.inject(&FaultRequest::new("C4").with("component", "node-1")).await.expect_err("it is off it");
    assert!(again.to_string().contains("one that node-1 is on: clients"), "{again}");
    one.clear().await.expect("clear");
    eventually("node-1 uses Redis again", || async {
        redis_connected(&one, "node-1").await.filter(|connected| *connected)
    })
    .await;
    for network in ["store", "clients"] {
        let off = FaultRequest::new("C4").with("component", "node-1").with("network", network);
        one.inject(&off).await.expect("disconnect");
    }
    assert!(health(&one, "node-1").await.is_none(), "a port is published as long as there is one network");
    one.clear().await.expect("clear");
    eventually("node-1 answers again", || async { health(&one, "node-1").await }).await;

    // Load.
    let load = serde_json::from_str(r#"{"rate":20,"keys":5}"#).expect("a workload");
    one.start_workload(&load).await.expect("load");
    let sample = eventually("a second of load", || async { one.workload_samples().pop() }).await;
    assert!(sample.granted > 0, "{sample:?}");
    one.stop_workload().await.expect("stop");

    // One is shut down, the other only let go.
    one.shut_down().await.expect("shut down");
    assert_eq!(left_of(&engine, one.project().name()).await, "");
    assert_eq!(redis_connected(&two, "node-1").await, Some(true), "the other one stays");
    let name = two.project().name().to_owned();
    assert_ne!(left_of(&engine, &name).await, "");
    drop(two);
    assert_eq!(left_of(&engine, &name).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_environment_left_is_ended_by_the_next_one_or_by_hand() {
    let Some(engine) = engine().await else { return };
    let (first, folder) = limiter().await;
    let name = first.project().name().to_owned();
    first.inject(&FaultRequest::new("kill_container").with("component", "redis")).await.expect("kill");
    // As if its process had been killed: nobody takes anything down.
    let config = RateLimiterConfig { folder: folder.path().to_owned(), ..RateLimiterConfig::default() };
    let in_use = start_in_containers(config.clone()).await.expect_err("it runs").to_string();
    assert!(in_use.contains("runs in"), "{in_use}");
    std::mem::forget(first);
    let copy = tempfile::tempdir().expect("temporary folder");
    assert!(remains(folder.path()) && !remains(copy.path()));
    assert_ne!(left_of(&engine, &name).await, "");
    let taken_down = take_down_remains(engine.clone(), folder.path()).await.expect("taken down");
    assert_eq!(taken_down, name);
    assert_eq!(left_of(&engine, &name).await, "");
}

#[tokio::test]
async fn the_files_of_tikv_are_what_compose_expects_and_missing_images_are_named() {
    let Some(engine) = engine().await else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let images = tikv::check(engine.clone(), folder.path()).await.expect("compose reads them");
    assert_eq!(images.len(), 4, "{images:?}");
    let lacking = engine.lacking(&images).await.expect("docker answers");
    let unknown = "operator-lab/no-such-image:0".to_owned();
    assert_eq!(engine.lacking(std::slice::from_ref(&unknown)).await.expect("docker answers"), [unknown]);
    println!("images that are not here: {lacking:?}");
}

#[tokio::test]
async fn what_cannot_be_run_in_containers_is_refused_before_anything_starts() {
    for (config, expected) in [
        (RateLimiterConfig { nodes: 5, ..RateLimiterConfig::default() }, "nodes: in containers there are always 3"),
        (RateLimiterConfig { ttl_s: 1, ..RateLimiterConfig::default() }, "ttl_s: "),
    ] {
        let error = start_in_containers(config).await.expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
