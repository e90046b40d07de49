use std::time::Duration;

use operator_lab::environment::{Environment as _, FaultRequest};
use operator_lab::ratelimiter::RateLimiterConfig;
use serde_json::json;

use super::limiter::Limiter;
use crate::fixture::eventually;

/// A piece a second.
fn work(for_s: i64) -> FaultRequest {
    FaultRequest::new("H1").with("every_s", 1_i64).with("for_s", for_s)
}

async fn limit(limiter: &Limiter, key: &str) -> Option<u64> {
    limiter.get("node-3", &format!("/api/limits/{key}")).await?["limit"].as_u64()
}

/// Waits until `node-1` was told to end, and serves for a last moment.
async fn one_takes_its_leave(limiter: &Limiter) {
    eventually("a node takes its leave", || async {
        let registry = limiter.get("node-3", "/api/nodes").await?;
        let nodes = registry["nodes"].as_array()?;
        nodes.iter().any(|node| node["id"] == "node-1" && node["state"] == "Leaving").then_some(())
    })
    .await;
}

async fn boot(limiter: &Limiter, node: &str) -> Option<String> {
    Some(limiter.health(node).await?["boot_id"].to_string())
}

#[tokio::test]
async fn h1_counters_are_reset_limits_changed_and_nodes_restarted_and_then_all_is_as_before() {
    let limits = [("key-4".to_owned(), 700)].into();
    let limiter = Limiter::with(|config| RateLimiterConfig { limits, ..config }).await;
    limiter.settled().await;
    for _ in 0..3 {
        limiter.check("node-2", "key-7").await.expect("a decision");
    }
    let (first, second) = (boot(&limiter, "node-1").await, boot(&limiter, "node-2").await);
    limiter.inject(work(600)).await;
    eventually("limits are raised, each from what it was", || async {
        (limit(&limiter, "key-2").await? == 200 && limit(&limiter, "key-4").await? == 1_400).then_some(())
    })
    .await;
    eventually("a counter is reset", || async {
        let counter = limiter.get("node-2", "/api/counters/key-7").await?;
        (counter["count"] == 0).then_some(())
    })
    .await;
    for (node, before) in [("node-1", first), ("node-2", second)] {
        eventually("one node after the other is restarted", || async {
            boot(&limiter, node).await.filter(|now| Some(now) != before.as_ref())
        })
        .await;
    }

    limiter.clear().await;
    assert_eq!((limit(&limiter, "key-2").await, limit(&limiter, "key-4").await), (None, Some(700)));
    assert_eq!(limit(&limiter, "key-6").await, None);
    limiter.settled().await;
}

#[tokio::test]
async fn h1_a_node_that_is_being_restarted_runs_when_the_work_is_over() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(work(600)).await;
    one_takes_its_leave(&limiter).await;
    limiter.clear().await;
    let supervisor = limiter.environment.supervisor();
    let start = supervisor.status("node-1").expect("declared").incarnation;
    limiter.settled().await;
    // Longer than a node that was told to end still serves.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let status = supervisor.status("node-1").expect("declared");
    assert!(status.running && status.incarnation == start, "{status:?}");
}

#[tokio::test]
async fn h1_what_somebody_decided_meanwhile_stays() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(work(1)).await;
    eventually("a limit is raised", || async { (limit(&limiter, "key-2").await? == 200).then_some(()) }).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let put = http.put(limiter.url("node-2", "/api/limits/key-2")).json(&json!({ "limit": 77 }));
    assert!(put.send().await.expect("an answer").status().is_success());
    limiter.clear().await;
    assert_eq!(limit(&limiter, "key-2").await, Some(77));
}

#[tokio::test]
async fn h1_a_node_that_is_being_restarted_ends_with_the_environment() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(work(600)).await;
    one_takes_its_leave(&limiter).await;
    limiter.environment.shut_down().await.expect("it ends");
    // Longer than a node needs to be started again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let status = limiter.environment.status();
    assert!(status.processes.iter().all(|process| !process.report.status.running), "{status:?}");
}
