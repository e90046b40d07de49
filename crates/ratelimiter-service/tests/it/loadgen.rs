//! The load generator against real nodes.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Redis, TestNode, eventually, free_port};
use crate::process::Process;

fn loadgen(targets: &str, flags: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["--targets", targets])
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built")
}

async fn finish(child: std::process::Child) -> (Output, Vec<Value>) {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON lines only")).collect();
    (output, lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_counts_what_the_nodes_answer() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &["--node-id", "a"]).await;
    let b = TestNode::start(&redis, &["--node-id", "b"]).await;
    let targets = format!("{},{}", a.api.base, b.api.base);
    let flags = ["--rate", "200", "--duration", "2s", "--keys", "1", "--limit", "50", "--stats-interval", "500ms"];
    let (output, lines) = finish(loadgen(&targets, &flags)).await;
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "progress is for terminals: {}", String::from_utf8_lossy(&output.stderr));
    let summary = lines.last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!((&summary["sent"], &summary["errors"]), (&json!(400), &json!(0)));
    assert_eq!((&summary["allowed"], &summary["blocked"], &summary["degraded"]), (&json!(50), &json!(350), &json!(0)));
    assert_eq!(summary["targets"][0]["sent"], summary["targets"][1]["sent"]);
    let quantiles: Vec<f64> =
        ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"].iter().map(|q| summary[q].as_f64().unwrap()).collect();
    assert!(quantiles.is_sorted() && quantiles[0] > 0.0, "{quantiles:?}");
    let seconds: Vec<&Value> = lines.iter().filter(|line| line["event"] == "second").collect();
    assert!((3..=5).contains(&seconds.len()), "{}", seconds.len());
    assert_eq!(seconds[0]["ready_targets"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_node_gets_no_traffic_and_a_dead_one_only_costs_errors() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &["--node-id", "a"]).await;
    let b = Process::start(&redis, &["--node-id", "b"]);
    b.coordinated().await;
    assert_eq!(a.api.put("/api/nodes/a/drain", json!({"owner": "t", "ttl_s": 600})).await.status, 200);
    let dead = format!("http://127.0.0.1:{}", free_port());
    let targets = format!("{},{},{dead}", a.api.base, b.api.base);
    let child = loadgen(&targets, &["--rate", "100", "--duration", "0s"]);
    eventually("b gets traffic", async || b.api.get("/api/admitted").await.body["tracked"] != 0).await;
    b.signal("KILL");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(a.api.delete("/api/nodes/a/drain").await.status, 200);
    eventually("a gets traffic when it is undrained", async || a.api.get("/api/admitted").await.body["tracked"] != 0)
        .await;
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(status.is_ok_and(|s| s.success()));
    let (output, lines) = finish(child).await;
    assert!(output.status.success());
    let summary = lines.last().unwrap();
    assert!(summary["allowed"].as_u64().unwrap() > 0);
    assert!(summary["errors_by"]["no_ready_target"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["targets"][2]["sent"], 0, "a target that was never ready got traffic");
    let total = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(total("sent"), total("allowed") + total("blocked") + total("errors"));
}

#[tokio::test]
async fn wrong_usage_says_what_would_be_right() {
    let run = |flags: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_loadgen")).args(flags).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, text) = run(&["--targets", "h:1", "--pattern", "diurnal"]);
    assert!(code == Some(2) && text.contains("diurnal") && text.contains("steady, burst, hotkey"), "{text}");
    let (code, text) = run(&["--targets", "h:1", "--rate", "fast"]);
    assert!(code == Some(2) && text.contains("--rate"), "{text}");
    let (code, text) = run(&["--targets", "h:1", "--pattern", "burst", "--burst-for", "1m"]);
    assert!(code == Some(2) && text.contains("--burst-every"), "{text}");
    assert_eq!(run(&[]).0, Some(2));
    let (code, text) = run(&["--help"]);
    assert!(code == Some(0) && !text.contains("diurnal") && !text.contains("ramp") && text.contains("Example"));
}
