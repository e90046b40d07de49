//! The registry: who lives, who leaves, who is gone.

use serde_json::{Value, json};

use crate::harness::{Redis, TestNode, eventually};
use crate::process::Process;

const FAST: [&str; 4] = ["--node-ttl-seconds", "2", "--node-heartbeat-seconds", "1"];

async fn listed(node: &TestNode, id: &str) -> Value {
    let body = node.api.get("/api/nodes").await.body;
    let nodes = body["nodes"].as_array().expect("nodes");
    nodes.iter().find(|n| n["id"] == id).cloned().unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_node_is_up_then_down_when_it_dies_and_gone_when_it_is_forgotten() {
    let redis = Redis::start().await;
    let watcher = TestNode::start(&redis, &[&["--node-id", "w"], &FAST[..]].concat()).await;
    let victim = Process::start(&redis, &[&["--node-id", "v"], &FAST[..]].concat());
    eventually("it is up", async || listed(&watcher, "v").await["state"] == "Up").await;
    let up = listed(&watcher, "v").await;
    assert_eq!((&up["address"], &up["boot_id"]), (&victim.ready["address"], &victim.ready["boot_id"]));
    assert_eq!((&up["mode"], &up["version"]), (&json!("coordinated"), &json!(env!("CARGO_PKG_VERSION"))));
    assert!(up["registered_at"].as_str().unwrap().ends_with('Z'));
    victim.signal("KILL");
    eventually("it is down", async || listed(&watcher, "v").await["state"] == "Down").await;
    let boot = format!("v@{}", victim.ready["boot_id"].as_str().unwrap());
    drop(victim);
    // Again, as another boot.
    let again = Process::start(&redis, &[&["--node-id", "v"], &FAST[..]].concat());
    eventually("it is up again", async || listed(&watcher, "v").await["state"] == "Up").await;
    assert_eq!(listed(&watcher, "v").await["boot_id"], again.ready["boot_id"]);
    let boots = watcher.api.get("/api/nodes").await.body["boots"].clone();
    assert!(boots.as_array().unwrap().iter().any(|b| *b == json!(boot)), "a boot was forgotten: {boots}");
    again.signal("KILL");
    drop(again);
    assert_eq!(watcher.api.delete("/api/nodes/v").await.body, json!({"id": "v", "forgotten": true}));
    assert_eq!(listed(&watcher, "v").await, Value::Null);
    assert_eq!(watcher.api.delete("/api/nodes/v").await.status, 404);
}

#[tokio::test]
async fn a_stopped_node_is_leaving_and_one_scaled_in_is_gone() {
    let redis = Redis::start().await;
    let watcher = TestNode::start(&redis, &["--node-id", "w"]).await;
    let stopped = Process::start(&redis, &["--node-id", "s"]);
    let scaled_in = Process::start(&redis, &["--node-id", "i", "--on-stop", "deregister"]);
    for id in ["s", "i"] {
        eventually("it is up", async || listed(&watcher, id).await["state"] == "Up").await;
    }
    stopped.signal("TERM");
    scaled_in.signal("TERM");
    assert_eq!(stopped.wait().0.code(), Some(0));
    assert_eq!(scaled_in.wait().0.code(), Some(0));
    let left = listed(&watcher, "s").await;
    assert_eq!(left["state"], "Leaving");
    assert!(left["leaving_until"].as_str() > left["last_heartbeat"].as_str());
    assert_eq!(listed(&watcher, "i").await, Value::Null);
}
