//! What a process is declared to be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Readiness;

/// What to run, how to tell that it is ready, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSpec {
    /// Its name within the supervisor: lower-case letters, digits and dashes. Log files are named after it.
    pub name: String,
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment, but for `PATH`, `HOME`, `LANG`, `TZ` and `TMPDIR`, which are handed on. Nothing else of
    /// this process's environment reaches it: neither secrets nor stray settings.
    pub env: BTreeMap<String, String>,
    /// How to tell that it is ready.
    pub readiness: Readiness,
    /// How long it may take to become ready.
    pub start_timeout: Duration,
    /// How long it may take to end after `SIGTERM`, before `SIGKILL`.
    pub stop_grace: Duration,
}

impl ProcessSpec {
    /// `program` under the name `name`, without arguments or a readiness check; 10 s to start, 3 s to stop.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            readiness: Readiness::Running,
            start_timeout: Duration::from_secs(10),
            stop_grace: Duration::from_secs(3),
        }
    }

    /// With these arguments.
    #[must_use]
    pub fn args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// With this readiness check.
    #[must_use]
    pub fn ready_when(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }
}

/// Whether `name` can name a process and its log files.
pub(super) fn is_valid_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
