//! What actions send, to whom, and what is made of the answers.

use std::time::Duration;

use operator_protocols::{ActionRequest, Effect, Guard, Holds, Sent, Value};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::fake_node::{FakeNode, health};
use crate::redis_server::RedisServer;
use crate::scene::{Scene, component, key, now, request, token};

async fn three() -> (RedisServer, Vec<FakeNode>, Scene) {
    let redis = RedisServer::start().await;
    let mut nodes = Vec::new();
    for id in ["n1", "n2", "n3"] {
        nodes.push(FakeNode::healthy(id, &redis.run_id, &[]).await);
    }
    let scene = Scene::new(redis.port, &nodes.iter().collect::<Vec<_>>());
    (redis, nodes, scene)
}

async fn sent(scene: &Scene, request: &ActionRequest, attempt: u32) -> Sent {
    let guard = scene.guard(request).await;
    assert_eq!(guard.holds, Holds::Yes);
    scene.subject.execute(request, &guard, &token(attempt)).await
}

fn header(request: &wiremock::Request, name: &str) -> String {
    request.headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn a_reset_carries_the_intent_and_the_redis_that_was_looked_at() {
    let (redis, nodes, scene) = three().await;
    let reset = request("reset_counter", key("a/b"), &[]);
    let guard = scene.guard(&reset).await;
    assert_eq!(guard.facts["run_id"], Value::from(redis.run_id.clone()));
    assert_eq!(guard.facts["generation"], Value::Int(0));
    let done = json!({"key": "a/b", "reset": true, "generation": 77});
    nodes[0].answer_json("POST", "/api/counters/a%2Fb/reset", &done).await;
    assert!(
        matches!(sent(&scene, &reset, 1).await, Sent::Done(receipt) if receipt.facts["generation"] == Value::Int(77))
    );
    let changes = nodes[0].changes().await;
    assert_eq!(changes.len(), 1, "once, and to one node");
    assert_eq!(header(&changes[0], "idempotency-key"), "intent-7");
    assert_eq!(header(&changes[0], "x-redis-run-id"), redis.run_id);
    assert_eq!(changes[0].url.path(), "/api/counters/a%2Fb/reset");

    assert_eq!(scene.subject.effect(&reset, now()).await, Effect::Absent);
    let record = b"rl:{a%2Fb}:i:intent-7";
    redis.send(&[b"HSET", record, b"run_id", redis.run_id.as_bytes(), b"answer", b"77"]).await;
    assert!(matches!(scene.subject.effect(&reset, now()).await, Effect::Happened(_)));
}

#[tokio::test]
async fn a_limit_is_set_only_on_the_version_that_was_looked_at_and_keeps_its_window() {
    let (redis, nodes, mut scene) = three().await;
    let update = request("update_limit", key("k"), &[("limit", Value::Int(100))]);
    let absent = scene.guard(&update).await;
    assert_eq!((&absent.facts["version"], &absent.facts["limit"]), (&Value::Null, &Value::Null));
    nodes[0]
        .answer_json("PUT", "/api/limits/k", &json!({"key": "k", "limit": 100, "window_ms": null, "version": 9}))
        .await;
    sent(&scene, &update, 1).await;
    assert_eq!(header(&nodes[0].changes().await[0], "if-none-match"), "*");

    for (field, value) in [("limit", "1000"), ("window_ms", "5000"), ("version", "1790000000000000")] {
        redis.send(&[b"HSET", b"rl:{k}:limit", field.as_bytes(), value.as_bytes()]).await;
    }
    assert_ne!(scene.guard(&update).await.facts, absent.facts, "an approval does not outlast a change");
    assert!(matches!(sent(&scene, &update, 1).await, Sent::Done(_)));
    let changes = nodes[0].changes().await;
    assert_eq!(header(&changes[1], "if-match"), "\"1790000000000000\"");
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&changes[1].body).expect("JSON"),
        json!({"limit": 100, "window_ms": 5000})
    );
    let seen = scene.look().await;
    let own =
        seen.observation.details["limits"].get("own").and_then(|own| own.get("k")).and_then(|own| own.get("version"));
    assert_eq!(own, Some(&Value::Int(9)), "what the operator set is remembered");
}

