//! The environment's process is killed while something is broken; the next start mends it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use operator_lab::environment::{Environment as _, FaultRequest};
use operator_lab::ratelimiter::{RateLimiterConfig, RateLimiterEnvironment};
use tempfile::TempDir;

use super::limiter::{config, light_load};
use crate::fixture::{eventually, is_alive};

/// Tells the process that plays the environment its folder.
const FOLDER: &str = "OPERATOR_LAB_TEST_FOLDER";

fn settings(folder: &Path) -> RateLimiterConfig {
    RateLimiterConfig { limits: [("gold".to_owned(), 50)].into(), ..config(folder) }
}

/// Not a test by itself: the process that [`what_a_killed_lab_broke_is_mended_at_the_next_start`] starts and kills.
#[tokio::test]
#[ignore = "started by another test"]
async fn environment_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (environment, _) = RateLimiterEnvironment::start(settings(Path::new(&folder))).await.expect("start");
    environment.start_workload(&light_load()).await.expect("load");
    for fault in [
        FaultRequest::new("R12").with("key", "gold"),
        FaultRequest::new("R8").with("node", "node-3"),
        FaultRequest::new("R2").with("node", "node-1"),
        FaultRequest::new("R5").with("node", "node-2"),
        FaultRequest::new("R3"),
    ] {
        environment.inject(&fault).await.expect("inject");
    }
    for process in environment.status().processes {
        println!("child {}", process.report.pid.expect("runs"));
    }
    println!("all broken");
    tokio::time::sleep(Duration::from_secs(300)).await;
}

#[tokio::test]
async fn what_a_killed_lab_broke_is_mended_at_the_next_start() {
    let folder = TempDir::new().expect("temporary folder");
    let mut lab = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "ratelimiter::death::environment_process", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the lab's process");
    let mut children = Vec::<u32>::new();
    for line in BufReader::new(lab.stdout.take().expect("piped")).lines() {
        let line = line.expect("its output");
        if let Some((_, pid)) = line.split_once("child ") {
            children.push(pid.parse().expect("a pid"));
        }
        if line.contains("all broken") {
            break;
        }
    }
    assert_eq!(children.len(), 6, "two times Redis, three nodes, load");
    lab.kill().expect("SIGKILL");
    lab.wait().expect("gone");
    for pid in children {
        eventually("a child is gone", || async { (!is_alive(pid)).then_some(()) }).await;
    }

    // The limits of the settings are stored at the start: without them, what is left of the fault would show.
    let again = RateLimiterConfig { limits: Default::default(), ..settings(folder.path()) };
    let (environment, cleared) = RateLimiterEnvironment::start(again).await.expect("start again");
    assert!(cleared.left.is_empty(), "{cleared:?}");
    assert_eq!(cleared.undone.len(), 5, "{cleared:?}");
    let node = environment.node_addresses()["node-1"];
    let limit: serde_json::Value = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .get(format!("http://{node}/api/limits/gold"))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(limit["limit"], 50, "put back before anybody was told that it runs");
    drop(environment);

    let (_, cleared) = RateLimiterEnvironment::start(settings(folder.path())).await.expect("once more");
    assert!(cleared.undone.is_empty(), "what is undone is undone once: {cleared:?}");
}
