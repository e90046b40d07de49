//! What a check answers, on several nodes that share one Redis.

use serde_json::json;

use crate::harness::{Redis, TestNode};

#[tokio::test]
async fn nodes_enforce_one_limit_together() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &["--node-id", "a"]).await;
    let b = TestNode::start(&redis, &["--node-id", "b"]).await;
    let first = a.api.take("k", 5, 3).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body, json!({"allowed": true, "current_count": 3, "remaining": 2, "retry_after_seconds": null}));
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("5", "2"));
    assert_eq!(first.header("ratelimit-policy"), "\"default\";q=5;w=60");
    assert_eq!(first.header("ratelimit"), "\"default\";r=2");
    assert_eq!((first.header("retry-after"), first.header("x-ratelimit-reset")), ("", ""));

    let refused = b.api.take("k", 5, 3).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["allowed"], false);
    assert_eq!((&refused.body["current_count"], &refused.body["remaining"]), (&json!(3), &json!(2)));
    let retry = (first.number("t") + 60_000_000 - refused.number("t")).div_ceil(1_000_000).to_string();
    assert_eq!(refused.body["retry_after_seconds"].to_string(), retry);
    assert_eq!((refused.header("retry-after"), refused.header("x-ratelimit-reset")), (retry.as_str(), retry.as_str()));
    assert_eq!(refused.header("ratelimit"), format!("\"default\";r=2;t={retry}"));
    assert_eq!(refused.decided("source"), "redis");

    // All or nothing: what was refused cost nothing, and a smaller one still fits.
    assert_eq!(b.api.take("k", 5, 2).await.body["current_count"], 5);
}

#[tokio::test]
async fn a_cost_above_the_limit_is_never_accepted_and_says_so() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let refused = node.api.take("k", 5, 6).await;
    assert_eq!((refused.status, &refused.body["retry_after_seconds"]), (429, &json!(null)));
    assert_eq!(refused.header("retry-after"), "");
}

#[tokio::test]
async fn one_key_with_two_windows_is_two_counters() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let short = json!({"key": "k", "limit": 1, "window_ms": 1000});
    let long = json!({"key": "k", "limit": 1, "window_ms": 60_000});
    assert_eq!(node.api.check(short.clone()).await.status, 200);
    assert_eq!(node.api.check(long.clone()).await.status, 200);
    assert_eq!(node.api.check(short).await.status, 429);
    assert_eq!(node.api.check(long).await.status, 429);
    let shown = node.api.get("/api/counters/k?window_ms=1000").await.body;
    assert_eq!((&shown["windows"], &shown["window_ms"]), (&json!([1000, 60_000]), &json!(1000)));
}

#[tokio::test]
async fn what_a_window_held_comes_back_when_it_has_passed() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let body = json!({"key": "k", "limit": 2, "window_ms": 300, "cost": 2});
    let first = node.api.check(body.clone()).await;
    let mut last_refusal = 0;
    let accepted = loop {
        let answer = node.api.check(body.clone()).await;
        if answer.status == 200 {
            break answer;
        }
        assert_eq!(answer.body["retry_after_seconds"], 1);
        last_refusal = answer.number("t");
    };
    assert!(last_refusal < first.number("t") + 300_000, "refused although the window had passed");
    assert!(accepted.number("t") >= first.number("t") + 300_000, "accepted although the window had not passed");
    assert_eq!((first.number("seq"), accepted.number("seq")), (1, 2));
}

#[tokio::test]
async fn hostile_keys_are_counted_apart() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let long = "ü".repeat(256);
    let keys =
        ["}", "a}b", "{a}", "a:w:60000", "*", "a*", "a?[b]\\", "..", ".", "a/b", "%7D", "ключ 🔑", "'; DROP", &long];
    for (round, expected) in [(1, 200), (2, 429)] {
        for key in keys {
            let answer = node.api.take(key, 1, 1).await;
            assert_eq!(answer.status, expected, "round {round} of {key:?}: {}", answer.text);
        }
    }
    let listed = node.api.get("/api/counters").await.body;
    let mut seen: Vec<&str> =
        listed["counters"].as_array().unwrap().iter().map(|c| c["key"].as_str().unwrap()).collect();
    let mut expected = keys.to_vec();
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    // A pattern character in a prefix is only a character.
    assert_eq!(node.api.get("/api/counters?prefix=*").await.body["counters"].as_array().unwrap().len(), 1);
    for key in ["}", "a/b", "%7D", "ключ 🔑"] {
        assert_eq!(node.api.reset(key).await.status, 200);
        assert_eq!(node.api.take(key, 1, 1).await.status, 200, "{key}");
    }
}

#[tokio::test]
async fn a_batch_is_decided_in_order() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let check = |key: &str, cost: u64| json!({"key": key, "limit": 5, "cost": cost});
    let body = json!([check("a", 3), check("b", 5), check("a", 3), check("a", 2), check("b", 1)]);
    let request = node.api.request("POST", "/check/batch").header("x-ratelimit-debug", "1").json(&body);
    let answer = node.api.send(request).await;
    assert_eq!(answer.status, 200);
    let rows = answer.body.as_array().unwrap();
    let allowed: Vec<_> = rows.iter().map(|row| row["allowed"].as_bool().unwrap()).collect();
    assert_eq!(allowed, [true, true, false, true, false]);
    assert_eq!(rows[3]["current_count"], 5);
    assert!(rows[0]["decision"].as_str().unwrap().starts_with("t="));
}

#[tokio::test]
async fn a_script_that_redis_forgot_is_loaded_again() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let _: String = redis.run(&["SCRIPT", "FLUSH"]).await;
    let answer = node.api.take("k", 5, 1).await;
    assert_eq!((answer.status, answer.decided("source").as_str()), (200, "redis"));
    let _: String = redis.run(&["SCRIPT", "FLUSH"]).await;
    let batch = json!([{"key": "k", "limit": 5}, {"key": "k", "limit": 5}]);
    let rows = node.api.post("/check/batch", batch).await.body;
    assert_eq!((&rows[0]["current_count"], &rows[1]["current_count"]), (&json!(2), &json!(3)));
}

#[tokio::test]
async fn a_key_leaves_nothing_behind() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    node.api.check(json!({"key": "k", "limit": 5, "window_ms": 10})).await;
    crate::harness::eventually("the key's data expire", async || {
        let keys: Vec<String> = redis.run(&["KEYS", "rl:{*"]).await;
        keys.is_empty()
    })
    .await;
}
