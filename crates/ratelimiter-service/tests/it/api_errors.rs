//! What comes in wrong is refused by name, and changes nothing.

use serde_json::{Value, json};

use crate::harness::{Redis, TestNode};

#[tokio::test]
async fn a_wrong_field_is_named() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let long = "x".repeat(513);
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!({}), "missing_field", "key"),
        (json!({"key": ""}), "invalid_field", "key"),
        (json!({"key": long}), "invalid_field", "key"),
        (json!({"key": "a\u{7}b"}), "invalid_field", "key"),
        (json!({"key": 5}), "invalid_field", "key"),
        (json!({"key": "k", "limit": 0}), "invalid_field", "limit"),
        (json!({"key": "k", "limit": -1}), "invalid_field", "limit"),
        (json!({"key": "k", "limit": 1_000_000_001}), "invalid_field", "limit"),
        (json!({"key": "k", "limit": 1.5}), "invalid_field", "limit"),
        (json!({"key": "k", "limit": "5"}), "invalid_field", "limit"),
        (json!({"key": "k", "window_ms": 0}), "invalid_field", "window_ms"),
        (json!({"key": "k", "window_ms": 1_000_000_001}), "invalid_field", "window_ms"),
        (json!({"key": "k", "cost": 0}), "invalid_field", "cost"),
        (json!({"key": "k", "cost": [1]}), "invalid_field", "cost"),
        (json!({"key": "k", "burst": 1}), "unknown_field", "burst"),
        (json!([]), "invalid_field", "body"),
        (json!("k"), "invalid_field", "body"),
    ];
    for (body, error, field) in cases {
        let answer = node.api.post("/check", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!((&answer.body["error"], &answer.body["field"]), (&json!(error), &json!(field)), "{body}");
        assert!(answer.body["message"].as_str().unwrap().contains(field), "{}", answer.text);
    }
    let batch = node.api.post("/check/batch", json!([{"key": "a"}, {"key": "b", "cost": 0}])).await;
    assert_eq!((batch.status, &batch.body["field"]), (400, &json!("[1].cost")));
    for body in [json!([]), json!({}), Value::Array(vec![json!({"key": "a"}); 1001])] {
        assert_eq!(node.api.post("/check/batch", body).await.status, 400);
    }
    let keys: Vec<String> = redis.run(&["KEYS", "rl:*"]).await;
    assert!(keys.is_empty(), "something was written: {keys:?}");
}

#[tokio::test]
async fn a_wrong_body_or_path_is_refused_in_the_same_shape() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let post = |path: &str| node.api.request("POST", path);
    let json_type = "application/json";
    let cases = [
        (post("/check").header("content-type", "text/plain").body(r#"{"key":"k"}"#), 415, "unsupported_media_type"),
        (post("/check").body(r#"{"key":"k"}"#), 415, "unsupported_media_type"),
        (post("/check").header("content-type", json_type).body(" ".repeat(65_537)), 413, "body_too_large"),
        (post("/check").header("content-type", json_type).body("{"), 400, "invalid_json"),
        (post("/check").header("content-type", json_type).body("[".repeat(60_000)), 400, "invalid_json"),
        (post("/check").header("content-type", json_type).body(vec![0xff, 0xfe]), 400, "invalid_json"),
        (node.api.request("GET", "/check"), 405, "method_not_allowed"),
        (node.api.request("GET", "/nothing"), 404, "not_found"),
        (node.api.request("GET", "/api/counters?cursor=x"), 400, "invalid_cursor"),
        (node.api.request("GET", "/api/counters?limit=0"), 400, "invalid_field"),
        (node.api.request("GET", "/api/counters?what=1"), 400, "unknown_field"),
        (node.api.request("GET", "/api/admitted?cursor=rl"), 400, "invalid_cursor"),
        (node.api.request("GET", "/api/counters/k?detail=maybe"), 400, "invalid_field"),
        (post("/api/counters/k/reset").header("content-type", json_type).body(r#"{"a":1}"#), 400, "unknown_field"),
        (post("/api/counters/%01/reset"), 400, "invalid_field"),
        (post("/api/counters/k/reset").header("idempotency-key", ""), 400, "invalid_field"),
        (post("/api/counters/k/reset").header("if-match", "1"), 400, "invalid_field"),
        (node.api.request("PUT", "/api/limits/k").json(&json!({"limit": 0})), 400, "invalid_field"),
        (node.api.request("PUT", "/api/limits/k").json(&json!({})), 400, "missing_field"),
        (
            node.api.request("PUT", "/api/limits/k").header("if-match", "abc").json(&json!({"limit": 1})),
            400,
            "invalid_field",
        ),
        (node.api.request("DELETE", "/api/limits/k"), 404, "not_found"),
        (node.api.request("GET", "/api/limits/k"), 404, "not_found"),
        (node.api.request("DELETE", "/api/nodes/ghost"), 404, "not_found"),
    ];
    for (request, status, error) in cases {
        let shown = format!("{request:?}");
        let answer = node.api.send(request).await;
        assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{shown}: {}", answer.text);
    }
    // Invalid UTF-8 in a path is refused, not decoded to something else.
    assert_eq!(node.api.get("/api/counters/%ff").await.status, 400);
    let exactly = format!(r#"{{"key":"k"{}}}"#, " ".repeat(65_536 - 11));
    let full =
        node.api.send(post("/check").header("content-type", "Application/JSON; charset=utf-8").body(exactly)).await;
    assert_eq!(full.status, 200, "{}", full.text);
}

#[tokio::test]
async fn the_description_names_every_call_and_no_other() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let document = node.api.get("/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().unwrap() {
        let concrete = path.replace("{id}", "node-1").replace("{key}", "k");
        for method in ["get", "put", "post", "delete"] {
            let answer = node.api.send(node.api.request(&method.to_uppercase(), &concrete)).await;
            let no_method = answer.body["error"] == "method_not_allowed";
            let no_path = answer.status == 404 && answer.text.contains("no such path");
            let exists = !no_method && !no_path;
            assert_eq!(exists, methods.get(method).is_some(), "{method} {path}: {}", answer.text);
        }
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), 18);
}
