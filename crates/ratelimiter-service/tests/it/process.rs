//! The node as a process: how it starts, what it says, how it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::harness::{Api, Redis, eventually};

/// A `ratelimiter` process; killed with its handle.
pub struct Process {
    pub ready: Value,
    pub api: Api,
    child: Child,
    rest: BufReader<std::process::ChildStdout>,
}

impl Process {
    pub fn start(redis: &Redis, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ratelimiter"))
            .args(["--redis-url", &redis.url(), "--node-port", "0", "--shutdown-grace-ms", "300"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary was built");
        let mut rest = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        rest.read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let api = Api::new(&format!("http://{}", ready["address"].as_str().expect("an address")));
        Self { ready, api, child, rest }
    }

    pub async fn coordinated(&self) {
        eventually("the process decides with Redis", async || {
            self.api.get("/health").await.body["mode"] == "coordinated"
        })
        .await;
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|s| s.success()));
    }

    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it can be waited for");
        let mut rest = String::new();
        self.rest.read_to_string(&mut rest).expect("text");
        (status, rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_in_order() {
    let redis = Redis::start().await;
    let process = Process::start(&redis, &["--node-id", "p"]);
    assert_eq!((&process.ready["event"], &process.ready["node_id"]), (&"ready".into(), &"p".into()));
    assert_eq!(process.ready["pid"], process.child.id());
    process.coordinated().await;
    let health = process.api.get("/health").await.body;
    assert_eq!(health["boot_id"], process.ready["boot_id"]);
    process.signal("TERM");
    eventually("it is not ready any more, but answers", async || {
        let ready = process.api.try_send(process.api.request("GET", "/readyz")).await;
        ready.is_ok_and(|answer| answer.status == 503 && answer.body["reason"] == "leaving")
    })
    .await;
    assert_eq!(process.api.take("k", 5, 1).await.status, 200);
    let (status, rest) = process.wait();
    assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn wrong_settings_end_it_with_2_and_name_the_setting() {
    for (flags, named) in [
        (vec!["--default-limit", "0"], "--default-limit"),
        (vec!["--redis-url", "http://x"], "--redis-url"),
        (vec!["--on-redis-failure", "panic"], "local, open, closed"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ratelimiter")).args(&flags).output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(named) && output.stdout.is_empty(), "{error}");
    }
    let environment = Command::new(env!("CARGO_BIN_EXE_ratelimiter")).env("RATELIMITER_NODE_ID", "a b").output();
    assert_eq!(environment.expect("it runs").status.code(), Some(2));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output =
        Command::new(env!("CARGO_BIN_EXE_ratelimiter")).args(["--node-port", &port]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("127.0.0.1:{port}")));
}
