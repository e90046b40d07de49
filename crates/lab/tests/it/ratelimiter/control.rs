use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use operator_lab::control::{ControlClient, ControlError, ControlServer};
use operator_lab::environment::{Environment as _, FaultRequest};
use operator_protocols::{Driver, DriverError};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::limiter::{Limiter, light_load};
use crate::fixture::eventually;

#[tokio::test]
async fn another_process_sees_breaks_and_mends_it_over_the_socket() {
    // Longer than a socket's path may be.
    let deep = "d".repeat(150);
    let limiter = Limiter::with(|mut config| {
        config.folder.push(&deep);
        config
    })
    .await;
    let folder = limiter.environment.config().folder.clone();
    let server = ControlServer::start(&folder, Arc::new(limiter.environment.clone())).expect("the socket");
    let mode = std::fs::metadata(server.path()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&folder).expect("it is there").permissions().mode() & 0o777, 0o700);

    let client = ControlClient::new(&folder);
    assert_eq!(client.status().await.expect("status"), limiter.environment.status());
    assert_eq!(client.subject_config().await.expect("config"), limiter.environment.subject_config());
    assert!(client.faults().await.expect("faults").iter().any(|fault| fault.id == "R13"));

    client.start_workload(light_load()).await.expect("load");
    eventually("a second of load", || async { client.workload_samples().await.ok()?.pop() }).await;
    client.stop_workload().await.expect("stop");

    let injected = client.inject(FaultRequest::new("R1").with("node", "node-2")).await.expect("inject");
    assert_eq!(injected.what, "R1: kill node-2");
    let wrong = client.inject(FaultRequest::new("R1")).await.expect_err("no node");
    assert!(wrong.to_string().contains("missing field `node`"), "{wrong}");

    let driver: Arc<dyn Driver> = Arc::new(client.clone());
    let id = limiter.id("node-2");
    let dead = driver.status(&id).await.expect("status");
    assert!(!dead.running);
    let refused = driver.start_if(&id, None).await.expect_err("it was started before");
    assert_eq!(refused, DriverError::StartedSince { expected: None, actual: dead.incarnation.clone() });
    let started = driver.start_if(&id, dead.incarnation.as_deref()).await.expect("start").incarnation.expect("runs");
    let restarted = driver.restart_if(&id, &started).await.expect("restart").incarnation.expect("runs");
    let refused = driver.restart_if(&id, &started).await.expect_err("another start");
    assert_eq!(refused, DriverError::Incarnation { expected: started, actual: Some(restarted) });
    assert!(matches!(driver.stop(&limiter.id("loadgen")).await, Err(DriverError::NoSuchComponent(_))));
    assert_eq!(client.clear().await.expect("clear").undone, ["R1: kill node-2"]);

    client.shut_down().await.expect("shut down");
    tokio::time::timeout(Duration::from_secs(5), server.ended()).await.expect("told");
    drop(server);
    assert!(matches!(client.status().await, Err(ControlError::NotRunning { .. })));
    assert!(matches!(driver.start_if(&id, None).await, Err(DriverError::Refused(_))), "nothing was asked of anybody");
}

#[tokio::test]
async fn nonsense_on_the_socket_is_answered_and_the_next_request_too() {
    let limiter = Limiter::with(|config| operator_lab::ratelimiter::RateLimiterConfig { nodes: 1, ..config }).await;
    let folder = limiter.environment.config().folder.clone();
    let server = ControlServer::start(&folder, Arc::new(limiter.environment.clone())).expect("the socket");
    let mut stream = UnixStream::connect(server.path()).await.expect("connect");
    let (from, mut to) = stream.split();
    let mut lines = BufReader::new(from).lines();
    for (said, expected) in [
        ("hello\n", "this is no request"),
        ("{\"op\":\"dance\"}\n", "unknown variant"),
        ("{\"op\":\"status\"}\n", "\"ok\""),
    ] {
        to.write_all(said.as_bytes()).await.expect("write");
        let answer = lines.next_line().await.expect("read").expect("a line");
        assert!(answer.contains(expected), "{answer}");
    }
}
