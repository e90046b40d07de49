//! The one thread that starts every child.
//!
//! The kernel kills a guarded child when the *thread* that started it ends, so children must not be started by threads
//! of a runtime, which come and go. This one lives as long as the process.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::sync::oneshot;

/// A child that was just started, with a handle that can never come to mean another process.
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) pidfd: OwnedFd,
}

struct Job {
    command: Command,
    reply: oneshot::Sender<io::Result<Spawned>>,
}

static JOBS: Mutex<Option<mpsc::Sender<Job>>> = Mutex::new(None);

/// Starts `command` from the thread that lives as long as this process.
pub(super) async fn spawn(command: Command) -> io::Result<Spawned> {
    let (reply, answer) = oneshot::channel();
    jobs()?.send(Job { command, reply }).map_err(|_| io::Error::other("the thread that starts processes is gone"))?;
    answer.await.map_err(|_| io::Error::other("the thread that starts processes is gone"))?
}

fn jobs() -> io::Result<mpsc::Sender<Job>> {
    let mut jobs = JOBS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = &*jobs {
        return Ok(sender.clone());
    }
    let (sender, receiver) = mpsc::channel::<Job>();
    thread::Builder::new().name("spawner".to_owned()).spawn(move || {
        for mut job in receiver {
            let spawned = start(&mut job.command);
            if let Err(Ok(unclaimed)) = job.reply.send(spawned) {
                abandon(unclaimed.child);
            }
        }
    })?;
    *jobs = Some(sender.clone());
    Ok(sender)
}

fn start(command: &mut Command) -> io::Result<Spawned> {
    let child = command.spawn()?;
    // The child cannot be collected before this, so its pid still means it.
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    match pid.ok_or(rustix::io::Errno::SRCH).and_then(|pid| pidfd_open(pid, PidfdFlags::empty())) {
        Ok(pidfd) => Ok(Spawned { child, pidfd }),
        Err(error) => {
            abandon(child);
            Err(error.into())
        }
    }
}

/// Ends a child that nobody will handle.
fn abandon(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}
