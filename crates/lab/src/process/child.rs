//! One start of a process, from its birth to its exit status.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::proc_stat;
use super::spawner::Spawned;

/// A start of a process: it may have ended since.
#[derive(Debug)]
pub(super) struct RunningChild {
    pub(super) pid: u32,
    /// `PID-START`, where START is in clock ticks since the machine started.
    pub(super) incarnation: String,
    /// Whether it runs as declared, and not what a fault put in its place.
    pub(super) declared: bool,
    /// Where in the log of its standard output this start begins.
    pub(super) output_from: u64,
    pidfd: OwnedFd,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl RunningChild {
    /// Takes over a child: a thread of its own waits for its end.
    pub(super) fn adopt(spawned: Spawned, declared: bool, output_from: u64) -> io::Result<Self> {
        let Spawned { mut child, pidfd } = spawned;
        let pid = child.id();
        let start_ticks = proc_stat::read(pid).map_or(0, |stat| stat.start_ticks);
        let (sender, exit) = watch::channel(None);
        let waiter = thread::Builder::new().name(format!("wait-{pid}")).spawn(move || {
            if let Ok(status) = child.wait() {
                sender.send_replace(Some(status));
            }
        });
        if let Err(error) = waiter {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            return Err(error);
        }
        Ok(Self { pid, incarnation: format!("{pid}-{start_ticks}"), declared, output_from, pidfd, exit })
    }

    /// How it ended, if it did.
    pub(super) fn exit(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Whether it is stopped (`SIGSTOP`).
    pub(super) fn is_stopped(&self) -> bool {
        self.exit().is_none() && proc_stat::is_stopped(self.pid)
    }

    /// Sends a signal to exactly this start; one that has ended takes it silently.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.pidfd, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for its end, at most so long; whether it ended.
    pub(super) async fn ended_within(&self, within: Duration) -> bool {
        let mut exit = self.exit.clone();
        matches!(timeout(within, exit.wait_for(Option::is_some)).await, Ok(Ok(_)))
    }
}

/// How a process ended, in words.
pub(super) fn exit_in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "ended by itself".to_owned(),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(number)) => match Signal::from_named_raw(number) {
            Some(Signal::KILL) => "killed (SIGKILL)".to_owned(),
            Some(Signal::TERM) => "terminated (SIGTERM)".to_owned(),
            Some(Signal::ABORT) => "aborted (SIGABRT)".to_owned(),
            Some(Signal::SEGV) => "crashed (SIGSEGV)".to_owned(),
            _ => format!("ended by signal {number}"),
        },
        (None, None) => "ended".to_owned(),
    }
}
