//! `operator run` as a process: what it tells, whether it is ready, and how it ends.

use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use operator_core::control::{ControlClient, ControlReply, ControlRequest};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use tokio::sync::mpsc;

use super::home::Home;

/// How often something is asked that cannot be awaited.
pub const ASK_EVERY: Duration = Duration::from_millis(20);
/// How long a start, or a clean end, may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running operator. It is killed when this goes, and by the kernel when the test's process does.
pub struct OperatorProcess {
    child: Child,
    events: mpsc::UnboundedReceiver<Value>,
    started: Instant,
    state: PathBuf,
    log: PathBuf,
}

impl OperatorProcess {
    /// Starts `operator run ARGS`. To be called on the thread of the test.
    pub fn start(home: &Home, args: &[&str]) -> Self {
        let log = home.path("operator.log");
        let said = File::options().create(true).append(true).open(&log).expect("a log");
        let guard = operator_lab::binaries::find("operator-child-guard").expect("the guard is built");
        let mut command = home.command(&guard);
        command.arg(std::process::id().to_string()).arg(Home::program()).args(home.flags()).arg("run").args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said);
        let started = Instant::now();
        let mut child = command.spawn().expect("the operator starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (tell, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // A line may be torn by a kill; nobody may be listening any more.
                if let Ok(event) = serde_json::from_str(&line) {
                    let _ = tell.send(event);
                }
            }
        });
        Self { child, events, started, state: home.state(), log }
    }

    /// The next event, if one comes within so long.
    pub async fn event(&mut self, within: Duration) -> Option<Value> {
        tokio::time::timeout(within, self.events.recv()).await.ok().flatten()
    }

    /// Waits for an event of this kind and gives it.
    pub async fn told(&mut self, kind: &str, within: Duration) -> Value {
        let deadline = Instant::now() + within;
        let mut before = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(event) = self.event(left).await else {
                panic!("not told within {within:?}: {kind}; told {before:?}; {}", self.said());
            };
            if event["kind"] == kind {
                return event;
            }
            before.push(event["kind"].to_string());
        }
    }

    /// What it says of its loop, if it answers; of the first, if it has several.
    pub async fn status(&self) -> Option<Value> {
        self.statuses().await.into_iter().next()
    }

    /// What it says of the loop of this subject, if it answers.
    pub async fn status_of(&self, subject: &str) -> Option<Value> {
        self.statuses().await.into_iter().find(|status| status["subject"] == subject)
    }

    async fn statuses(&self) -> Vec<Value> {
        let Ok(mut client) = ControlClient::connect(&self.state).await else { return Vec::new() };
        match client.request(None, ControlRequest::Status {}).await {
            Ok(ControlReply::Status { status: Value::Array(statuses) }) => statuses,
            _ => Vec::new(),
        }
    }

    /// Waits until it answers and its first cycle is done, and gives how long that took from its start.
    pub async fn ready(&mut self) -> Duration {
        loop {
            if self.status().await.is_some_and(|status| status["cycle"].as_u64() >= Some(1)) {
                return self.started.elapsed();
            }
            if let Ok(Some(ended)) = self.child.try_wait() {
                panic!("it ended before it was ready: {ended}: {}", self.said());
            }
            assert!(self.started.elapsed() < PATIENCE, "not ready within {PATIENCE:?}: {}", self.said());
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Whether nothing is open, nothing is violated, and its loop has no trouble.
    pub async fn calm(&self) -> bool {
        self.status().await.is_some_and(|status| {
            status["open_tickets"].as_array().is_some_and(Vec::is_empty) && status["violations"] == 0
        })
    }

    /// Waits until it is calm.
    pub async fn await_calm(&self, within: Duration) {
        let deadline = Instant::now() + within;
        while !self.calm().await {
            assert!(
                Instant::now() < deadline,
                "not calm within {within:?}: {:?}; {}",
                self.status().await,
                self.said()
            );
            tokio::time::sleep(10 * ASK_EVERY).await;
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub async fn kill_nine(mut self) {
        self.child.kill().await.expect("it is killed");
    }

    /// SIGTERM, and how it ended.
    pub async fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("it runs"), rustix::process::Signal::TERM).expect("it is told");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("it did not end within {PATIENCE:?}: {}", self.said())).expect("its end")
    }

    /// The end of what it said on standard error, over all its starts.
    pub fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(3000);
        text.get(from..).unwrap_or(&text).to_owned()
    }
}
