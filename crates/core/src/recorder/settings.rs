//! How much a recorder keeps.

use std::path::PathBuf;
use std::time::Duration;

/// How much a recorder keeps. The defaults suit a loop that ticks every five seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderSettings {
    /// Where a file is written around every incident; none is written without one.
    pub incidents: Option<PathBuf>,
    /// How long before an incident its file begins, at least, where the recorder has run that long. 15 min.
    pub lookback: Duration,
    /// How often a checkpoint is due, at least: a file can begin only at one. 1 min.
    pub checkpoint_every: Duration,
    /// How many bytes of recent records are kept in memory. 64 MiB.
    pub ring_bytes: u64,
    /// How many bytes wait for the disk at most; a recording that would wait longer ends. 64 MiB.
    pub queue_bytes: u64,
    /// The largest file. 256 MiB.
    pub file_bytes: u64,
    /// The largest record. 32 MiB.
    pub line_bytes: usize,
    /// How many files are written at once at most; further incidents go without. 16.
    pub open_files: usize,
    /// How many bytes of finished incident files are kept; the oldest go first. 2 GiB.
    pub keep_bytes: u64,
}

const MIB: u64 = 1024 * 1024;
/// See [`RecorderSettings::line_bytes`].
pub(super) const LINE_BYTES: usize = 32 * 1024 * 1024;

impl Default for RecorderSettings {
    fn default() -> Self {
        Self {
            incidents: None,
            lookback: Duration::from_secs(15 * 60),
            checkpoint_every: Duration::from_secs(60),
            ring_bytes: 64 * MIB,
            queue_bytes: 64 * MIB,
            file_bytes: 256 * MIB,
            line_bytes: LINE_BYTES,
            open_files: 16,
            keep_bytes: 2048 * MIB,
        }
    }
}
