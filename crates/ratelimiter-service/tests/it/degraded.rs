//! Without Redis: what a node does then, that it says so, and that it comes back.

use serde_json::json;

use crate::harness::{Redis, TestNode, eventually, free_port};

const FAST: [&str; 4] = ["--node-ttl-seconds", "3", "--node-heartbeat-seconds", "1"];

async fn live_nodes(node: &TestNode, count: u64) {
    eventually("the nodes know each other", async || node.running.node.live_nodes() == count).await;
}

#[tokio::test]
async fn local_mode_enforces_a_share_from_memory_and_ends_when_redis_is_back() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &[&["--node-id", "a"], &FAST[..]].concat()).await;
    let b = TestNode::start(&redis, &[&["--node-id", "b"], &FAST[..]].concat()).await;
    live_nodes(&a, 2).await;
    live_nodes(&b, 2).await;
    a.api.put("/api/limits/stored", json!({"limit": 6})).await;
    assert_eq!(a.api.take("stored", 99, 1).await.header("x-ratelimit-limit"), "6");
    assert_eq!(a.api.take("k", 10, 3).await.status, 200);

    let port = redis.kill().await;
    eventually("a notices", async || a.mode().await == "local").await;
    eventually("both say that Redis is gone", async || {
        let lost = async |node: &TestNode| node.api.get("/health").await.body["redis_connected"] == false;
        lost(&a).await && lost(&b).await
    })
    .await;
    // Half of 10 each; a has let 3 through already.
    let answer = a.api.take("k", 10, 2).await;
    assert_eq!((answer.status, answer.decided("source").as_str()), (200, "degraded"));
    assert_eq!((&answer.body["current_count"], &answer.body["remaining"]), (&json!(5), &json!(0)));
    let refused = a.api.take("k", 10, 1).await;
    let retry = refused.body["retry_after_seconds"].as_u64().unwrap();
    assert!(refused.status == 429 && (30..=60).contains(&retry), "{}", refused.text);
    assert_eq!(b.api.take("k", 10, 6).await.status, 429);
    assert_eq!(b.api.take("k", 10, 5).await.status, 200);
    // A stored limit is remembered.
    assert_eq!(a.api.take("stored", 99, 3).await.status, 429);
    assert_eq!(a.api.take("stored", 99, 2).await.status, 200);
    let health = a.api.get("/health").await.body;
    assert_eq!((&health["status"], &health["mode"]), (&json!("degraded"), &json!("local")));
    assert_eq!(a.api.get("/readyz").await.status, 200);
    assert_eq!(a.metric("ratelimiter_redis_up").await, 0.0);
    assert!(a.metric("ratelimiter_degraded_decisions_total{node_id=\"a\",mode=\"local\"}").await >= 4.0);
    let unavailable = a.api.get("/api/nodes").await;
    assert_eq!((unavailable.status, &unavailable.body["error"]), (503, &json!("redis_unavailable")));
    let rows = a.api.get("/api/admitted").await.body;
    let degraded: u64 = rows["rows"].as_array().unwrap().iter().map(|r| r["degraded"].as_u64().unwrap()).sum();
    assert_eq!(degraded, 4);

    let _redis = Redis::start_on(port, &[]).await;
    a.coordinated().await;
    b.coordinated().await;
    let answer = a.api.take("k", 10, 1).await;
    assert_eq!((answer.decided("source").as_str(), &answer.body["current_count"]), ("redis", &json!(1)));
    eventually("both are registered again", async || {
        a.api.get("/api/nodes").await.body["nodes"].as_array().is_some_and(|nodes| nodes.len() == 2)
    })
    .await;
}

#[tokio::test]
async fn open_accepts_and_closed_refuses_and_both_start_without_redis() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let open = TestNode::start_at(&url, &["--on-redis-failure", "open"]).await;
    let closed = TestNode::start_at(&url, &["--on-redis-failure", "closed"]).await;
    for _ in 0..3 {
        let answer = open.api.take("k", 1, 1).await;
        assert_eq!((answer.status, answer.decided("source").as_str()), (200, "degraded"));
        let answer = closed.api.take("k", 1, 1).await;
        assert_eq!((answer.status, &answer.body["retry_after_seconds"]), (429, &json!(1)));
    }
    assert_eq!((open.mode().await, closed.mode().await), ("open".into(), "closed".into()));
    assert_eq!(open.api.get("/api/admitted").await.body["rows"][0]["degraded"], 3);
}

#[tokio::test]
async fn a_redis_that_refuses_writes_is_no_redis_to_decide_with() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    assert_eq!(node.api.take("k", 10, 1).await.decided("source"), "redis");
    let _: String = redis.run(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let answer = node.api.take("k", 10, 1).await;
    assert_eq!((answer.status, answer.decided("source").as_str()), (200, "degraded"));
    assert_eq!(node.mode().await, "local");
    assert_eq!(node.api.get("/health").await.body["redis_connected"], true);
    assert_eq!(node.api.get("/api/counters/k").await.body["count"], 1, "half a script ran");
    let _: String = redis.run(&["CONFIG", "SET", "maxmemory", "0"]).await;
    node.coordinated().await;
    // A refusal is certain: nothing is unanswered.
    assert_eq!(node.metric("ratelimiter_unanswered_total").await, 0.0);
}

#[tokio::test]
async fn a_paused_redis_is_connected_but_not_decided_with_and_nobody_is_dead() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &[&["--node-id", "a"], &FAST[..]].concat()).await;
    let b = TestNode::start(&redis, &[&["--node-id", "b"], &FAST[..]].concat()).await;
    live_nodes(&a, 2).await;
    let _: String = redis.run(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    // Without any traffic.
    eventually("a notices", async || a.mode().await == "local").await;
    eventually("every heartbeat is old", async || {
        let nodes = a.api.get("/api/nodes").await.body;
        nodes["nodes"].as_array().is_some_and(|nodes| nodes.iter().all(|node| node["state"] == "Down"))
    })
    .await;
    assert_eq!(a.api.get("/health").await.body["redis_connected"], true);
    assert_eq!(a.running.node.live_nodes(), 2, "the share must not grow because heartbeats cannot be written");
    let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
    a.coordinated().await;
    b.coordinated().await;
}
