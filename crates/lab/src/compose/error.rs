//! Why something could not be done through docker, and what that means to whoever asked through a driver.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use operator_protocols::DriverError;

/// Why the container engine did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The program could not be run. Nothing was changed.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It said no.
    #[error("{what} failed: {said}")]
    Failed {
        /// The command.
        what: String,
        /// The end of what it said.
        said: String,
    },
    /// It did not end in time and was ended; what it began may be done.
    #[error("{what} did not end within {within:?}")]
    TimedOut {
        /// The command.
        what: String,
        /// How long was waited.
        within: Duration,
    },
    /// What it said cannot be understood.
    #[error("what {what} said cannot be understood: {why}")]
    Answer {
        /// The command.
        what: String,
        /// Why.
        why: String,
    },
    /// The project has no container of this service. Nothing was changed.
    #[error("there is no container of {service}; there are: {known}")]
    NoContainer {
        /// The service.
        service: String,
        /// Those that have one.
        known: String,
    },
    /// The container does not run. Nothing was changed.
    #[error("{service} is not running")]
    NotRunning {
        /// The service.
        service: String,
    },
    /// Images are missing and cannot be pulled. Nothing was started.
    #[error(
        "these images are not on this machine: {}; the first cannot be pulled ({why}); \
         pull them where their registry can be reached, or bring them with `docker save` and `docker load`",
        images.join(", ")
    )]
    MissingImages {
        /// Their names.
        images: Vec<String>,
        /// Why the first of them cannot be pulled.
        why: String,
    },
    /// A file of the project cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ComposeError {
    /// Whether a published port was taken by somebody else meanwhile.
    pub(super) fn is_port_taken(&self) -> bool {
        let Self::Failed { said, .. } = self else { return false };
        ["port is already allocated", "address already in use"].iter().any(|sign| said.contains(sign))
    }

    /// What this means to whoever asked through a driver. `changed` says that something was already done before.
    pub(super) fn into_driver_error(self, changed: bool) -> DriverError {
        if changed {
            return DriverError::Unknown(format!("it was stopped, then: {self}"));
        }
        match self {
            error @ (Self::TimedOut { .. } | Self::Failed { .. } | Self::Answer { .. }) => {
                DriverError::Unknown(error.to_string())
            }
            error => DriverError::Refused(error.to_string()),
        }
    }
}
