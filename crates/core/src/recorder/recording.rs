//! Reads a recording. Whatever is in the file, the answer is a recording or an error that names the line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use operator_protocols::{Observation, PROTOCOL_VERSION};
use serde::Deserialize;

use crate::recorder::{EndReason, FORMAT, Header, Record};

/// A recording, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    pub(super) header: Header,
    pub(super) past: Vec<Arc<Observation>>,
    pub(super) records: VecDeque<(usize, Record)>,
    unfinished: Vec<(usize, Record)>,
    end: Option<EndReason>,
}

/// How much is read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// The largest file, in bytes. 512 MiB: twice what the recorder writes.
    pub file_bytes: u64,
    /// The longest line, in bytes. 64 MiB: twice what the recorder writes.
    pub line_bytes: usize,
    /// The most lines. 2,000,000.
    pub lines: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { file_bytes: 512 * 1024 * 1024, line_bytes: 2 * super::settings::LINE_BYTES, lines: 2_000_000 }
    }
}

/// Why a file is not a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is larger than what is read.
    #[error("the recording has more than {most} {unit}")]
    TooLarge {
        /// The most.
        most: u64,
        /// Of what.
        unit: &'static str,
    },
    /// It was written by a newer operator.
    #[error("the recording has {what} {found}, this operator reads up to {known}: use the newer operator")]
    Newer {
        /// Of what the version is.
        what: &'static str,
        /// The version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// A line is wrong.
    #[error("line {line} of the recording: {why}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// The part of a first line that every version of the format has.
#[derive(Deserialize)]
struct FirstLine {
    record: String,
    format: u32,
    protocol_version: u32,
}

impl Recording {
    /// Reads the recording in the file `path`, within the default limits.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or a line of it is wrong.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let failed = |source| RecordingError::Io { path: path.to_owned(), source };
        let limits = ReadLimits::default();
        // A pipe or a device would be waited for.
        let metadata = path.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
        }
        let file = File::open(path).map_err(failed)?;
        Self::parse(BufReader::with_capacity(256 * 1024, file), limits).map_err(|error| match error {
            RecordingError::Io { source, .. } => failed(source),
            error => error,
        })
    }

    /// Reads a recording from `input`.
    ///
    /// # Errors
    /// When the input fails, is more than the limits allow, or a line of it is wrong.
    pub fn parse(input: impl BufRead, limits: ReadLimits) -> Result<Self, RecordingError> {
        let mut lines = Lines { input: input.take(limits.file_bytes.saturating_add(1)), limits, line: 0 };
        let Some(first) = lines.next()? else {
            return Err(wrong(1, "expected a header; there is no whole line"));
        };
        let mut recording = Self::begin(&first)?;
        while let Some(text) = lines.next()? {
            recording.take(lines.line, &text)?;
        }
        if !recording.end.is_some_and(EndReason::between_cycles) {
            recording.set_last_step_aside();
        }
        Ok(recording)
    }

    /// What the recorded loop started from.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the recorded loop remembered when the recording began, oldest first.
    pub fn past(&self) -> &[Arc<Observation>] {
        &self.past
    }

    /// What came in, with the lines it stands in, from 1.
    pub fn records(&self) -> impl Iterator<Item = (usize, &Record)> {
        self.records.iter().map(|(line, record)| (*line, record))
    }

    /// Why it ends; `None` if it was cut off.
    pub fn end(&self) -> Option<EndReason> {
        self.end
    }

    /// How many records of a last step that may be incomplete were set aside.
    pub fn unfinished(&self) -> usize {
        self.unfinished.len()
    }

    /// Takes a last step that may be incomplete in again: to find out what a process did that died within it.
    pub fn keep_unfinished(&mut self) {
        self.records.extend(self.unfinished.drain(..));
    }

    fn begin(text: &[u8]) -> Result<Self, RecordingError> {
        let first: FirstLine = parse(1, text)
            .map_err(|error| wrong(1, &format!("expected a header, which it is not: {}", said(&error))))?;
        if first.record != "header" {
            return Err(wrong(1, "expected a header"));
        }
        for (what, found, known) in
            [("format", first.format, FORMAT), ("protocol version", first.protocol_version, PROTOCOL_VERSION)]
        {
            if found > known {
                return Err(RecordingError::Newer { what, found, known });
            }
        }
        match parse(1, text)? {
            Record::Header(header) => {
                let (past, records, unfinished) = Default::default();
                Ok(Self { header: *header, past, records, unfinished, end: None })
            }
            _ => Err(wrong(1, "expected a header")),
        }
    }

    fn take(&mut self, line: usize, text: &[u8]) -> Result<(), RecordingError> {
        if self.end.is_some() {
            return Err(wrong(line, "expected nothing after the end"));
        }
        match parse(line, text)? {
            Record::Header(_) => return Err(wrong(line, "expected only one header")),
            Record::Past { .. } if !self.records.is_empty() => {
                return Err(wrong(line, "expected no past after the first tick, command or answer"));
            }
            Record::Past { observation } => self.past.push(Arc::new(observation)),
            Record::End { reason } => self.end = Some(reason),
            record => self.records.push_back((line, record)),
        }
        Ok(())
    }

    fn set_last_step_aside(&mut self) {
        let last = self.records.iter().rposition(|(_, record)| record.step_at().is_some()).unwrap_or(0);
        self.unfinished = self.records.split_off(last).into();
    }
}

/// The lines of an input, within limits.
struct Lines<R> {
    input: io::Take<R>,
    limits: ReadLimits,
    /// The number of the line returned last.
    line: usize,
}

impl<R: BufRead> Lines<R> {
    /// The next whole line. What follows the last line break is not one: it was cut off.
    fn next(&mut self) -> Result<Option<Vec<u8>>, RecordingError> {
        let mut text = Vec::new();
        let most = self.limits.line_bytes as u64 + 2;
        let read = (&mut self.input).take(most).read_until(b'\n', &mut text);
        read.map_err(|source| RecordingError::Io { path: PathBuf::new(), source })?;
        if self.input.limit() == 0 {
            return Err(RecordingError::TooLarge { most: self.limits.file_bytes, unit: "bytes" });
        }
        let whole = text.pop_if(|byte| *byte == b'\n').is_some();
        if text.len() > self.limits.line_bytes {
            return Err(wrong(self.line + 1, &format!("it has more than {} bytes", self.limits.line_bytes)));
        }
        if !whole {
            return Ok(None);
        }
        self.line += 1;
        if self.line > self.limits.lines {
            return Err(RecordingError::TooLarge { most: self.limits.lines as u64, unit: "lines" });
        }
        Ok(Some(text))
    }
}

fn parse<'a, T: Deserialize<'a>>(line: usize, text: &'a [u8]) -> Result<T, RecordingError> {
    serde_json::from_slice(text).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = text.strip_suffix(&place).unwrap_or(&text);
        wrong(line, &format!("{what}, at byte {}", error.column()))
    })
}

/// What is wrong, without the line: what a serializer says may quote the file.
fn said(error: &RecordingError) -> String {
    match error {
        RecordingError::Line { why, .. } => why.clone(),
        error => error.to_string(),
    }
}

fn wrong(line: usize, why: &str) -> RecordingError {
    let shown = why.chars().map(|c| if c.is_control() { ' ' } else { c });
    RecordingError::Line { line, why: shown.take(300).collect() }
}
