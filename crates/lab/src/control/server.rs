//! The environment's end of the control socket.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::SOCKET;
use super::socket_path::SocketPath;
use super::wire::{Answer, Failure, MAX_LINE, Request};
use crate::environment::Environment;
use crate::error::LabError;

/// More clients than this at once wait.
const CLIENTS: usize = 32;
/// A client that says nothing for so long is let go.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves an environment's control socket until it is dropped.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    serving: JoinHandle<()>,
    ended: watch::Receiver<bool>,
}

impl ControlServer {
    /// Serves `environment` on a socket in `folder`, which must be the environment's own: an old socket there is one
    /// that nobody serves any more.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn start(folder: &Path, environment: Arc<dyn Environment>) -> Result<Self, LabError> {
        let path = folder.join(SOCKET);
        let failed = |source| LabError::Folder { path: path.clone(), source };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let short = SocketPath::new(folder, SOCKET).map_err(failed)?;
        let listener = UnixListener::bind(short.as_path()).map_err(failed)?;
        // Until this line nobody else gets in either: peers are checked as well.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (end, ended) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, environment, Arc::new(end)));
        Ok(Self { path, serving, ended })
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until a client has ended the environment.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.serving.abort();
        let _ = fs::remove_file(&self.path);
    }
}

async fn serve(listener: UnixListener, environment: Arc<dyn Environment>, end: Arc<watch::Sender<bool>>) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) if is_owner(&stream) => {
                let (environment, end) = (Arc::clone(&environment), Arc::clone(&end));
                // Not bound to this task: what a client asked for is carried to its end.
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &*environment, &end).await {
                        tracing::debug!(%error, "a control client left");
                    }
                    drop(place);
                });
            }
            Ok(_) => tracing::warn!("another user tried the control socket"),
            Err(error) => {
                tracing::debug!(%error, "cannot accept a control client");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Whether the peer is the user who runs this, or root.
fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn converse(mut stream: UnixStream, environment: &dyn Environment, end: &watch::Sender<bool>) -> io::Result<()> {
    let (from, mut to) = stream.split();
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut from).take(MAX_LINE);
        let read = timeout(SILENCE, bounded.read_until(b'\n', &mut line)).await;
        match read {
            Ok(Ok(length)) if length > 0 && line.ends_with(b"\n") => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(_)) | Err(_) => return Ok(()),
        }
        let (answer, ends) = match serde_json::from_slice(&line) {
            Ok(request) => (answer(&request, environment).await, request == Request::ShutDown),
            Err(error) => (fail(format!("this is no request: {error}")), false),
        };
        let written = to.write_all(answer.as_bytes()).await;
        if ends {
            end.send_replace(true);
        }
        written?;
    }
}

async fn answer(request: &Request, environment: &dyn Environment) -> String {
    let lab = |error: LabError| Failure { message: error.to_string(), driver: None };
    match request {
        Request::Status => say(Ok(environment.status())),
        Request::SubjectConfig => say(Ok(environment.subject_config())),
        Request::Faults => say(Ok(environment.faults())),
        Request::Inject { fault } => say(environment.inject(fault).await.map_err(lab)),
        Request::Clear => say(environment.clear().await.map_err(lab)),
        Request::StartWorkload { workload } => say(environment.start_workload(workload).await.map_err(lab)),
        Request::StopWorkload => say(environment.stop_workload().await.map_err(lab)),
        Request::WorkloadSamples => say(Ok(environment.workload_samples())),
        Request::ProcessStatus { id } => say(environment.driver().status(id).await.map_err(Failure::from)),
        Request::ProcessStartIf { id, last } => {
            say(environment.driver().start_if(id, last.as_deref()).await.map_err(Failure::from))
        }
        Request::ProcessStop { id } => say(environment.driver().stop(id).await.map_err(Failure::from)),
        Request::ProcessRestartIf { id, incarnation } => {
            say(environment.driver().restart_if(id, incarnation).await.map_err(Failure::from))
        }
        Request::ShutDown => say(environment.shut_down().await.map_err(lab)),
    }
}

fn say<T: Serialize>(outcome: Result<T, Failure>) -> String {
    let answer = match outcome {
        Ok(value) => Answer::Ok(value),
        Err(failure) => Answer::Error(failure),
    };
    serde_json::to_string(&answer).map_or_else(|error| fail(error.to_string()), |text| text + "\n")
}

fn fail(message: String) -> String {
    say::<()>(Err(Failure { message, driver: None }))
}
