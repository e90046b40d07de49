//! What the kernel says of a process: which start of it this is, and whether it is stopped.

use std::fs;

/// The facts of `/proc/PID/stat` that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProcStat {
    /// `R`, `S`, `D`, `T` (stopped), `Z` (ended, not yet collected) …
    pub(super) state: char,
    /// When it started, in clock ticks since the machine did: with the pid, it names this start of it.
    pub(super) start_ticks: u64,
}

/// Reads them; `None` when there is no such process.
pub(super) fn read(pid: u32) -> Option<ProcStat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether every thread of a process is stopped: the signal reaches them one by one, and one that still runs may
/// answer a request.
pub(super) fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let mut states = threads.filter_map(|thread| parse(&fs::read_to_string(thread.ok()?.path().join("stat")).ok()?));
    let first = states.next();
    first.into_iter().chain(states).all(|stat| stat.state == 'T') && first.is_some()
}

fn parse(text: &str) -> Option<ProcStat> {
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // The start time is field 22 of proc_pid_stat(5); the state is field 3.
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some(ProcStat { state, start_ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let text = "42 (a) b (c)) T 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2 3";
        assert_eq!(parse(text), Some(ProcStat { state: 'T', start_ticks: 98765 }));
    }

    #[test]
    fn this_process_runs_and_nonsense_is_no_process() {
        assert!(read(std::process::id()).is_some_and(|stat| stat.start_ticks > 0));
        assert_eq!(parse("42 (x"), None);
        assert_eq!(parse("42 (x) R 1"), None);
    }
}
