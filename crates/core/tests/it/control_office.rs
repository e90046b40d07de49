//! A control socket with somebody behind it who notes what they were asked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_core::agent::{Query, QueryReply};
use operator_core::control::{ControlHandler, ControlLimits, ControlServer, Principals, PrincipalsConfig, TokenConfig};
use operator_core::store::{KillAcknowledgement, KillScope, KillState};
use operator_core::{Command, CommandError, Principal, Role};
use operator_protocols::{BoxFuture, Timestamp};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

/// What the handler was asked to do, by whom.
#[derive(Debug)]
pub struct Handler {
    pub asked: Mutex<Vec<(Principal, String)>>,
    /// Commands are carried out only as places are given here.
    pub gate: Semaphore,
}

impl Handler {
    fn note(&self, principal: &Principal, what: String) {
        self.asked.lock().expect("not poisoned").push((principal.clone(), what));
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").iter().map(|(who, what)| format!("{} {what}", who.name)).collect()
    }
}

impl ControlHandler for Handler {
    fn subjects(&self) -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    fn command<'a>(
        &'a self,
        principal: &'a Principal,
        subject: &'a str,
        command: Command,
    ) -> BoxFuture<'a, Result<String, CommandError>> {
        Box::pin(async move {
            self.note(principal, format!("{subject} {}", serde_json::to_string(&command).expect("JSON")));
            match command {
                Command::Resolve { ticket, .. } => {
                    Err(CommandError::NotFound { what: ticket, why: "there is a-T1".into() })
                }
                Command::Hold { .. } => Err(CommandError::refused("not now")),
                Command::HandBack { .. } => panic!("a handler that fails"),
                _ => {
                    self.gate.acquire().await.expect("never closed").forget();
                    Ok(format!("done on {subject}"))
                }
            }
        })
    }

    fn query<'a>(&'a self, subject: &'a str, query: Query) -> BoxFuture<'a, Result<QueryReply, CommandError>> {
        let answer = match query {
            Query::Cases {} => Ok(QueryReply::Cases { cases: Vec::new() }),
            other => Err(CommandError::NotFound { what: format!("{other:?} of {subject}"), why: "no case".into() }),
        };
        Box::pin(std::future::ready(answer))
    }

    fn engage_kill_switch<'a>(
        &'a self,
        principal: &'a Principal,
        scope: KillScope,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<KillAcknowledgement, CommandError>> {
        self.note(principal, format!("engage {scope}: {reason}"));
        let in_flight = vec!["a-A7".into()];
        let acknowledgement = KillAcknowledgement { scope, in_flight, row_written: true, file_written: true };
        Box::pin(std::future::ready(Ok(acknowledgement)))
    }

    fn release_kill_switch<'a>(
        &'a self,
        principal: &'a Principal,
        scope: KillScope,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), CommandError>> {
        self.note(principal, format!("release {scope}: {reason}"));
        Box::pin(std::future::ready(Ok(())))
    }

    fn kill_switch(&self) -> BoxFuture<'_, Result<Vec<KillState>, CommandError>> {
        let state = |scope| KillState {
            scope,
            engaged: true,
            by_file: false,
            by: "root".into(),
            reason: "drill".into(),
            at: Timestamp::from_millis(1),
            generation: 1,
        };
        let scopes = [KillScope::Global, KillScope::Subject("a".into()), KillScope::Subject("b".into())];
        Box::pin(std::future::ready(Ok(scopes.into_iter().map(state).collect())))
    }

    fn status<'a>(&'a self, subjects: &'a [String]) -> BoxFuture<'a, Result<serde_json::Value, CommandError>> {
        Box::pin(std::future::ready(Ok(serde_json::json!({ "loops": subjects }))))
    }
}

/// A running server.
pub struct Office {
    directory: tempfile::TempDir,
    pub handler: Arc<Handler>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

pub const LIMITS: ControlLimits = ControlLimits {
    connections: 8,
    idle: Duration::from_secs(20),
    line: Duration::from_secs(20),
    answer: Duration::from_secs(20),
    wrong_token: Duration::from_millis(150),
    drain: Duration::from_secs(20),
};

pub fn secret(name: &str) -> String {
    format!("the-long-secret-of-{name}")
}

/// One holder of a token for each role on `a`, and an administrator of everything.
pub fn principals() -> Principals {
    let holder = |name: &str, role, subjects: &[&str]| TokenConfig {
        name: name.into(),
        role,
        subjects: subjects.iter().map(|name| (*name).to_owned()).collect(),
        token_file: None,
        token_env: Some(name.into()),
    };
    let tokens = vec![
        holder("viv", Role::Viewer, &["a"]),
        holder("oscar", Role::Operator, &["a"]),
        holder("april", Role::Approver, &["a"]),
        holder("adam", Role::Admin, &["a"]),
        holder("eve", Role::Admin, &["*"]),
    ];
    let config = PrincipalsConfig { peers: Vec::new(), tokens };
    Principals::new(&config, own_uid(), &|name| Some(secret(name))).expect("nothing is wrong")
}

pub fn own_uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    tempfile::tempfile().and_then(|file| file.metadata()).expect("a file").uid()
}

impl Office {
    pub async fn open() -> Self {
        Self::open_within(LIMITS).await
    }

    pub async fn open_within(limits: ControlLimits) -> Self {
        Self::open_in(tempfile::tempdir().expect("a directory"), limits).await
    }

    /// Where every user of the host can go, if they are let: a checkout may lie where only its owner can.
    pub async fn open_for_everybody() -> Self {
        Self::open_in(tempfile::tempdir_in("/tmp").expect("a directory"), LIMITS).await
    }

    async fn open_in(directory: tempfile::TempDir, limits: ControlLimits) -> Self {
        let handler = Arc::new(Handler { asked: Mutex::default(), gate: Semaphore::new(1000) });
        let state = directory.path().join("state");
        let server = ControlServer::bind_within(&state, principals(), handler.clone(), limits).await.expect("bound");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self { directory, handler, stop: Some(stop), served: Some(served) }
    }

    pub fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub fn socket(&self) -> PathBuf {
        self.state().join("control.sock")
    }

    /// Begins to shut down; what is returned ends when the server has.
    pub fn close(&mut self) -> JoinHandle<()> {
        drop(self.stop.take());
        self.served.take().expect("closed once")
    }
}

/// Somebody who writes what they want.
pub struct Raw(BufReader<UnixStream>);

impl Raw {
    pub async fn connect(socket: &Path) -> Self {
        Self(BufReader::new(UnixStream::connect(socket).await.expect("connected")))
    }

    /// Writes as much as is taken.
    pub async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes).await
    }

    /// The next line; `None` when there is none any more. Does not wait until a limit cuts the connection off.
    pub async fn read(&mut self) -> Option<serde_json::Value> {
        let mut line = String::new();
        let reading = tokio::time::timeout(Duration::from_secs(10), self.0.read_line(&mut line));
        match reading.await.expect("an answer or an end") {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).expect("JSON")),
        }
    }

    pub async fn ask(&mut self, line: &str) -> Option<serde_json::Value> {
        self.write(format!("{line}\n").as_bytes()).await.expect("written");
        self.read().await
    }
}
