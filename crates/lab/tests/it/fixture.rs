//! What the tests share: a supervisor in a temporary folder, and waiting for something with an end.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_lab::process::{ProcessSpec, Supervisor};
use tempfile::TempDir;

/// The guard as this build made it.
pub fn guard() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_operator-child-guard"))
}

/// A supervisor in a folder of its own.
pub fn supervisor() -> (Arc<Supervisor>, TempDir) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let supervisor = Supervisor::new(folder.path().join("processes"), guard()).expect("supervisor");
    (Arc::new(supervisor), folder)
}

/// A shell command as a process.
pub fn shell(name: &str, script: &str) -> ProcessSpec {
    ProcessSpec::new(name, "/bin/sh").args(["-c", script])
}

/// Asks until the answer is there; panics with `what` after 20 s.
pub async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process is there and not merely waiting to be collected.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(')')?.1.trim_start().chars().next())
        .is_some_and(|state| !matches!(state, 'Z' | 'X'))
}
