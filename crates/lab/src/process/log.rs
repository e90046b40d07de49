//! What a process said: two files for each, kept in the supervisor's folder, read from their end and never whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// A log larger than this is set aside at the next start of its process: 8 MiB, some hours of a chatty one.
const ROTATE_ABOVE: u64 = 8 << 20;

/// Which of a process's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The log file of one output of one process.
pub(super) fn path(folder: &Path, name: &str, stream: LogStream) -> PathBuf {
    folder.join(match stream {
        LogStream::Out => format!("{name}.out.log"),
        LogStream::Err => format!("{name}.err.log"),
    })
}

/// Opens a log for a new start of its process; with it, where that start's output begins.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > ROTATE_ABOVE) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// The last `max_bytes` of a log, whole lines only where it was cut; empty if there is no log yet.
pub(super) fn tail(path: &Path, max_bytes: u64) -> io::Result<String> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        other => other?,
    };
    let length = file.metadata()?.len();
    let from = length.saturating_sub(max_bytes);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(max_bytes).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match text.split_once('\n') {
        Some((_, whole_lines)) if from > 0 => whole_lines.to_owned(),
        _ => text.into_owned(),
    })
}

/// Reads a log from a place on, whole lines only, a bounded piece at a time.
#[derive(Debug)]
pub struct LogTail {
    path: PathBuf,
    offset: u64,
}

impl LogTail {
    /// At most so much is read at once; a single line that is longer is skipped.
    const PIECE: u64 = 64 << 10;

    pub(super) fn new(path: PathBuf, offset: u64) -> Self {
        Self { path, offset }
    }

    /// The lines written since the last call.
    ///
    /// # Errors
    /// When the file cannot be read; a file that is not there yet has no lines.
    pub fn new_lines(&mut self) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        if file.metadata()?.len() < self.offset {
            self.offset = 0;
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(Self::PIECE).read_to_end(&mut bytes)?;
        let end = match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(newline) => newline + 1,
            None if bytes.len() as u64 == Self::PIECE => {
                self.offset += Self::PIECE;
                return Ok(Vec::new());
            }
            None => return Ok(Vec::new()),
        };
        self.offset += end as u64;
        bytes.truncate(end);
        Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_tail_is_bounded_and_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = path(folder.path(), "x", LogStream::Out);
        assert_eq!(tail(&path, 10).expect("no log yet"), "");
        fs::write(&path, "first line\nsecond\nthird\n").expect("write");
        assert_eq!(tail(&path, 100).expect("read"), "first line\nsecond\nthird\n");
        assert_eq!(tail(&path, 15).expect("read"), "second\nthird\n");
    }

    #[test]
    fn lines_are_handed_out_once_and_only_when_complete() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = path(folder.path(), "x", LogStream::Out);
        let mut lines = LogTail::new(path.clone(), 0);
        assert!(lines.new_lines().expect("no file").is_empty());
        let (mut file, start) = open(&path).expect("open");
        assert_eq!(start, 0);
        write!(file, "one\ntwo\nthr").expect("write");
        assert_eq!(lines.new_lines().expect("read"), ["one", "two"]);
        assert!(lines.new_lines().expect("read").is_empty());
        writeln!(file, "ee").expect("write");
        assert_eq!(lines.new_lines().expect("read"), ["three"]);
    }

    #[test]
    fn a_line_without_end_is_skipped_in_pieces() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = path(folder.path(), "x", LogStream::Out);
        let mut text = "x".repeat(200_000);
        text.push_str("\nshort\n");
        fs::write(&path, text).expect("write");
        let mut lines = LogTail::new(path, 0);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.extend(lines.new_lines().expect("read"));
        }
        assert_eq!(seen.last().map(String::as_str), Some("short"));
        assert!(seen.iter().all(|line| line.len() < 70_000));
    }

    #[test]
    fn a_large_log_is_set_aside_at_the_next_start() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = path(folder.path(), "x", LogStream::Out);
        File::create(&path).and_then(|file| file.set_len(ROTATE_ABOVE + 1)).expect("large file");
        let (_, start) = open(&path).expect("open");
        assert_eq!(start, 0);
        assert!(folder.path().join("x.out.log.1").exists());
    }
}
