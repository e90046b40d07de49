//! Stored limits: authoritative, versioned, with their past.

use serde_json::{Value, json};

use crate::harness::{Redis, TestNode};

#[tokio::test]
async fn a_stored_limit_is_authoritative_for_every_window() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &["--node-id", "a"]).await;
    let b = TestNode::start(&redis, &["--node-id", "b"]).await;
    assert_eq!(a.api.take("k", 100, 7).await.status, 200);
    let put = a.api.put("/api/limits/k", json!({"limit": 5, "window_ms": 30_000})).await;
    assert_eq!(put.status, 200);
    let version = put.body["version"].as_u64().unwrap();
    assert_eq!(put.body, json!({"key": "k", "limit": 5, "window_ms": 30_000, "updated": true, "version": version}));
    assert_eq!(put.header("etag"), format!("\"{version}\""));
    // Its window is the default of the key; lowering the limit takes nothing back.
    let fresh = b.api.check(json!({"key": "k", "limit": 100})).await;
    assert_eq!((fresh.header("x-ratelimit-limit"), fresh.header("ratelimit-policy")), ("5", "\"default\";q=5;w=30"));
    let over = b.api.check(json!({"key": "k", "limit": 100, "window_ms": 60_000})).await;
    assert_eq!((over.status, &over.body["current_count"], &over.body["remaining"]), (429, &json!(7), &json!(0)));
    assert_eq!(b.api.get("/api/counters/k").await.body["window_ms"], 30_000);

    let deleted = b.api.delete("/api/limits/k").await;
    assert_eq!((deleted.status, &deleted.body["deleted"]), (200, &json!(true)));
    assert_eq!(a.api.check(json!({"key": "k", "limit": 8})).await.header("x-ratelimit-limit"), "8");
    assert_eq!(a.api.check(json!({"key": "k"})).await.header("x-ratelimit-limit"), "100");
}

#[tokio::test]
async fn a_record_keeps_what_was_stored_before() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let mut versions = Vec::new();
    for limit in 10..30 {
        versions.push(node.api.put("/api/limits/k", json!({"limit": limit})).await.body["version"].as_u64().unwrap());
    }
    // The same again is no change.
    let again = node.api.put("/api/limits/k", json!({"limit": 29})).await.body["version"].as_u64().unwrap();
    assert_eq!(again, *versions.last().unwrap());
    assert!(versions.windows(2).all(|w| w[0] < w[1]));
    let shown = node.api.get("/api/limits/k").await;
    let previous = shown.body["previous"].as_array().unwrap();
    let limits: Vec<u64> = previous.iter().map(|p| p["limit"].as_u64().unwrap()).collect();
    assert_eq!(limits, (13..29).rev().collect::<Vec<_>>());
    assert_eq!(previous[0]["until"], shown.body["updated_at"]);
    assert_eq!(previous[1]["until"], previous[0]["from"]);
    assert_eq!(shown.body["by"], node.running.node.identity.writer);

    node.api.delete("/api/limits/k").await;
    let gone = node.api.get("/api/limits/k").await;
    assert_eq!((gone.status, &gone.body["previous"][0]["limit"]), (404, &json!(29)));
    assert_eq!(node.api.get("/api/limits").await.body["overrides"], json!([]));
    node.api.put("/api/limits/k", json!({"limit": 99})).await;
    let back = node.api.get("/api/limits").await.body;
    let of = |at: usize| back["overrides"][0]["previous"][at]["limit"].clone();
    assert_eq!((of(0), of(1)), (Value::Null, json!(29)));
    assert_eq!((&back["default_limit"], &back["default_window_ms"]), (&json!(100), &json!(60_000)));
}

#[tokio::test]
async fn a_change_can_be_bound_to_a_version() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let put = |name: &'static str, value: String, limit: u64| {
        let request = node.api.request("PUT", "/api/limits/k").header(name, value).json(&json!({"limit": limit}));
        node.api.send(request)
    };
    let absent = put("if-match", "*".into(), 5).await;
    assert_eq!(
        (absent.status, &absent.body["error"], &absent.body["version"]),
        (412, &json!("version_mismatch"), &Value::Null)
    );
    let created = put("if-none-match", "*".into(), 5).await;
    assert_eq!(created.status, 200);
    assert_eq!(put("if-none-match", "*".into(), 6).await.status, 412);
    let version = created.body["version"].as_u64().unwrap();
    let wrong = put("if-match", format!("\"{}\"", version + 1), 6).await;
    assert_eq!((wrong.status, wrong.body["version"].as_u64()), (412, Some(version)));
    assert_eq!(put("if-match", created.header("etag").to_owned(), 6).await.status, 200);
    let delete = node.api.request("DELETE", "/api/limits/k").header("if-match", version.to_string());
    assert_eq!(node.api.send(delete).await.status, 412);
    assert_eq!(node.api.get("/api/limits/k").await.body["limit"], 6);
}

#[tokio::test]
async fn pages_leave_no_limit_out() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    for i in 0..40 {
        assert_eq!(node.api.put(&format!("/api/limits/k{i}"), json!({"limit": i + 1})).await.status, 200);
    }
    let (mut seen, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let page = node.api.get(&format!("/api/limits?limit=5&cursor={cursor}")).await.body;
        seen.extend(page["overrides"].as_array().unwrap().iter().map(|o| o["limit"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (1..=40).collect());
    assert_eq!(node.api.send(node.api.request("POST", "/api/resync")).await.body["limits"], 40);
}
