//! The undo journal: how to take a fault back is on disk *before* the fault acts, so that nothing the lab broke stays
//! broken, whatever becomes of the lab.
//!
//! One JSON object a line, flushed to the disk one by one. An entry is open until a line says that its undo was done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A journal larger than this is not one: each entry is some hundred bytes, and a start compacts it.
const MAX_BYTES: u64 = 16 << 20;

/// An entry that is not undone yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEntry<U> {
    /// Its number in this journal.
    pub number: u64,
    /// What is about to be done, for people.
    pub what: String,
    /// How to take it back.
    pub undo: U,
}

/// The journal of one environment.
#[derive(Debug)]
pub struct Journal<U> {
    path: PathBuf,
    file: File,
    next: u64,
    open: Vec<OpenEntry<U>>,
}

/// Why the journal could not be used. Whoever cannot write an undo must not act.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It could not be read or written.
    #[error("cannot {what} the undo journal {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The journal's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not an entry.
    #[error("line {line} of the undo journal {path} cannot be read: {why}; look at it and remove the file by hand")]
    Corrupt {
        /// The journal's file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<U> {
    Begin(OpenEntry<U>),
    Done { number: u64 },
}

impl<U: Clone + Serialize + DeserializeOwned> Journal<U> {
    /// Opens a journal, or begins one; entries that an earlier run left open are in [`Journal::open_entries`].
    ///
    /// # Errors
    /// When it cannot be read or written, or a line other than a torn last one is not an entry.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let open = read(&path)?;
        let next = open.iter().map(|entry| entry.number + 1).max().unwrap_or(1);
        // Compacted into a new file that takes the old one's place whole: a crash leaves one or the other.
        let fresh = path.with_extension("new");
        let failed = |what| {
            let path = path.clone();
            move |source| JournalError::Io { what, path, source }
        };
        let mut file = File::create(&fresh).map_err(failed("write"))?;
        for entry in &open {
            append(&mut file, &Line::Begin(entry.clone())).map_err(failed("write"))?;
        }
        file.sync_all().map_err(failed("write"))?;
        fs::rename(&fresh, &path).map_err(failed("replace"))?;
        sync_folder(&path).map_err(failed("replace"))?;
        let file = OpenOptions::new().append(true).open(&path).map_err(failed("write"))?;
        Ok(Self { path, file, next, open })
    }

    /// Writes down how to take something back. Only then may it be done. The answer is the entry's number.
    ///
    /// # Errors
    /// When it is not on disk: then nothing may be done.
    pub fn begin(&mut self, what: impl Into<String>, undo: U) -> Result<u64, JournalError> {
        let entry = OpenEntry { number: self.next, what: what.into(), undo };
        self.write(&Line::Begin(entry.clone()))?;
        self.next += 1;
        self.open.push(entry);
        Ok(self.next - 1)
    }

    /// Writes down that an entry was undone, or never done.
    ///
    /// # Errors
    /// When it is not on disk: then it counts as open.
    pub fn done(&mut self, number: u64) -> Result<(), JournalError> {
        self.write(&Line::Done { number })?;
        self.open.retain(|entry| entry.number != number);
        Ok(())
    }

    /// What is not undone yet, oldest first.
    pub fn open_entries(&self) -> &[OpenEntry<U>] {
        &self.open
    }

    fn write(&mut self, line: &Line<U>) -> Result<(), JournalError> {
        append(&mut self.file, line).and_then(|()| self.file.sync_all()).map_err(|source| JournalError::Io {
            what: "write",
            path: self.path.clone(),
            source,
        })
    }
}

fn append<U: Serialize>(file: &mut File, line: &Line<U>) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn read<U: DeserializeOwned>(path: &Path) -> Result<Vec<OpenEntry<U>>, JournalError> {
    let mut text = String::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)),
    }
    .map_err(|source| JournalError::Io { what: "read", path: path.to_owned(), source })?;
    let mut open = Vec::<OpenEntry<U>>::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match serde_json::from_str(line) {
            Ok(Line::Begin(entry)) => open.push(entry),
            Ok(Line::Done { number }) => open.retain(|entry| entry.number != number),
            // A line that was being written at a crash: what it announced was never done.
            Err(_) if !line.ends_with('\n') => break,
            Err(error) => {
                let (path, why) = (path.to_owned(), error.to_string());
                return Err(JournalError::Corrupt { path, line: index + 1, why });
            }
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(folder: &Path) -> Journal<String> {
        Journal::open(folder.join("undo.jsonl")).expect("open")
    }

    #[test]
    fn what_was_not_undone_is_there_for_the_next_start() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut first = journal(folder.path());
        let one = first.begin("stop a", "start a".to_owned()).expect("begin");
        let two = first.begin("stop b", "start b".to_owned()).expect("begin");
        first.done(one).expect("done");
        drop(first);
        let mut second = journal(folder.path());
        assert_eq!(second.open_entries().iter().map(|e| e.undo.as_str()).collect::<Vec<_>>(), ["start b"]);
        assert!(second.begin("stop c", "start c".to_owned()).expect("begin") > two);
        second.done(two).expect("done");
        drop(second);
        assert_eq!(journal(folder.path()).open_entries().len(), 1);
    }

    #[test]
    fn a_torn_last_line_was_never_acted_on_and_any_other_is_an_error() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("undo.jsonl");
        journal(folder.path()).begin("stop a", "start a".to_owned()).expect("begin");
        let whole = fs::read_to_string(&path).expect("read");
        fs::write(&path, format!("{whole}{{\"begin\":{{\"numb")).expect("write");
        assert_eq!(journal(folder.path()).open_entries().len(), 1);
        fs::write(&path, format!("nonsense\n{whole}")).expect("write");
        let error = Journal::<String>::open(&path).expect_err("corrupt").to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
