use std::time::{Duration, Instant};

use operator_lab::environment::{Environment as _, FaultRequest};
use operator_lab::proxy::Behaviour;

use super::limiter::Limiter;
use crate::fixture::eventually;

#[tokio::test]
async fn r5_one_node_is_cut_off_and_the_others_are_not() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(FaultRequest::new("R5").with("node", "node-2")).await;
    eventually("node-2 has lost Redis", || async {
        (limiter.health("node-2").await?["redis_connected"] == false).then_some(())
    })
    .await;
    assert_eq!(limiter.check("node-2", "a").await.expect("a decision").1, "degraded");
    for node in ["node-1", "node-3"] {
        assert_eq!(limiter.check(node, "a").await.expect("a decision").1, "redis");
    }
    limiter.clear().await;
    limiter.settled().await;
}

#[tokio::test]
async fn r6_one_node_is_slow_and_right() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(FaultRequest::new("R6").with("node", "node-1")).await;
    let took = async |node: &str| {
        let begun = Instant::now();
        let (_, source) = limiter.check(node, "a").await.expect("a decision");
        assert_eq!(source, "redis", "{node} still waits for Redis");
        begun.elapsed()
    };
    let slow = took("node-1").await;
    assert!((150..400).contains(&slow.as_millis()), "{slow:?}");
    assert!(took("node-2").await < Duration::from_millis(100));
    let link = limiter.environment.status().links.into_iter().find(|link| link.from == "node-1").expect("its link");
    assert_eq!(link.behaviour, Behaviour::Delay { to_server_ms: 75, to_client_ms: 75 });
    limiter.clear().await;
    assert!(took("node-1").await < Duration::from_millis(100));
}

#[tokio::test]
async fn a_node_that_is_not_there_has_no_link() {
    let limiter = Limiter::with(|config| operator_lab::ratelimiter::RateLimiterConfig { nodes: 1, ..config }).await;
    let error = limiter.environment.inject(&FaultRequest::new("R5").with("node", "node-2")).await;
    let error = error.expect_err("no such node").to_string();
    assert!(error.contains("one of node-1"), "{error}");
    assert!(limiter.environment.status().open_faults.is_empty());
}
