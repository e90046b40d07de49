//! At most once, and only on the Redis that was meant.

use serde_json::json;

use crate::harness::{Answer, Redis, TestNode, eventually};

async fn reset(node: &TestNode, headers: &[(&'static str, &str)]) -> Answer {
    let request = node.api.request("POST", "/api/counters/k/reset");
    node.api.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_has_no_effect() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &["--node-id", "a"]).await;
    let b = TestNode::start(&redis, &["--node-id", "b"]).await;
    a.api.take("k", 5, 5).await;
    let first = reset(&a, &[("idempotency-key", "once")]).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, ""));
    a.api.take("k", 5, 5).await;
    let repeat = reset(&b, &[("idempotency-key", "once")]).await;
    assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, "true"));
    assert_eq!(repeat.body, first.body);
    assert_eq!(b.api.take("k", 5, 1).await.status, 429, "the repeat reset again");
    let ttl: i64 = redis.run(&["PTTL", "rl:{k}:i:once"]).await;
    assert!(ttl >= 2 * 3_600_000, "kept for {ttl} ms only");
    assert_ne!(reset(&a, &[("idempotency-key", "twice")]).await.body["generation"], first.body["generation"]);
}

#[tokio::test]
async fn the_same_name_for_something_else_is_refused() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let put = |limit: u64| {
        let request = node.api.request("PUT", "/api/limits/k").header("idempotency-key", "p");
        node.api.send(request.json(&json!({"limit": limit})))
    };
    let first = put(5).await;
    assert_eq!(node.api.put("/api/limits/k", json!({"limit": 50})).await.status, 200);
    let repeat = put(5).await;
    assert_eq!((repeat.status, &repeat.body), (200, &first.body));
    assert_eq!(node.api.get("/api/limits/k").await.body["limit"], 50, "the repeat stored again");
    let other = put(6).await;
    assert_eq!((other.status, &other.body["error"]), (422, &json!("idempotency_conflict")));
    assert_eq!(reset(&node, &[("idempotency-key", "p")]).await.status, 422);
    let delete = node.api.request("DELETE", "/api/limits/k").header("idempotency-key", "p");
    assert_eq!(node.api.send(delete).await.status, 422);
    // A refusal is not on record: the same call may succeed later.
    let guarded = || {
        let request = node.api.request("PUT", "/api/limits/new").header("idempotency-key", "g").header("if-match", "*");
        node.api.send(request.json(&json!({"limit": 1})))
    };
    assert_eq!(guarded().await.status, 412);
    node.api.put("/api/limits/new", json!({"limit": 2})).await;
    assert_eq!(guarded().await.status, 200);
}

#[tokio::test]
async fn another_redis_is_refused_unless_it_has_the_effect_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let aof = ["--appendonly", "yes", "--appendfsync", "always", "--dir", dir.path().to_str().unwrap()];
    let redis = Redis::start_on(crate::harness::free_port(), &aof).await;
    let node = TestNode::start(&redis, &[]).await;
    let run_id = node.api.get("/health").await.body["redis_run_id"].as_str().unwrap().to_owned();
    node.api.take("k", 5, 5).await;
    let done = reset(&node, &[("idempotency-key", "kept"), ("x-redis-run-id", &run_id)]).await;
    assert_eq!((done.status, done.header("x-redis-run-id")), (200, run_id.as_str()));

    let port = redis.kill().await;
    let _redis = Redis::start_on(port, &aof).await;
    eventually("the node works with the new Redis", async || {
        let health = node.api.get("/health").await.body;
        health["mode"] == "coordinated" && health["redis_run_id"] != json!(run_id)
    })
    .await;
    let refused = reset(&node, &[("idempotency-key", "new"), ("x-redis-run-id", &run_id)]).await;
    assert_eq!((refused.status, &refused.body["error"]), (412, &json!("run_id_mismatch")));
    let current = refused.body["redis_run_id"].as_str().unwrap();
    assert_ne!(current, run_id);
    let repeat = reset(&node, &[("idempotency-key", "kept"), ("x-redis-run-id", &run_id)]).await;
    assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, "true"), "{}", repeat.text);
    assert_eq!(repeat.body, done.body);
    assert_eq!(reset(&node, &[("x-redis-run-id", current)]).await.status, 200);
    let put = node.api.request("PUT", "/api/limits/k").header("x-redis-run-id", &run_id).json(&json!({"limit": 1}));
    assert_eq!(node.api.send(put).await.status, 412);
    assert_eq!(node.api.get("/api/limits/k").await.status, 404, "a refused change was made");
}
