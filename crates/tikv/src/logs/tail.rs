//! The ends of log files: what was written since the last look, through rotation, within bounds.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use operator_protocols::{Id, LogLevel, LogLine, Timestamp, Unavailable};

use super::Entry;
use super::entry::cut;

/// Bytes of one file that are read in one look; of more, the last.
const MAX_BYTES: u64 = 256 << 10;
/// Bytes of a line that is not finished yet which are kept for the next look.
const MAX_UNFINISHED: usize = 64 << 10;
/// Lines of one file in one look; of more, the gravest, and among those the last.
const MAX_LINES: usize = 100;

/// A file, and who writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    /// Who writes it: the name of a store's component or of a member.
    pub(crate) component: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// The ends of several files.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogTails {
    tails: Arc<Mutex<Vec<Tail>>>,
}

impl LogTails {
    /// The tails of `files` of `subject`. What is in them already is not read. Of less grave lines than `least` none is
    /// kept.
    pub(crate) fn new(subject: &str, files: &[LogFile], least: LogLevel) -> Self {
        let tails = files.iter().map(|file| Tail::at_end(Id::new(subject, &file.component), &file.path, least));
        Self { tails: Arc::new(Mutex::new(tails.collect())) }
    }

    /// What was written since the last look at `at`, and what could not be read.
    pub(crate) async fn look(&self, at: Timestamp) -> (Vec<LogLine>, Vec<Unavailable>) {
        let tails = Arc::clone(&self.tails);
        let looked = tokio::task::spawn_blocking(move || {
            let (mut lines, mut unavailable) = (Vec::new(), Vec::new());
            for tail in tails.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
                tail.look(at, &mut lines, &mut unavailable);
            }
            (lines, unavailable)
        });
        looked.await.unwrap_or_else(|error| (Vec::new(), vec![Unavailable::new("logs", error.to_string())]))
    }
}

/// The end of one file.
#[derive(Debug)]
struct Tail {
    component: Id,
    path: PathBuf,
    least: LogLevel,
    /// The file as it was opened: after a rotation it still holds what was written before.
    open: Option<Opened>,
    unfinished: Vec<u8>,
    /// When and how gravely the last entry was written: lines that are none belong to it.
    last: Option<(Timestamp, LogLevel)>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    position: u64,
}

impl Tail {
    fn at_end(component: Id, path: &Path, least: LogLevel) -> Self {
        let open = open_file(path).and_then(|mut file| {
            let position = file.seek(SeekFrom::End(0))?;
            Ok(Opened { file, position })
        });
        let path = path.to_owned();
        Self { component, path, least, open: open.ok(), unfinished: Vec::new(), last: None }
    }

    fn look(&mut self, at: Timestamp, lines: &mut Vec<LogLine>, unavailable: &mut Vec<Unavailable>) {
        let mut skipped = 0;
        let mut found = Vec::new();
        if let Err(error) = self.read_on(at, &mut found, &mut skipped) {
            unavailable.push(Unavailable::new(self.what(), format!("{}: {error}", self.path.display())));
        }
        found.retain(|line| line.level >= self.least);
        let too_many = found.len().saturating_sub(MAX_LINES);
        if too_many > 0 {
            keep_gravest(&mut found);
        }
        if skipped > 0 || too_many > 0 {
            let why = format!("too much was written at once: {skipped} bytes and {too_many} lines were left out");
            unavailable.push(Unavailable::new(self.what(), why));
        }
        lines.append(&mut found);
    }

    fn what(&self) -> String {
        format!("the log of {}", self.component)
    }

    /// Reads on in the open file, and in the one that took its place.
    fn read_on(&mut self, at: Timestamp, found: &mut Vec<LogLine>, skipped: &mut u64) -> std::io::Result<()> {
        if let Some(mut open) = self.open.take() {
            self.read_rest(&mut open, at, found, skipped)?;
            self.open = Some(open);
        }
        let current = match open_file(&self.path) {
            Ok(file) => file,
            // Between the two steps of a rotation there is none.
            Err(error) if error.kind() == ErrorKind::NotFound && self.open.is_some() => return Ok(()),
            Err(error) => return Err(error),
        };
        let is_same = match &self.open {
            Some(open) => same_file(&open.file, &current)?,
            None => false,
        };
        if !is_same {
            self.finish(at, found);
            let mut open = Opened { file: current, position: 0 };
            self.read_rest(&mut open, at, found, skipped)?;
            self.open = Some(open);
        }
        Ok(())
    }

    fn read_rest(
        &mut self,
        open: &mut Opened,
        at: Timestamp,
        found: &mut Vec<LogLine>,
        skipped: &mut u64,
    ) -> std::io::Result<()> {
        let length = open.file.metadata()?.len();
        if length < open.position {
            // It was emptied and is written anew.
            self.finish(at, found);
            open.position = 0;
        }
        let unread = length - open.position;
        let mut mid_line = false;
        if unread > MAX_BYTES {
            *skipped += unread - MAX_BYTES;
            open.position = length - MAX_BYTES;
            self.unfinished.clear();
            self.last = None;
            mid_line = true;
        }
        open.file.seek(SeekFrom::Start(open.position))?;
        let mut bytes = Vec::new();
        open.position += (&open.file).take(MAX_BYTES).read_to_end(&mut bytes)? as u64;
        let mut rest = &bytes[..];
        if mid_line {
            rest = rest.iter().position(|&byte| byte == b'\n').map_or(&[][..], |end| &rest[end + 1..]);
        }
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.keep(&rest[..end]);
            self.finish(at, found);
            rest = &rest[end + 1..];
        }
        self.keep(rest);
        Ok(())
    }

    /// Puts bytes to the line that is not finished.
    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_UNFINISHED.saturating_sub(self.unfinished.len());
        self.unfinished.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Takes the line as finished.
    fn finish(&mut self, at: Timestamp, found: &mut Vec<LogLine>) {
        let bytes = std::mem::take(&mut self.unfinished);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let line = |at, level, message| LogLine { at, component: self.component.clone(), level, message };
        if let Some(entry) = Entry::read(text) {
            self.last = Some((entry.at, entry.level));
            found.push(line(entry.at, entry.level, entry.text()));
            return;
        }
        match (self.last, found.last_mut()) {
            // What follows an entry and is none, a backtrace say, is a part of it.
            (Some((last_at, level)), Some(before)) if before.at == last_at && before.level == level => {
                if before.message.len() < super::entry::MAX_TEXT {
                    before.message = cut(&format!("{}\n{text}", before.message));
                }
            }
            (Some((last_at, level)), _) => found.push(line(last_at, level, cut(text))),
            // Nobody can tell how grave it is.
            (None, _) => found.push(line(at, LogLevel::Info, cut(text))),
        }
    }
}

/// Opens a file; nothing else, for opening a pipe waits until somebody writes into it.
fn open_file(path: &Path) -> std::io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(std::io::Error::new(ErrorKind::InvalidInput, "it is not a file"))
    }
}

/// Leaves [`MAX_LINES`] of the lines, in their order.
fn keep_gravest(lines: &mut Vec<LogLine>) {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse((lines[index].level, index)));
    order.truncate(MAX_LINES);
    let mut index = 0;
    lines.retain(|_| {
        index += 1;
        order.contains(&(index - 1))
    });
}

#[cfg(unix)]
fn same_file(one: &File, other: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Where files have no number of their own, the time of creation tells them apart.
#[cfg(not(unix))]
fn same_file(one: &File, other: &File) -> std::io::Result<bool> {
    Ok(one.metadata()?.created()? == other.metadata()?.created()?)
}

#[cfg(test)]
mod tests;
