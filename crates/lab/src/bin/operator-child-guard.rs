//! Starts a program that dies with whoever started it.
//!
//! `operator-child-guard PARENT_PID PROGRAM [ARGS…]` asks the kernel to kill it when the thread that started it ends,
//! makes sure that its parent is still the one expected, and becomes the program. The request survives the `exec`, so
//! that it holds however the parent ends, also by `SIGKILL`, and also for a child that is stopped at that moment.

use std::env;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// What the shell answers for a command that cannot be run.
const CANNOT_RUN: u8 = 126;
/// The parent was gone before the guard was in place.
const PARENT_GONE: u8 = 125;
/// Wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let parent = args.next().and_then(|pid| pid.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let (Some(parent), Some(program)) = (parent, args.next()) else {
        return fail(USAGE, "usage: operator-child-guard PARENT_PID PROGRAM [ARGS…]");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return fail(CANNOT_RUN, &format!("operator-child-guard: the kernel grants no parent-death signal: {error}"));
    }
    // A parent that ended before the request above would never be noticed.
    if getppid() != Some(parent) {
        return fail(PARENT_GONE, "operator-child-guard: the parent is gone");
    }
    let error = Command::new(&program).args(args).exec();
    fail(CANNOT_RUN, &format!("operator-child-guard: cannot run {}: {error}", program.display()))
}

fn fail(code: u8, message: &str) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(code)
}
