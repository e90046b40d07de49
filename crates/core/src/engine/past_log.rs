//! The observations of the last while, on disk: a loop that starts again still has a baseline and a lookback.
//!
//! Two files in turn, one JSON object a line. Nothing here is needed for safety: what cannot be read is left out, and
//! what cannot be written is said.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_protocols::{Observation, Timestamp};

/// The largest file: with two of them the disk is bounded whatever an observation weighs.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// The longest line that is read back.
const MOST_LINE: u64 = 32 * 1024 * 1024;

/// The observations of the last while.
#[derive(Debug)]
pub struct PastLog {
    current: PathBuf,
    previous: PathBuf,
    file: File,
    bytes: u64,
    began: Option<Timestamp>,
}

impl PastLog {
    /// The log of `subject` in `folder`, made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(folder: &Path, subject: &str) -> io::Result<Self> {
        let safe: String =
            subject.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect();
        let current = folder.join(format!("past-{safe}.jsonl"));
        let previous = folder.join(format!("past-{safe}.previous.jsonl"));
        let file = OpenOptions::new().create(true).append(true).open(&current)?;
        let bytes = file.metadata()?.len();
        Ok(Self { current, previous, file, bytes, began: None })
    }

    /// What is kept of `since` and later, oldest first. Lines that cannot be read are left out: the last one may be torn.
    pub fn read(&mut self, since: Timestamp) -> Vec<Observation> {
        let mut past = Vec::new();
        for path in [&self.previous, &self.current] {
            let Ok(file) = File::open(path) else { continue };
            let mut reader = BufReader::new(file);
            let mut line = Vec::new();
            loop {
                line.clear();
                match reader.by_ref().take(MOST_LINE).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
                if let Ok(observation) = serde_json::from_slice::<Observation>(&line) {
                    past.push(observation);
                }
            }
        }
        past.retain(|observation| observation.at >= since);
        past.sort_by_key(|observation| observation.at);
        // What stands there is as old as its oldest, so that it is rotated in time.
        self.began = past.first().map(|observation| observation.at);
        past
    }

    /// Adds an observation; the older file is forgotten when the newer one spans `keep`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, observation: &Observation, keep: Duration) -> io::Result<()> {
        let began = *self.began.get_or_insert(observation.at);
        if self.bytes > 0 && (observation.at.since(began) > keep || self.bytes >= MOST_BYTES) {
            std::fs::rename(&self.current, &self.previous)?;
            self.file = OpenOptions::new().create(true).append(true).open(&self.current)?;
            self.bytes = 0;
            self.began = Some(observation.at);
        }
        let mut line = serde_json::to_vec(observation)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Observation {
        Observation::new(Timestamp::from_millis(second * 1000))
    }

    #[test]
    fn the_last_while_is_there_again_and_no_more_than_twice_as_much_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let keep = Duration::from_secs(10);
        let mut log = PastLog::open(folder.path(), "a/../b").expect("a log");
        for second in 0..100 {
            log.append(&at(second), keep).expect("written");
        }
        drop(log);
        let mut log = PastLog::open(folder.path(), "a/../b").expect("a log");
        let past = log.read(Timestamp::from_millis(90_000));
        assert_eq!(past.len(), 10);
        let all = log.read(Timestamp::from_millis(0));
        assert!(all.len() <= 22, "{}", all.len());
    }

    #[test]
    fn a_torn_line_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = PastLog::open(folder.path(), "s").expect("a log");
        log.append(&at(1), Duration::from_secs(10)).expect("written");
        log.file.write_all(b"{\"at\": 2, \"compo").expect("written");
        drop(log);
        let mut log = PastLog::open(folder.path(), "s").expect("a log");
        assert_eq!(log.read(Timestamp::from_millis(0)).len(), 1);
    }
}
