//! A decision the caller no longer waits for is never charged.

use std::sync::Arc;
use std::time::Duration;

use ratelimiter_service::call::int;
use ratelimiter_service::decision::{self, CheckRequest, Defaults};
use ratelimiter_service::keys::LimiterKey;
use ratelimiter_service::link::Link;
use ratelimiter_service::script::CHECK;
use ratelimiter_service::time::Monotonic;
use serde_json::Value;

use crate::harness::{Redis, TestNode, eventually};

fn sum(rows: &Value, column: &str) -> u64 {
    rows["rows"].as_array().unwrap().iter().map(|row| row[column].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_in_a_write_pause_is_not_charged_when_it_ends() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    for _ in 0..3 {
        assert_eq!(node.api.take("k", 1000, 1).await.decided("source"), "redis");
    }
    for _ in 0..3 {
        let _: String = redis.run(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
        let checks: Vec<_> = (0..20)
            .map(|_| {
                let api = node.api.clone();
                tokio::spawn(async move { api.take("k", 1000, 1).await })
            })
            .collect();
        for check in checks {
            let answer = check.await.unwrap();
            assert_eq!((answer.status, answer.decided("source").as_str()), (200, "degraded"));
        }
        // Sent, and not known to have had no effect: until Redis says so, it is booked.
        assert!(sum(&node.api.get("/api/admitted").await.body, "unanswered") > 0);
        let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
        node.coordinated().await;
        eventually("the late answers clear the book", async || {
            sum(&node.api.get("/api/admitted").await.body, "unanswered") == 0
        })
        .await;
    }
    assert_eq!(node.api.get("/api/counters/k").await.body["count"], 3, "charged without anybody being answered");
    let rows = node.api.get("/api/admitted").await.body;
    assert_eq!((sum(&rows, "admitted"), sum(&rows, "degraded")), (3, 60));
    assert!(node.metric("ratelimiter_late_total").await > 0.0);
    assert_eq!(node.metric("ratelimiter_unanswered_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_and_never_answered_is_counted() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    node.api.take("k", 1000, 1).await;
    let _: String = redis.run(&["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    assert_eq!(node.api.take("k", 1000, 7).await.decided("source"), "degraded");
    let _: i64 = redis.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
    node.coordinated().await;
    eventually("the lost call is counted", async || node.metric("ratelimiter_unanswered_total").await >= 1.0).await;
    assert_eq!(sum(&node.api.get("/api/admitted").await.body, "unanswered"), 7);
    eventually("reads go on too", async || node.api.get("/api/counters/k").await.status == 200).await;
    assert_eq!(node.api.get("/api/counters/k").await.body["count"], 1);
}

#[tokio::test]
async fn a_script_past_its_deadline_does_nothing_but_tell_the_time() {
    let redis = Redis::start().await;
    let client = redis::Client::open(redis.url()).unwrap();
    let link = Arc::new(Link::open(&client, Monotonic::start(), Duration::from_secs(5)).await.unwrap());
    let request = CheckRequest { key: LimiterKey::new("k").unwrap(), limit: Some(5), window_ms: Some(1000), cost: 1 };
    let call = decision::call(&request, "node@boot", Defaults { limit: 1, window_ms: 1 });
    let now = link.redis_now().unwrap();
    let answers = link.call(&CHECK, vec![call.clone(), call], Some(now - 1_000)).await.unwrap();
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!((answer.len(), int(&answer, 0).unwrap()), (2, 2));
        assert!((int(&answer, 1).unwrap() - now).abs() < 5_000_000);
    }
    let keys: Vec<String> = redis.run(&["KEYS", "*"]).await;
    assert!(keys.is_empty(), "{keys:?}");
}

#[tokio::test]
async fn the_deadline_lies_within_the_timeout_by_rediss_clock() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    for _ in 0..20 {
        let answer = node.api.take("k", 1000, 1).await;
        let deadline: u64 = answer.header("x-ratelimit-deadline").parse().unwrap();
        let left = deadline.checked_sub(answer.number("t")).expect("decided before its deadline");
        assert!(left <= 400_000, "{left} µs are more than four fifths of 500 ms");
    }
}
