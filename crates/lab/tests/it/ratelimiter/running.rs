use operator_lab::LabError;
use operator_lab::environment::Environment as _;
use operator_lab::ratelimiter::RateLimiterEnvironment;
use operator_protocols::Value;

use super::limiter::{Limiter, config, light_load};
use crate::fixture::{eventually, is_alive};

#[tokio::test]
async fn it_starts_takes_load_and_leaves_nothing_behind() {
    let limiter = Limiter::start().await;
    let environment = &limiter.environment;
    assert_eq!(environment.components(), ["redis", "node-1", "node-2", "node-3"]);
    limiter.settled().await;
    let status = environment.status();
    let names: Vec<_> = status.processes.iter().map(|process| process.report.name.as_str()).collect();
    assert_eq!(names, ["node-1", "node-2", "node-3", "redis"]);
    assert!(status.processes.iter().all(|process| process.report.status.running && process.address.is_some()));

    environment.start_workload(&light_load()).await.expect("load");
    let samples = eventually("three seconds of load", || async {
        Some(environment.workload_samples()).filter(|samples| samples.len() >= 3)
    })
    .await;
    let last = samples.last().expect("a sample");
    assert!((30..=70).contains(&last.sent) && last.granted > 0 && last.errors == 0, "{last:?}");
    assert!(last.p99_ms > 0.0 && last.p50_ms <= last.p99_ms);

    let pids: Vec<_> = environment.status().processes.iter().filter_map(|process| process.report.pid).collect();
    assert_eq!(pids.len(), 5);
    environment.shut_down().await.expect("shut down");
    assert!(pids.iter().all(|&pid| !is_alive(pid)));
}

#[tokio::test]
async fn the_configuration_it_tells_is_that_of_its_nodes_and_redis() {
    let limiter = Limiter::with(|config| operator_lab::ratelimiter::RateLimiterConfig {
        nodes: 2,
        limits: [("gold".to_owned(), 500)].into(),
        ..config
    })
    .await;
    let config = limiter.environment.subject_config();
    assert_eq!((config.name.as_str(), config.kind.as_str()), ("limiter", "ratelimiter"));
    let nodes = config.settings["nodes"].as_list().expect("a list");
    let ids: Vec<_> = nodes.iter().filter_map(|node| node.get("id").and_then(Value::as_str)).collect();
    assert_eq!(ids, ["node-1", "node-2"]);
    for node in nodes {
        let id = node.get("id").and_then(Value::as_str).expect("an id");
        let health = limiter.health(id).await.expect("it answers");
        assert_eq!(health["node_id"], id);
        let address = node.get("address").and_then(Value::as_str).expect("an address");
        assert_eq!(limiter.environment.node_addresses()[id].to_string(), address);
    }
    let stored = limiter.get("node-2", "/api/limits/gold").await.expect("an answer");
    assert_eq!(stored["limit"], 500);
}

#[tokio::test]
async fn one_folder_holds_one_environment() {
    let limiter = Limiter::with(|config| operator_lab::ratelimiter::RateLimiterConfig { nodes: 1, ..config }).await;
    let error = RateLimiterEnvironment::start(config(limiter.folder.path())).await.expect_err("in use");
    assert!(matches!(error, LabError::InUse { .. }), "{error}");
}

#[tokio::test]
async fn a_node_keeps_its_address_over_a_restart() {
    let limiter = Limiter::start().await;
    let id = limiter.id("node-2");
    let driver = limiter.environment.driver();
    let before = limiter.health("node-2").await.expect("it answers");
    let incarnation = driver.status(&id).await.expect("status").incarnation.expect("runs");
    driver.restart_if(&id, &incarnation).await.expect("restart");
    let after = limiter.health("node-2").await.expect("it answers at once: a restart waits until it is ready");
    assert_ne!(before["boot_id"], after["boot_id"]);
}
