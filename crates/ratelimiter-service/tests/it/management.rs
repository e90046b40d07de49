//! Who may manage.

use serde_json::json;

use crate::harness::{Redis, TestNode};

#[tokio::test]
async fn without_a_token_this_host_manages_but_no_web_page() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    assert_eq!(node.api.get("/api/nodes").await.status, 200);
    for (name, value) in [("origin", "http://127.0.0.1"), ("host", "evil.example")] {
        let answer = node.api.send(node.api.request("POST", "/api/counters/k/reset").header(name, value)).await;
        assert_eq!((answer.status, &answer.body["error"]), (403, &json!("forbidden")), "{name}");
        let check = node.api.request("POST", "/check").header(name, value).json(&json!({"key": "k"}));
        assert_eq!(node.api.send(check).await.status, 200);
    }
}

#[tokio::test]
async fn with_a_token_everybody_must_present_it() {
    let redis = Redis::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    let mut settings = <ratelimiter_service::settings::Settings as clap::Parser>::parse_from([
        "ratelimiter",
        "--redis-url",
        &redis.url(),
        "--node-port",
        "0",
        "--management-token-file",
        file.to_str().unwrap(),
    ]);
    settings.read_token(None).unwrap();
    let running = ratelimiter_service::server::start(settings).await.unwrap();
    let api = crate::harness::Api::new(&format!("http://{}", running.address));
    for header in [None, Some("Bearer wrong"), Some("s3cret"), Some("Bearer ")] {
        let request = api.request("GET", "/api/limits");
        let request = match header {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        let answer = api.send(request).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{header:?}");
    }
    let right = api.request("PUT", "/api/nodes/node-1/drain").header("authorization", "Bearer s3cret");
    assert_eq!(api.send(right.json(&json!({"owner": "o", "ttl_s": 5}))).await.status, 200);
    for path in ["/health", "/livez", "/metrics", "/openapi.json"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    assert_eq!(api.get("/readyz").await.status, 503);
}
