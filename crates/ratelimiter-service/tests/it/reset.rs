//! A reset is seen by every check that starts after its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use crate::harness::{Redis, TestNode};

#[tokio::test]
async fn a_reset_covers_all_windows_at_once() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    for window in [1000, 60_000, 1_000_000_000] {
        let body = json!({"key": "k", "limit": 1, "window_ms": window});
        assert_eq!(node.api.check(body.clone()).await.status, 200);
        assert_eq!(node.api.check(body).await.status, 429);
    }
    let reset = node.api.reset("k").await;
    assert_eq!((&reset.body["key"], &reset.body["reset"]), (&json!("k"), &json!(true)));
    for window in [60_000, 1_000_000_000] {
        let shown = node.api.get(&format!("/api/counters/k?window_ms={window}")).await.body;
        assert_eq!((&shown["count"], &shown["generation"]), (&json!(0), &reset.body["generation"]));
        let after = node.api.check(json!({"key": "k", "limit": 1, "window_ms": window})).await;
        assert_eq!((after.status, after.number("seq")), (200, 2));
        assert_eq!(json!(after.number("gen")), reset.body["generation"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_that_starts_after_the_answer_sees_the_reset() {
    let redis = Redis::start().await;
    let nodes = [
        TestNode::start(&redis, &["--node-id", "a"]).await,
        TestNode::start(&redis, &["--node-id", "b"]).await,
        TestNode::start(&redis, &["--node-id", "c"]).await,
    ];
    let answered = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let checkers: Vec<_> = (0..6)
        .map(|i| {
            let (api, answered, done) = (nodes[i % 3].api.clone(), answered.clone(), done.clone());
            tokio::spawn(async move {
                let mut checks = 0_u32;
                while !done.load(Ordering::SeqCst) {
                    let before = answered.load(Ordering::SeqCst);
                    let answer = api.take("k", 1000, 1).await;
                    assert_eq!(answer.decided("source"), "redis");
                    assert!(answer.number("gen") >= before, "a check did not see a reset that was answered before");
                    checks += 1;
                }
                checks
            })
        })
        .collect();
    for i in 0..150 {
        let reset = nodes[i % 3].api.reset("k").await;
        let generation = reset.body["generation"].as_u64().expect("a generation");
        assert!(generation > answered.swap(generation, Ordering::SeqCst), "generations must rise");
    }
    done.store(true, Ordering::SeqCst);
    for checker in checkers {
        assert!(checker.await.expect("no violation") > 0);
    }
}

#[tokio::test]
async fn a_reset_that_redis_cannot_do_says_so() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    node.api.take("k", 5, 5).await;
    let _: String = redis.run(&["CLIENT", "PAUSE", "4000", "WRITE"]).await;
    let unknown = node.api.reset("k").await;
    assert_eq!((unknown.status, &unknown.body["error"]), (503, &json!("redis_unavailable")));
    crate::harness::eventually("the node gives up on Redis", async || node.mode().await == "local").await;
    let none = node.api.reset("k").await;
    assert_eq!((none.status, &none.body["outcome"]), (503, &json!("none")));
    let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
    node.coordinated().await;
    // Its deadline had passed: the reset was not done behind the caller's back.
    assert_eq!(node.api.take("k", 5, 1).await.status, 429);
}
