//! A real Prometheus, which is nobody's here: started on a free port, told to read its configuration again, stopped,
//! killed; and gone with the test, whatever way it ends.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::operator_process::ASK_EVERY;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Rules that are right.
pub const RULES: &str = "groups: []\n";

/// A running Prometheus.
pub struct Prometheus {
    child: Child,
    folder: TempDir,
    pub address: SocketAddr,
}

impl Prometheus {
    /// Starts one that scrapes itself and `targets` once a second. To be called on the thread of the test.
    pub async fn start(targets: &[SocketAddr]) -> Self {
        // Between finding a free port and using it, somebody else may take it: then another one is tried.
        for _ in 0..5 {
            if let Some(started) = Self::try_start(targets).await {
                return started;
            }
        }
        panic!("no Prometheus could be started; is it installed?");
    }

    async fn try_start(targets: &[SocketAddr]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a free port");
        let all: Vec<_> = [address].iter().chain(targets).map(|target| format!("\"{target}\"")).collect();
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nrule_files: [ rules.yml ]\nscrape_configs:\n- job_name: all\n  \
             static_configs: [ {{ targets: [ {} ] }} ]\n",
            all.join(", ")
        );
        std::fs::write(folder.path().join("prometheus.yml"), config).expect("written");
        std::fs::write(folder.path().join("rules.yml"), RULES).expect("written");
        let guard = operator_lab::binaries::find("operator-child-guard").expect("the guard is built");
        let program = operator_lab::binaries::find("prometheus").unwrap_or_else(|error| panic!("{error}"));
        let mut command = Command::new(guard);
        command.arg(std::process::id().to_string()).arg(program).current_dir(folder.path());
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
        command.arg(format!("--web.listen-address={address}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let query = "/api/v1/query?query=count(up)";
        // Until it has scraped every target once there is nothing to be asked for.
        let expected = format!("\"{}\"]", all.len());
        while !answer(address, query).await.is_some_and(|answer| answer.contains(&expected)) {
            if child.try_wait().expect("a child").is_some() || tokio::time::Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Some(Self { child, folder, address })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        kill_process(pid.expect("it runs"), signal).expect("it is told");
    }

    /// Writes its rules, right or wrong, and has it read its configuration again.
    pub fn rules(&self, text: &str) {
        std::fs::write(self.folder().join("rules.yml"), text).expect("written");
        self.signal(Signal::HUP);
    }

    /// `kill -9`, and waits until it is gone.
    pub async fn kill_nine(&mut self) {
        self.child.kill().await.expect("it is killed");
    }
}

/// What is answered to a `GET`, if anything is.
async fn answer(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}
