//! The other end of the control socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus, SubjectConfig};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::SOCKET;
use super::socket_path::SocketPath;
use super::wire::{Answer, Failure, MAX_LINE, Request};
use crate::environment::{
    Cleared, EnvironmentStatus, FaultDescription, FaultRequest, Injected, WorkloadSample, WorkloadSpec,
};

/// Starting, stopping and mending take seconds; one that takes a minute will not come.
const ANSWER: Duration = Duration::from_secs(60);

/// Speaks with the environment that runs in a folder. Every request has a connection of its own.
#[derive(Debug, Clone)]
pub struct ControlClient {
    folder: PathBuf,
}

/// Why the environment did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No environment runs there; nothing was asked.
    #[error("no environment runs in {folder}: {source}; start one with `operator deploy up`")]
    NotRunning {
        /// The folder.
        folder: PathBuf,
        /// Why it could not be reached.
        source: io::Error,
    },
    /// It did not answer, or not in time; it may have done what was asked.
    #[error("the environment in {folder} did not answer: {why}")]
    NoAnswer {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: String,
    },
    /// It said no.
    #[error("{}", .0.message)]
    Failed(Failure),
}

impl ControlClient {
    /// A client for the environment in `folder`; nothing is said yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The environment's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How the environment is.
    ///
    /// # Errors
    /// See [`ControlError`]; so for every request below.
    pub async fn status(&self) -> Result<EnvironmentStatus, ControlError> {
        self.ask(&Request::Status).await
    }

    /// What the operator's configuration would say of it.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn subject_config(&self) -> Result<SubjectConfig, ControlError> {
        self.ask(&Request::SubjectConfig).await
    }

    /// What can be broken.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn faults(&self) -> Result<Vec<FaultDescription>, ControlError> {
        self.ask(&Request::Faults).await
    }

    /// Breaks something.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn inject(&self, fault: FaultRequest) -> Result<Injected, ControlError> {
        self.ask(&Request::Inject { fault }).await
    }

    /// Takes back everything that was broken.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn clear(&self) -> Result<Cleared, ControlError> {
        self.ask(&Request::Clear).await
    }

    /// Puts it under load.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn start_workload(&self, workload: WorkloadSpec) -> Result<(), ControlError> {
        self.ask(&Request::StartWorkload { workload }).await
    }

    /// Ends the load.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn stop_workload(&self) -> Result<(), ControlError> {
        self.ask(&Request::StopWorkload).await
    }

    /// What the load met.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn workload_samples(&self) -> Result<Vec<WorkloadSample>, ControlError> {
        self.ask(&Request::WorkloadSamples).await
    }

    /// Ends the environment.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn shut_down(&self) -> Result<(), ControlError> {
        self.ask(&Request::ShutDown).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, ControlError> {
        let not_running = |source| ControlError::NotRunning { folder: self.folder.clone(), source };
        let no_answer = |why: String| ControlError::NoAnswer { folder: self.folder.clone(), why };
        let path = SocketPath::new(&self.folder, SOCKET).map_err(not_running)?;
        let stream = UnixStream::connect(path.as_path()).await.map_err(not_running)?;
        let line = match timeout(ANSWER, exchange(stream, request)).await {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Err(no_answer(error.to_string())),
            Err(_) => return Err(no_answer(format!("not within {ANSWER:?}"))),
        };
        match serde_json::from_slice(&line) {
            Ok(Answer::Ok(value)) => Ok(value),
            Ok(Answer::Error(failure)) => Err(ControlError::Failed(failure)),
            Err(error) => Err(no_answer(format!("what it said cannot be understood: {error}"))),
        }
    }

    async fn ask_driver(&self, request: Request, changes: bool) -> Result<ProcessStatus, DriverError> {
        self.ask(&request).await.map_err(|error| match error {
            ControlError::Failed(failure) => failure.into(),
            error @ ControlError::NoAnswer { .. } if changes => DriverError::Unknown(error.to_string()),
            error => DriverError::Refused(error.to_string()),
        })
    }
}

async fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    BufReader::new(stream).take(MAX_LINE).read_until(b'\n', &mut answer).await?;
    if answer.ends_with(b"\n") { Ok(answer) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

impl Driver for ControlClient {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(self.ask_driver(Request::ProcessStatus { id: id.clone() }, false))
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        let request = Request::ProcessStartIf { id: id.clone(), last: last.map(str::to_owned) };
        Box::pin(self.ask_driver(request, true))
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(self.ask_driver(Request::ProcessStop { id: id.clone() }, true))
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        let request = Request::ProcessRestartIf { id: id.clone(), incarnation: incarnation.to_owned() };
        Box::pin(self.ask_driver(request, true))
    }
}
