//! Why a process could not be handled, and what that means to whoever asked through a driver.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use operator_protocols::DriverError;

/// Why the supervisor did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A name that cannot name a process. Nothing was changed.
    #[error("{name:?} cannot name a process: 1 to 64 lower-case letters, digits and dashes, no dash first")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// No process is declared under this name. Nothing was changed.
    #[error("no process is called {name:?}; declared are: {known}")]
    NoSuchProcess {
        /// The name.
        name: String,
        /// The declared names.
        known: String,
    },
    /// The process is another start than the one named. Nothing was changed.
    #[error("{name} is {}, not incarnation {expected}", actual.as_deref().map_or("not running".to_owned(), |a| format!("incarnation {a}")))]
    Incarnation {
        /// The process.
        name: String,
        /// The incarnation named.
        expected: String,
        /// The incarnation that runs, if any.
        actual: Option<String>,
    },
    /// It was started since the start that was named, and has ended again. Nothing was changed.
    #[error("{name} does not run, and its last start is {}, not {}", start(actual), start(expected))]
    StartedSince {
        /// The process.
        name: String,
        /// The start named, if any.
        expected: Option<String>,
        /// Its last start, if any.
        actual: Option<String>,
    },
    /// Only a running process can be signalled. Nothing was changed.
    #[error("{name} is not running")]
    NotRunning {
        /// The process.
        name: String,
    },
    /// The supervisor's folder could not be made. Nothing was started.
    #[error("cannot use the folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program could not be started. Nothing runs.
    #[error("cannot start {name} ({program}): {source}")]
    Spawn {
        /// The process.
        name: String,
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ended before it was ready. Nothing runs.
    #[error("{name} ended before it was ready ({exit}); it last said: {said}")]
    EndedBeforeReady {
        /// The process.
        name: String,
        /// How it ended.
        exit: String,
        /// The end of its output.
        said: String,
    },
    /// It runs, but was not ready in time.
    #[error("{name} runs as {incarnation}, but was not ready ({check}) within {within:?}; it last said: {said}")]
    NotReady {
        /// The process.
        name: String,
        /// The start that runs.
        incarnation: String,
        /// What was waited for.
        check: String,
        /// How long.
        within: Duration,
        /// The end of its output.
        said: String,
    },
    /// A signal could not be sent.
    #[error("cannot signal {name}: {source}")]
    Signal {
        /// The process.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It was killed, but is still there: it hangs in the kernel.
    #[error("{name} was killed, but is still there after {within:?}")]
    WouldNotDie {
        /// The process.
        name: String,
        /// How long was waited.
        within: Duration,
    },
    /// Its log could not be read.
    #[error("cannot read {path}: {source}")]
    Log {
        /// The log file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn start(incarnation: &Option<String>) -> &str {
    incarnation.as_deref().unwrap_or("none")
}

impl ProcessError {
    /// What this means to whoever asked through a driver. `changed` says that something was already done before.
    pub(super) fn into_driver_error(self, changed: bool) -> DriverError {
        if changed {
            return DriverError::Unknown(format!("it was stopped, then: {self}"));
        }
        match self {
            Self::NoSuchProcess { name, .. } => DriverError::NoSuchComponent(name),
            Self::Incarnation { expected, actual, .. } => DriverError::Incarnation { expected, actual },
            Self::StartedSince { expected, actual, .. } => DriverError::StartedSince { expected, actual },
            error @ (Self::NotReady { .. } | Self::WouldNotDie { .. }) => DriverError::Unknown(error.to_string()),
            error => DriverError::Refused(error.to_string()),
        }
    }
}
