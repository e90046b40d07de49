//! One file being recorded, as the loop's side sees it: the writer's side is another thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a sink's records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// To exactly this file.
    File(PathBuf),
    /// To a file of this directory that is named after the incident.
    Incident {
        /// The directory.
        directory: PathBuf,
        /// The incident's id.
        id: String,
    },
}

/// One file being recorded.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) number: u64,
    pub(super) target: Target,
    /// Whether it waits for a checkpoint to begin at.
    pub(super) waits: bool,
    /// Whether it ends before the next step.
    pub(super) ending: bool,
    /// Set by the writer when it took the file off: it failed, or is as large as it may be.
    pub(super) dead: Arc<AtomicBool>,
}

impl Sink {
    pub(super) fn new(number: u64, target: Target) -> Self {
        Self { number, target, waits: true, ending: false, dead: Arc::default() }
    }

    pub(super) fn is_of(&self, incident: &str) -> bool {
        matches!(&self.target, Target::Incident { id, .. } if id == incident)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }
}
