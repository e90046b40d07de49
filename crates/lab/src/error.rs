//! Why the lab did not do what was asked.

use std::io;
use std::path::PathBuf;

use crate::binaries::MissingProgram;
use crate::compose::{ComposeError, NoEngine};
use crate::journal::JournalError;
use crate::process::{PortError, ProcessError};
use crate::proxy::ProxyError;

/// Why an environment could not be started, broken or mended.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A parameter or setting is wrong; nothing was changed.
    #[error("{field}: {message}")]
    Invalid {
        /// Which.
        field: String,
        /// What is wrong with it and what would be right.
        message: String,
    },
    /// A program that the environment runs is missing; nothing was started.
    #[error(transparent)]
    MissingProgram(#[from] MissingProgram),
    /// The environment's folder cannot be used.
    #[error("cannot use {path}: {source}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another environment runs in this folder.
    #[error("an environment runs in {path} already; stop it, or use another folder")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Containers cannot be run here; nothing was started.
    #[error(transparent)]
    NoEngine(#[from] NoEngine),
    /// A container could not be handled.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A process could not be handled.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// No port could be had.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A proxy could not be started.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The undo journal cannot be used: nothing was broken.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A part of the system did not do what was asked of it.
    #[error("cannot {what}: {why}")]
    Asked {
        /// What was asked of which part.
        what: String,
        /// What came back.
        why: String,
    },
}

impl LabError {
    /// `field` is wrong, and `message` says what would be right.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A part of the system was asked to do `what`, and `why` came back.
    pub(crate) fn asked(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Asked { what: what.into(), why: why.to_string() }
    }
}
