//! One file being written: begun under a temporary name, ended under its own.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::recorder::retention::{file_stem, numbered};
use crate::recorder::ring::{Checkpoint, Line};
use crate::recorder::sink::Target;
use crate::recorder::writer::part_of;
use crate::recorder::{EndReason, Record, RecorderSettings};

/// Room for the last line: `{"record":"end","reason":"…"}`.
const END_BYTES: u64 = 64;
const BUFFER_BYTES: usize = 256 * 1024;
/// How many files of one incident there may be: it can be reopened, and the operator restarted.
const MOST_OF_ONE_INCIDENT: u32 = 1000;

pub(super) struct RecordingFile {
    out: BufWriter<File>,
    path: PathBuf,
    is_of_an_incident: bool,
    bytes: u64,
    cap: u64,
    full: bool,
    dead: Arc<AtomicBool>,
}

impl RecordingFile {
    /// Creates the file and writes what it begins with.
    pub(super) fn begin(
        target: &Target,
        dead: Arc<AtomicBool>,
        start: &Checkpoint,
        backlog: &[Line],
        settings: &RecorderSettings,
    ) -> io::Result<Self> {
        let header = header_line(start)?;
        let past = past_lines(start, settings);
        let (path, file) = create(target)?;
        let is_of_an_incident = matches!(target, Target::Incident { .. });
        let (out, cap) = (BufWriter::with_capacity(BUFFER_BYTES, file), settings.file_bytes);
        let mut file = Self { out, path, is_of_an_incident, bytes: 0, cap, full: false, dead };
        file.line(&header)?;
        for line in past.iter().rev() {
            file.line(line)?;
        }
        for line in backlog {
            file.line(line)?;
        }
        Ok(file)
    }

    /// Writes one line, unless the file is full; then it stays so.
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let after = self.bytes + line.len() as u64 + 1;
        self.full = self.full || after + END_BYTES > self.cap;
        if self.full {
            self.dead.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.bytes = after;
        let written = self.out.write_all(line).and_then(|()| self.out.write_all(b"\n"));
        self.told(written)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.told(flushed)
    }

    /// Writes the last line and gives the file its name.
    pub(super) fn end(mut self, reason: EndReason) -> io::Result<PathBuf> {
        self.dead.store(true, Ordering::Relaxed);
        let end = serde_json::to_vec(&Record::End { reason })?;
        self.out.write_all(&end)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        self.out.get_ref().sync_data()?;
        fs::rename(part_of(&self.path), &self.path).map_err(|error| about(&self.path, &error))?;
        Ok(self.path)
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn is_of_an_incident(&self) -> bool {
        self.is_of_an_incident
    }

    /// A file that failed once is not written any more: a line is missing.
    fn told(&self, result: io::Result<()>) -> io::Result<()> {
        result.map_err(|error| {
            self.dead.store(true, Ordering::Relaxed);
            about(&self.path, &error)
        })
    }
}

/// The first line. That it reads back as it is makes sure that the whole recording can be read.
fn header_line(start: &Checkpoint) -> io::Result<Vec<u8>> {
    let record = Record::Header(Box::new((*start.header).clone()));
    let line = serde_json::to_vec(&record)?;
    let reads_back = serde_json::from_slice::<Record>(&line).is_ok_and(|back| back == record);
    if reads_back { Ok(line) } else { Err(io::Error::other("what was open does not read back as it is")) }
}

/// What was remembered, newest first: as much of it as may be kept.
fn past_lines(start: &Checkpoint, settings: &RecorderSettings) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut bytes = 0;
    for observation in start.past.iter().rev() {
        let record = Record::Past { observation: (**observation).clone() };
        let Ok(line) = serde_json::to_vec(&record) else { break };
        bytes += line.len() as u64 + 1;
        if line.len() > settings.line_bytes || bytes > settings.ring_bytes {
            break;
        }
        lines.push(line);
    }
    lines
}

fn create(target: &Target) -> io::Result<(PathBuf, File)> {
    match target {
        Target::File(path) => Ok((path.clone(), create_part(path)?)),
        Target::Incident { directory, id } => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(|error| about(directory, &error))?;
            let stem = file_stem(id);
            for number in 1..=MOST_OF_ONE_INCIDENT {
                let path = directory.join(numbered(&stem, number));
                if path.symlink_metadata().is_ok() {
                    continue;
                }
                match create_part(&path) {
                    Ok(file) => return Ok((path, file)),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error),
                }
            }
            Err(io::Error::other(format!("{stem} has {MOST_OF_ONE_INCIDENT} recordings")))
        }
    }
}

fn create_part(path: &Path) -> io::Result<File> {
    let part = part_of(path);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(|error| about(&part, &error))
}

/// The error with the file it is about.
fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