#[tokio::test]
async fn what_an_answer_proves_is_what_is_said_of_the_send() {
    let (_redis, nodes, scene) = three().await;
    let reset = request("reset_counter", key("k"), &[]);
    let error = |status: u16, body: serde_json::Value| ResponseTemplate::new(status).set_body_json(body);
    let outcome = |outcome: &str| json!({"error": "redis_unavailable", "message": "m", "outcome": outcome});
    for (answer, attempt, expected) in [
        (error(422, json!({"error": "idempotency_conflict", "message": "m"})), 1, "NoEffect"),
        (error(412, json!({"error": "run_id_mismatch", "message": "m"})), 1, "NoEffect"),
        (error(412, json!({"error": "run_id_mismatch", "message": "m"})), 2, "Unknown"),
        (error(503, outcome("none")), 1, "NoEffect"),
        (error(503, outcome("unknown")), 1, "Unknown"),
        (error(500, json!({})), 1, "Unknown"),
        (ResponseTemplate::new(302).insert_header("location", "/livez"), 1, "Unknown"),
        (ResponseTemplate::new(200).set_body_string("half an ans"), 1, "Unknown"),
        (ResponseTemplate::new(200).set_delay(Duration::from_secs(3)), 1, "Unknown"),
    ] {
        nodes[0].answer("POST", "/api/counters/k/reset", answer.clone()).await;
        let sent = format!("{:?}", sent(&scene, &reset, attempt).await);
        assert!(sent.starts_with(expected), "{sent} to {answer:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_where_nothing_can_be() {
    let (_redis, nodes, scene) = three().await;
    let reset = request("reset_counter", key("k"), &[]);
    let guard = scene.guard(&reset).await;
    for node in &nodes {
        node.answer_json("GET", "/health", &health(&node.id, "another")).await;
    }
    assert!(matches!(scene.subject.execute(&reset, &guard, &token(1)).await, Sent::NotSent(_)));
    assert!(matches!(scene.guard(&reset).await.holds, Holds::No(_)), "no node decides through that Redis");
    let refused = Guard { holds: Holds::No("x".into()), ..guard.clone() };
    assert!(matches!(scene.subject.execute(&reset, &refused, &token(1)).await, Sent::NotSent(_)));
    let other = ActionRequest { intent: "another".into(), ..reset.clone() };
    assert!(matches!(scene.subject.execute(&other, &guard, &token(1)).await, Sent::NotSent(_)));
    for node in &nodes {
        assert!(node.changes().await.is_empty());
    }
}

fn drain(node: &str) -> ActionRequest {
    request("drain_node", component(node), &[("owner", "intent-7".into()), ("ttl_s", Value::Int(60))])
}

#[tokio::test]
async fn a_drain_names_its_owner_its_end_and_the_version_it_found() {
    let (_redis, nodes, scene) = three().await;
    let held =
        json!({"id": "n2", "draining": true, "owner": "intent-7", "until": "2026-01-01T00:00:00Z", "version": 1});
    nodes[1].answer_json("PUT", "/api/nodes/n2/drain", &held).await;
    let guard = scene.guard(&drain("n2")).await;
    assert_eq!((guard.incarnation.as_deref(), &guard.facts["drain_version"]), (Some("boot-n2"), &Value::Int(0)));
    assert!(matches!(sent(&scene, &drain("n2"), 1).await, Sent::Done(_)));
    let body = serde_json::from_slice::<serde_json::Value>(&nodes[1].changes().await[0].body).expect("JSON");
    assert_eq!(body, json!({"owner": "intent-7", "ttl_s": 60, "if_version": 0}));

    assert_eq!(scene.subject.effect(&drain("n2"), now()).await, Effect::Absent);
    nodes[1].answer_json("GET", "/api/nodes/n2/drain", &held).await;
    assert!(matches!(scene.subject.effect(&drain("n2"), now()).await, Effect::Happened(_)));
    // A repeat meets the version that the first one made.
    nodes[1].answer("PUT", "/api/nodes/n2/drain", ResponseTemplate::new(412).set_body_json(json!({}))).await;
    assert!(matches!(scene.subject.execute(&drain("n2"), &guard, &token(2)).await, Sent::Done(_)));

    let undrain = request("undrain_node", component("n2"), &[("owner", "intent-7".into())]);
    let free = json!({"id": "n2", "draining": false, "owner": null, "until": null, "version": 2});
    nodes[1].answer_json("DELETE", "/api/nodes/n2/drain", &free).await;
    assert!(matches!(sent(&scene, &undrain, 1).await, Sent::Done(_)));
    let stranger = request("undrain_node", component("n2"), &[("owner", "somebody".into())]);
    assert!(matches!(scene.guard(&stranger).await.holds, Holds::No(why) if why.contains("drained by intent-7")));
}

#[tokio::test]
async fn a_drain_leaves_a_majority_serving_and_somebody_healthy() {
    let (redis, nodes, scene) = three().await;
    assert_eq!(scene.guard(&drain("n1")).await.holds, Holds::Yes);
    let mut drained = health("n2", &redis.run_id);
    drained["draining"] = json!(true);
    nodes[1].answer_json("GET", "/health", &drained).await;
    assert!(matches!(scene.guard(&drain("n1")).await.holds, Holds::No(why) if why.contains("leave 1 of 3")));

    for node in &nodes[1..] {
        let mut alone = health(&node.id, &redis.run_id);
        alone["mode"] = json!("local");
        node.answer_json("GET", "/health", &alone).await;
    }
    assert!(
        matches!(scene.guard(&drain("n1")).await.holds, Holds::No(why) if why.contains("no other node is healthy"))
    );
    assert_eq!(scene.guard(&drain("n2")).await.holds, Holds::Yes, "a sick one may be drained");
}

#[tokio::test]
async fn a_node_that_started_again_meanwhile_is_another_node() {
    let (redis, nodes, scene) = three().await;
    let guard = scene.guard(&drain("n2")).await;
    let mut reborn = health("n2", &redis.run_id);
    reborn["boot_id"] = json!("another");
    nodes[1].answer_json("GET", "/health", &reborn).await;
    assert!(matches!(scene.subject.execute(&drain("n2"), &guard, &token(1)).await, Sent::NotSent(_)));
    assert!(nodes[1].changes().await.is_empty());
}

#[tokio::test]
async fn a_resync_may_be_repeated() {
    let (_redis, nodes, scene) = three().await;
    let resync = request("resync_node", component("n3"), &[]);
    nodes[2].answer_json("POST", "/api/resync", &json!({"resynced": true, "nodes": 3, "limits": 0})).await;
    for attempt in 1..3 {
        assert!(matches!(sent(&scene, &resync, attempt).await, Sent::Done(_)));
    }
    assert!(matches!(scene.subject.effect(&resync, now()).await, Effect::Unknown(_)));
}
