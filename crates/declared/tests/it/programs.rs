//! Real programs on free ports, each gone with the test.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How often something is asked that cannot be awaited.
const ASK_EVERY: Duration = Duration::from_millis(20);

pub struct Program {
    child: Child,
    _folder: TempDir,
    pub port: u16,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts what `command` makes for a port and a folder, until it answers `ask` with `expect`.
    async fn start(command: impl Fn(u16, &Path) -> Command, ask: &str, expect: &str) -> Self {
        // Between finding a free port and using it, somebody else may take it: then another one is tried.
        for _ in 0..5 {
            let folder = tempfile::tempdir().expect("a folder");
            let port = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port").port();
            let mut command = command(port, folder.path());
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut program = Self { child: child.expect("the program is installed"), _folder: folder, port };
            for _ in 0..500 {
                if program.answer(ask).await.is_some_and(|answer| answer.contains(expect)) {
                    return program;
                }
                if program.child.try_wait().expect("a child").is_some() {
                    break;
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        }
        panic!("it could not be started");
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends a text and gives the first part of the answer.
    async fn answer(&self, ask: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address()).await.ok()?;
        stream.write_all(ask.as_bytes()).await.ok()?;
        let mut answer = vec![0; 64 << 10];
        let read = stream.read(&mut answer).await.ok()?;
        answer.truncate(read);
        String::from_utf8(answer).ok()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }
}

pub async fn redis() -> Program {
    let command = |port: u16, folder: &Path| {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(folder);
        command
    };
    Program::start(command, "PING\r\n", "PONG").await
}

/// Sends Redis a command, for the sake of its answer or its effect.
pub async fn tell(redis: &Program, command: &str) -> String {
    redis.answer(&format!("{command}\r\n")).await.expect("Redis answers")
}

/// How many commands Redis was sent that are not reading.
pub async fn writes_of(redis: &Program) -> u64 {
    let answer = tell(redis, "INFO commandstats").await;
    let calls = answer.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let reading = matches!(name, "ping" | "info" | "config|resetstat");
        (!reading).then(|| rest.split(',').next()?.parse::<u64>().ok()).flatten()
    });
    calls.sum()
}

/// A Prometheus that scrapes itself once a second.
pub async fn prometheus() -> Program {
    let command = |port: u16, folder: &Path| {
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: self\n  static_configs: [ {{ targets: \
             [\"127.0.0.1:{port}\"] }} ]\n"
        );
        std::fs::write(folder.join("prometheus.yml"), config).expect("written");
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command
    };
    let program = Program::start(command, "GET /-/ready HTTP/1.0\r\n\r\n", "200").await;
    // Until its first scrape there is no series to be asked for.
    let query = "GET /api/v1/query?query=up HTTP/1.0\r\n\r\n";
    for _ in 0..500 {
        if program.answer(query).await.is_some_and(|answer| answer.contains("instance")) {
            return program;
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    panic!("it does not scrape itself");
}
