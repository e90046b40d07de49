//! Starting a process through the guard and waiting for it, and ending it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::ProcessStatus;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::child::{RunningChild, exit_in_words};
use super::error::ProcessError;
use super::log::{self, LogStream, LogTail};
use super::slot::{Slot, lock};
use super::spec::ProcessSpec;
use super::supervisor::Supervisor;
use super::{readiness, spawner};

/// What a killed process may need to be gone: only one that hangs in the kernel takes longer.
pub(super) const DEATH: Duration = Duration::from_secs(5);
/// How much of a process's last words an error quotes.
const LAST_WORDS: u64 = 600;
/// Variables of this process that children are given: where programs, temporary files and zone data are.
const HANDED_ON: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"];

impl Supervisor {
    /// Ends a process, if it runs. Whoever calls this holds the slot's operation.
    pub(super) async fn end(&self, name: &str, slot: &Slot) -> Result<(), ProcessError> {
        let Some(child) = slot.running() else { return Ok(()) };
        if !child.is_stopped() {
            let grace = lock(&slot.spec).stop_grace;
            signal(name, &child, Signal::TERM)?;
            if child.ended_within(grace).await {
                return Ok(());
            }
        }
        signal(name, &child, Signal::KILL)?;
        if child.ended_within(DEATH).await {
            return Ok(());
        }
        Err(ProcessError::WouldNotDie { name: name.to_owned(), within: DEATH })
    }

    /// Starts a process and waits until it is ready. Whoever calls this holds the slot's operation.
    pub(super) async fn launch(
        &self,
        slot: &Slot,
        spec: &ProcessSpec,
        declared: bool,
    ) -> Result<ProcessStatus, ProcessError> {
        let name = &spec.name;
        let failed = |source| ProcessError::Spawn { name: name.clone(), program: spec.program.clone(), source };
        let (out, out_from) = log::open(&log::path(&self.folder, name, LogStream::Out)).map_err(failed)?;
        let (err, err_from) = log::open(&log::path(&self.folder, name, LogStream::Err)).map_err(failed)?;
        let mut command = Command::new(&self.guard);
        command
            .arg(std::process::id().to_string())
            .arg(&spec.program)
            .args(&spec.args)
            .env_clear()
            .envs(HANDED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(&spec.env)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            // A Ctrl-C at the terminal is for this process to handle, not for its children.
            .process_group(0);
        let spawned = spawner::spawn(command).await.map_err(failed)?;
        let child = Arc::new(RunningChild::adopt(spawned, declared, out_from).map_err(failed)?);
        *lock(&slot.current) = Some(Arc::clone(&child));
        tracing::debug!(process = %name, incarnation = %child.incarnation, declared, "started");

        let mut output = LogTail::new(log::path(&self.folder, name, LogStream::Out), out_from);
        let deadline = Instant::now() + spec.start_timeout;
        loop {
            if let Some(exit) = child.exit() {
                let said = self.last_words(name, out_from, err_from);
                return Err(ProcessError::EndedBeforeReady { name: name.clone(), exit: exit_in_words(exit), said });
            }
            if spec.readiness.holds(child.pid, &self.guard, &mut output).await && child.exit().is_none() {
                return Ok(slot.status());
            }
            if Instant::now() >= deadline {
                return Err(ProcessError::NotReady {
                    name: name.clone(),
                    incarnation: child.incarnation.clone(),
                    check: spec.readiness.to_string(),
                    within: spec.start_timeout,
                    said: self.last_words(name, out_from, err_from),
                });
            }
            sleep(readiness::INTERVAL).await;
        }
    }

    /// The end of what this start said, on standard error if anything.
    fn last_words(&self, name: &str, out_from: u64, err_from: u64) -> String {
        for (stream, from) in [(LogStream::Err, err_from), (LogStream::Out, out_from)] {
            let path = log::path(&self.folder, name, stream);
            let written = fs::metadata(&path).map_or(0, |meta| meta.len()).saturating_sub(from);
            if let Ok(text) = log::tail(&path, written.min(LAST_WORDS))
                && !text.trim().is_empty()
            {
                return text.trim().to_owned();
            }
        }
        "nothing".to_owned()
    }
}

/// Sends a signal to one start of a process.
pub(super) fn signal(name: &str, child: &RunningChild, signal: Signal) -> Result<(), ProcessError> {
    child.signal(signal).map_err(|source| ProcessError::Signal { name: name.to_owned(), source })
}
