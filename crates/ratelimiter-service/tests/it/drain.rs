//! A drained node says that it is, to everybody, for as long as was asked.

use serde_json::{Value, json};

use crate::harness::{Redis, TestNode, eventually, free_port};

#[tokio::test]
async fn a_drain_shows_in_readiness_and_registry_and_can_be_ended() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &["--node-id", "a"]).await;
    let path = "/api/nodes/a/drain";
    let drained = node.api.put(path, json!({"owner": "op", "ttl_s": 60, "if_version": 0})).await;
    assert_eq!(drained.status, 200);
    assert_eq!(
        (&drained.body["draining"], &drained.body["owner"], &drained.body["version"]),
        (&json!(true), &json!("op"), &json!(1))
    );
    let ready = node.api.get("/readyz").await;
    assert_eq!((ready.status, &ready.body), (503, &json!({"ready": false, "reason": "draining"})));
    assert_eq!(node.api.get("/livez").await.status, 200);
    assert_eq!(node.api.take("k", 5, 1).await.status, 200, "a drained node still answers");
    eventually("the registry mirrors it", async || {
        let nodes = node.api.get("/api/nodes").await.body;
        nodes["nodes"][0]["state"] == "Draining" && nodes["nodes"][0]["drain"]["owner"] == "op"
    })
    .await;

    let other = node.api.put(path, json!({"owner": "else", "ttl_s": 60})).await;
    assert_eq!((other.status, &other.body["error"], &other.body["owner"]), (409, &json!("drain_owned"), &json!("op")));
    assert_eq!(node.api.delete(&format!("{path}?owner=else")).await.status, 409);
    let stale = node.api.put(path, json!({"owner": "op", "ttl_s": 60, "if_version": 0})).await;
    assert_eq!((stale.status, &stale.body["version"]), (412, &json!(1)));
    let ended = node.api.delete(&format!("{path}?owner=op&if_version=1")).await;
    assert_eq!((ended.status, &ended.body["draining"], &ended.body["until"]), (200, &json!(false), &Value::Null));
    assert_eq!(node.api.get("/readyz").await.status, 200);
    assert_eq!(node.api.delete(path).await.status, 200, "undraining what is not drained is a success");
    eventually("the registry mirrors that too", async || {
        node.api.get("/api/nodes").await.body["nodes"][0]["state"] == "Up"
    })
    .await;
}

#[tokio::test]
async fn a_drain_needs_no_redis_and_ends_by_itself() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let node = TestNode::start_at(&url, &["--node-id", "a"]).await;
    let path = "/api/nodes/a/drain";
    for (body, field) in [
        (json!({"owner": "op"}), "ttl_s"),
        (json!({"owner": "op", "ttl_s": 0}), "ttl_s"),
        (json!({"owner": "op", "ttl_s": 86_401}), "ttl_s"),
        (json!({"owner": "", "ttl_s": 5}), "owner"),
        (json!({"owner": "op", "ttl_s": 5, "force": true}), "force"),
    ] {
        let answer = node.api.put(path, body).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)));
    }
    let wrong = node.api.put("/api/nodes/b/drain", json!({"owner": "op", "ttl_s": 5})).await;
    assert_eq!((wrong.status, &wrong.body["node_id"]), (421, &json!("a")));
    assert_eq!(node.api.put(path, json!({"owner": "op", "ttl_s": 1})).await.status, 200);
    assert_eq!(node.api.get("/readyz").await.status, 503);
    eventually("it ends by itself", async || node.api.get("/readyz").await.status == 200).await;
    assert_eq!(node.api.get(path).await.body["version"], 2);
}
