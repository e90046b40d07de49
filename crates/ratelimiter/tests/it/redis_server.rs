//! A private Redis on a free port, gone with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;

pub struct RedisServer {
    child: Child,
    _directory: tempfile::TempDir,
    pub port: u16,
    pub connection: MultiplexedConnection,
    pub run_id: String,
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RedisServer {
    pub async fn start() -> Self {
        // Between finding a free port and using it, somebody else may take it: then another one is tried.
        for _ in 0..5 {
            let directory = tempfile::tempdir().expect("a directory");
            let port = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port").port();
            let mut child = Command::new("redis-server")
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .arg("--dir")
                .arg(directory.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("redis-server is installed");
            let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address");
            for _ in 0..200 {
                if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
                    let info: String =
                        redis::cmd("INFO").arg("server").query_async(&mut connection).await.expect("INFO");
                    let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:")).expect("a run_id");
                    let run_id = run_id.trim().to_owned();
                    return Self { child, _directory: directory, port, connection, run_id };
                }
                if child.try_wait().expect("a child").is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("no Redis could be started");
    }

    /// Sends a command, for the sake of its effect.
    pub async fn send(&self, command: &[&[u8]]) {
        let mut all = redis::Cmd::new();
        for part in command {
            all.arg(*part);
        }
        let _: redis::Value = all.query_async(&mut self.connection.clone()).await.expect("a command");
    }

    /// Redis's clock, in microseconds.
    pub async fn clock(&self) -> u64 {
        let (seconds, micros): (u64, u64) =
            redis::cmd("TIME").query_async(&mut self.connection.clone()).await.expect("TIME");
        seconds * 1_000_000 + micros
    }

    /// Commands carried out so far, those in scripts included, that are not known to only read.
    pub async fn writes(&self) -> Vec<String> {
        // `CONFIG RESETSTAT` is how a test begins to count.
        const READS: [&str; 17] = [
            "config|resetstat",
            "time",
            "info",
            "ping",
            "zrevrange",
            "zmscore",
            "hgetall",
            "hget",
            "hmget",
            "scan",
            "eval_ro",
            "llen",
            "lrange",
            "auth",
            "select",
            "hello",
            "client|setinfo",
        ];
        let stats: String =
            redis::cmd("INFO").arg("commandstats").query_async(&mut self.connection.clone()).await.expect("INFO");
        let names = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next());
        names.filter(|name| !READS.contains(name)).map(str::to_owned).collect()
    }
}
