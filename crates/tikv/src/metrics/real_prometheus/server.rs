//! A private Prometheus on a free port, gone with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use operator_prometheus::{QueryClient, QueryLimits};
use operator_protocols::Timestamp;

/// The milliseconds since 1970.
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("before the end of time"))
}

pub(super) struct Prometheus {
    child: Child,
    _directory: tempfile::TempDir,
    pub(super) url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// One that scrapes `targets`, by job; none, with a word about it, where none is installed.
    pub(super) async fn start(targets: &[(&str, &[String])]) -> Option<Self> {
        if Command::new("prometheus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            eprintln!("skipped: no prometheus");
            return None;
        }
        let mut config = "global:\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\nscrape_configs:\n".to_owned();
        for (job, targets) in targets {
            let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
            config.push_str(&format!("- job_name: {job}\n  static_configs:\n  - targets: [{}]\n", targets.join(",")));
        }
        // Between finding a free port and using it, somebody else may take it: then another one is tried.
        for _ in 0..5 {
            let directory = tempfile::tempdir().expect("a directory");
            let file = directory.path().join("prometheus.yml");
            std::fs::write(&file, &config).expect("written");
            let port = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port").port();
            let mut child = Command::new("prometheus")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it is installed");
            let url = format!("http://127.0.0.1:{port}");
            let client = QueryClient::new(&url, QueryLimits::default()).expect("an address");
            for _ in 0..200 {
                if client.instant("vector(1)", now()).await.is_ok() {
                    return Some(Self { child, _directory: directory, url });
                }
                if child.try_wait().expect("a child").is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("no Prometheus could be started");
    }

    /// Waits until an expression has so many series.
    pub(super) async fn wait_for(&self, expression: &str, series: usize) {
        let client = QueryClient::new(&self.url, QueryLimits::default()).expect("an address");
        for _ in 0..600 {
            if client.instant(expression, now()).await.is_ok_and(|found| found.len() >= series) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{expression} never had {series} series");
    }
}
