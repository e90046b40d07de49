//! The supervisor itself: declared processes by name, and what can be done to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use operator_protocols::ProcessStatus;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::error::ProcessError;
use super::launch::{DEATH, signal};
use super::log::{self, LogStream, LogTail};
use super::slot::{Slot, lock};
use super::spec::{ProcessSpec, is_valid_name};

/// What a process may need to stand after `SIGSTOP`: a thread that waits for a disk does not stop before it is served.
const STANDSTILL: Duration = Duration::from_secs(2);

/// Starts, signals and stops declared processes, and is the end of all of them when it ends.
#[derive(Debug)]
pub struct Supervisor {
    pub(super) folder: PathBuf,
    pub(super) guard: PathBuf,
    slots: Mutex<BTreeMap<String, Arc<Slot>>>,
}

/// How a process is, with what a driver need not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// Its name.
    pub name: String,
    /// Its process id, while it runs.
    pub pid: Option<u32>,
    /// Whether it runs, which start, and how it ended.
    pub status: ProcessStatus,
    /// Whether it is stopped (`SIGSTOP`).
    pub paused: bool,
    /// Whether it runs as declared, and not what a fault put in its place.
    pub declared: bool,
}

impl Supervisor {
    /// A supervisor that keeps logs in `folder` (made if need be) and starts children through the program `guard`, the
    /// `operator-child-guard` of this crate.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: impl Into<PathBuf>, guard: impl Into<PathBuf>) -> Result<Self, ProcessError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| ProcessError::Folder { path: folder.clone(), source })?;
        Ok(Self { folder, guard: guard.into(), slots: Mutex::default() })
    }

    /// Declares a process, or declares it anew; nothing is started, and one that runs is left alone.
    ///
    /// # Errors
    /// When the name cannot name a process.
    pub fn declare(&self, spec: ProcessSpec) -> Result<(), ProcessError> {
        if !is_valid_name(&spec.name) {
            return Err(ProcessError::InvalidName { name: spec.name });
        }
        let mut slots = lock(&self.slots);
        match slots.get(&spec.name) {
            Some(slot) => *lock(&slot.spec) = spec,
            None => {
                let name = spec.name.clone();
                let slot = Slot { operation: Default::default(), spec: Mutex::new(spec), current: Mutex::default() };
                slots.insert(name, Arc::new(slot));
            }
        }
        Ok(())
    }

    /// The declared names, in order.
    pub fn names(&self) -> Vec<String> {
        lock(&self.slots).keys().cloned().collect()
    }

    /// What is declared under this name.
    ///
    /// # Errors
    /// When nothing is.
    pub fn spec(&self, name: &str) -> Result<ProcessSpec, ProcessError> {
        Ok(lock(&self.slot(name)?.spec).clone())
    }

    /// Starts it as declared and waits until it is ready. One that runs is left alone.
    ///
    /// # Errors
    /// When it cannot be started, ends at once, or is not ready in time (then it runs on).
    pub async fn start(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let _operation = slot.operation.lock().await;
        if slot.running().is_some() {
            return Ok(slot.status());
        }
        let spec = lock(&slot.spec).clone();
        self.launch(&slot, &spec, true).await
    }

    /// As [`Supervisor::start`], but only if its last start was `last`.
    pub(super) async fn start_if(&self, name: &str, last: Option<&str>) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let _operation = slot.operation.lock().await;
        let status = slot.status();
        if status.running {
            return Ok(status);
        }
        if status.incarnation.as_deref() != last {
            let (name, expected) = (name.to_owned(), last.map(str::to_owned));
            return Err(ProcessError::StartedSince { name, expected, actual: status.incarnation });
        }
        let spec = lock(&slot.spec).clone();
        self.launch(&slot, &spec, true).await
    }

    /// Stops it: `SIGTERM`, and `SIGKILL` after its grace; a paused one is killed, for it cannot end by itself.
    ///
    /// # Errors
    /// When it hangs in the kernel.
    pub async fn stop(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let _operation = slot.operation.lock().await;
        self.end(name, &slot).await?;
        Ok(slot.status())
    }

    /// Stops it if it runs, and starts it as declared.
    ///
    /// # Errors
    /// As [`Supervisor::stop`] and [`Supervisor::start`].
    pub async fn restart(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let _operation = slot.operation.lock().await;
        self.end(name, &slot).await?;
        let spec = lock(&slot.spec).clone();
        self.launch(&slot, &spec, true).await
    }

    /// Stops it and starts it as declared, if it is the start named `incarnation`. The flag of an error says whether
    /// the old one was stopped before.
    pub(super) async fn restart_if(
        &self,
        name: &str,
        incarnation: &str,
    ) -> Result<ProcessStatus, (ProcessError, bool)> {
        let slot = self.slot(name).map_err(|error| (error, false))?;
        let _operation = slot.operation.lock().await;
        let actual = slot.running().map(|child| child.incarnation.clone());
        if actual.as_deref() != Some(incarnation) {
            let (name, expected) = (name.to_owned(), incarnation.to_owned());
            return Err((ProcessError::Incarnation { name, expected, actual }, false));
        }
        self.end(name, &slot).await.map_err(|error| (error, false))?;
        let spec = lock(&slot.spec).clone();
        self.launch(&slot, &spec, true).await.map_err(|error| (error, true))
    }

    /// Stops it and runs `instead` in its place, once: what is declared stays declared, so that the next start or
    /// restart brings it back. This is how a wrong configuration gets onto one process.
    ///
    /// # Errors
    /// As [`Supervisor::stop`] and [`Supervisor::start`].
    pub async fn start_with_override(&self, name: &str, instead: &ProcessSpec) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let _operation = slot.operation.lock().await;
        self.end(name, &slot).await?;
        self.launch(&slot, instead, false).await
    }

    /// Kills it (`SIGKILL`) and waits until it is gone.
    ///
    /// # Errors
    /// When it does not run, or hangs in the kernel.
    pub async fn kill(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let child = slot.running().ok_or_else(|| ProcessError::NotRunning { name: name.to_owned() })?;
        signal(name, &child, Signal::KILL)?;
        if !child.ended_within(DEATH).await {
            return Err(ProcessError::WouldNotDie { name: name.to_owned(), within: DEATH });
        }
        Ok(slot.status())
    }

    /// Stops it in its tracks (`SIGSTOP`) and waits until it stands: it keeps its memory, ports and connections, and
    /// does nothing.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn pause(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let child = slot.running().ok_or_else(|| ProcessError::NotRunning { name: name.to_owned() })?;
        signal(name, &child, Signal::STOP)?;
        let deadline = Instant::now() + STANDSTILL;
        while !child.is_stopped() && child.exit().is_none() && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(slot.status())
    }

    /// Lets it go on (`SIGCONT`).
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        let slot = self.slot(name)?;
        let child = slot.running().ok_or_else(|| ProcessError::NotRunning { name: name.to_owned() })?;
        signal(name, &child, Signal::CONT)?;
        Ok(slot.status())
    }

    /// How it is.
    ///
    /// # Errors
    /// When nothing of this name is declared.
    pub fn status(&self, name: &str) -> Result<ProcessStatus, ProcessError> {
        Ok(self.slot(name)?.status())
    }

    /// How it is, with more detail.
    ///
    /// # Errors
    /// When nothing of this name is declared.
    pub fn report(&self, name: &str) -> Result<ProcessReport, ProcessError> {
        let slot = self.slot(name)?;
        let running = slot.running();
        Ok(ProcessReport {
            name: name.to_owned(),
            pid: running.as_ref().map(|child| child.pid),
            status: slot.status(),
            paused: running.as_ref().is_some_and(|child| child.is_stopped()),
            declared: running.is_none_or(|child| child.declared),
        })
    }

    /// Stops all of them, all at once.
    ///
    /// # Errors
    /// The first error met; the others are stopped all the same.
    pub async fn stop_all(self: &Arc<Self>) -> Result<(), ProcessError> {
        let mut stopping = tokio::task::JoinSet::new();
        for name in self.names() {
            let this = Arc::clone(self);
            stopping.spawn(async move { this.stop(&name).await });
        }
        let mut first = Ok(());
        while let Some(stopped) = stopping.join_next().await {
            if let (Ok(()), Ok(Err(error))) = (&first, stopped) {
                first = Err(error);
            }
        }
        first
    }

    /// The last `max_bytes` that it said, over all its starts.
    ///
    /// # Errors
    /// When nothing of this name is declared, or the log cannot be read.
    pub fn log_tail(&self, name: &str, stream: LogStream, max_bytes: u64) -> Result<String, ProcessError> {
        self.slot(name)?;
        let path = log::path(&self.folder, name, stream);
        log::tail(&path, max_bytes).map_err(|source| ProcessError::Log { path, source })
    }

    /// The lines of standard output of its current (or last) start, from the first on, as they come.
    ///
    /// # Errors
    /// When nothing of this name is declared.
    pub fn output_lines(&self, name: &str) -> Result<LogTail, ProcessError> {
        let from = self.slot(name)?.current().map_or(0, |child| child.output_from);
        Ok(LogTail::new(log::path(&self.folder, name, LogStream::Out), from))
    }

    /// Where logs are kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn slot(&self, name: &str) -> Result<Arc<Slot>, ProcessError> {
        let slots = lock(&self.slots);
        slots.get(name).cloned().ok_or_else(|| ProcessError::NoSuchProcess {
            name: name.to_owned(),
            known: slots.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for slot in lock(&self.slots).values() {
            if let Some(child) = slot.running() {
                let _ = child.signal(Signal::KILL);
            }
        }
    }
}
