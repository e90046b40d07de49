//! Results on disk, one JSON object a line, so that a campaign that was broken off goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::run_result::{RunKey, RunOutcome, RunResult};

/// The results of one campaign.
#[derive(Debug)]
pub struct ResultLog {
    path: PathBuf,
    file: File,
    results: BTreeMap<RunKey, RunResult>,
}

/// Why results could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ResultLogError {
    /// The file could not be read or written.
    #[error("cannot use the results {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no result.
    #[error("line {line} of {path} is no result: {why}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

impl ResultLog {
    /// Opens a campaign's results, or begins them. A torn last line, left by a crash, is cut off.
    ///
    /// # Errors
    /// When the file cannot be used, or any other line is no result.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ResultLogError> {
        let path = path.into();
        let failed = |source| ResultLogError::Io { path: path.clone(), source };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(failed)?,
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let results = read(&path, text.get(..whole).unwrap_or_default())?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        file.set_len(whole as u64).map_err(failed)?;
        Ok(Self { path, file, results })
    }

    /// Reads results that somebody else writes.
    ///
    /// # Errors
    /// As [`ResultLog::open`].
    pub fn read(path: &Path) -> Result<Vec<RunResult>, ResultLogError> {
        let text = fs::read_to_string(path).map_err(|source| ResultLogError::Io { path: path.to_owned(), source })?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        Ok(read(path, text.get(..whole).unwrap_or_default())?.into_values().collect())
    }

    /// The runs that need not be run again: those that can be judged.
    pub fn done(&self) -> BTreeSet<RunKey> {
        let finished = self.results.values().filter(|result| result.outcome == RunOutcome::Finished);
        finished.map(|result| result.key.clone()).collect()
    }

    /// Keeps one more result; a run that was repeated counts as it came out last.
    ///
    /// # Errors
    /// When it is not on disk.
    pub fn push(&mut self, result: RunResult) -> Result<(), ResultLogError> {
        let written = serde_json::to_vec(&result).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line)?;
            self.file.sync_data()
        });
        written.map_err(|source| ResultLogError::Io { path: self.path.clone(), source })?;
        self.results.insert(result.key.clone(), result);
        Ok(())
    }

    /// All of them, in the order of their keys.
    pub fn results(&self) -> impl Iterator<Item = &RunResult> {
        self.results.values()
    }
}

fn read(path: &Path, text: &str) -> Result<BTreeMap<RunKey, RunResult>, ResultLogError> {
    let mut results = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let result: RunResult = serde_json::from_str(line).map_err(|error| ResultLogError::Line {
            path: path.to_owned(),
            line: index + 1,
            why: error.to_string(),
        })?;
        results.insert(result.key.clone(), result);
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::result;
    use super::*;

    #[test]
    fn a_campaign_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("results.jsonl");
        let mut log = ResultLog::open(&path).expect("open");
        log.push(result("R1", 0)).expect("push");
        let mut invalid = result("R1", 1);
        invalid.outcome = RunOutcome::Invalid { why: "no port".to_owned() };
        log.push(invalid).expect("push");
        drop(log);
        let torn = fs::read_to_string(&path).expect("read") + "{\"scenario\":\"R1\",\"dia";
        fs::write(&path, torn).expect("write");

        let mut log = ResultLog::open(&path).expect("open again");
        assert_eq!(log.done(), BTreeSet::from([result("R1", 0).key]), "what says nothing is run again");
        log.push(result("R1", 1)).expect("push");
        drop(log);
        let log = ResultLog::open(&path).expect("open once more");
        assert_eq!(log.done().len(), 2);
        assert_eq!(log.results().cloned().collect::<Vec<_>>(), ResultLog::read(&path).expect("read"));
        assert_eq!(log.results().next(), Some(&result("R1", 0)));
    }

    #[test]
    fn a_line_that_is_no_result_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("results.jsonl");
        fs::write(&path, "{}\n").expect("write");
        assert!(ResultLog::open(&path).expect_err("no result").to_string().contains("line 1"));
    }
}
