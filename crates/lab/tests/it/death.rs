//! The supervisor dies without a chance to clean up, and nothing it started stays.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use operator_lab::process::Supervisor;

use crate::fixture::{eventually, guard, is_alive, shell};

/// Tells the process that plays the supervisor its folder.
const FOLDER: &str = "OPERATOR_LAB_TEST_FOLDER";

/// Not a test by itself: the process that [`a_killed_supervisor_takes_its_children_with_it`] starts and kills.
#[tokio::test]
#[ignore = "started by another test"]
async fn supervisor_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let supervisor = Supervisor::new(folder, guard()).expect("supervisor");
    for name in ["plain", "paused", "deaf"] {
        let script = if name == "deaf" { "trap '' TERM HUP INT; while :; do sleep 1; done" } else { "exec sleep 300" };
        supervisor.declare(shell(name, script)).expect("declare");
        supervisor.start(name).await.expect("start");
    }
    supervisor.pause("paused").await.expect("pause");
    for name in supervisor.names() {
        println!("child {}", supervisor.report(&name).expect("report").pid.expect("runs"));
    }
    println!("all started");
    tokio::time::sleep(Duration::from_secs(300)).await;
}

#[tokio::test]
async fn a_killed_supervisor_takes_its_children_with_it() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut supervisor = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "death::supervisor_process", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the supervisor process");
    let output = BufReader::new(supervisor.stdout.take().expect("piped"));
    let mut children = Vec::<u32>::new();
    for line in output.lines() {
        let line = line.expect("its output");
        if let Some((_, pid)) = line.split_once("child ") {
            children.push(pid.parse().expect("a pid"));
        }
        if line.contains("all started") {
            break;
        }
    }
    assert_eq!(children.len(), 3);
    assert!(children.iter().all(|&pid| is_alive(pid)), "they run while it runs");
    supervisor.kill().expect("SIGKILL");
    supervisor.wait().expect("gone");
    for pid in children {
        eventually("a child is gone", || async { (!is_alive(pid)).then_some(()) }).await;
    }
}
