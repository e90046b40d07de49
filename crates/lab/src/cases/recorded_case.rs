//! One case on disk.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use operator_protocols::ActionDefinition;
use operator_reasoner::EvidencePack;
use serde::{Deserialize, Serialize};

use super::StoredLooks;
use crate::scenario::Truth;

/// The form that is written; no other is read.
const FORMAT: u32 = 1;
/// The largest case that is read, in bytes, unpacked.
const CASE_BYTES: u64 = 32 << 20;
/// From this size on a case is written packed, in bytes.
const PACKED_FROM: usize = 64 << 10;

/// One case: everything that a diagnoser is given, and what is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCase {
    /// The form of the file.
    pub format: u32,
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// What it is counted with.
    pub group: String,
    /// Where it is from, for people.
    pub origin: String,
    /// What is true.
    pub truth: Truth,
    /// What the subject offers to do.
    pub actions: Vec<ActionDefinition>,
    /// The evidence.
    pub pack: EvidencePack,
    /// What can be looked at beyond it.
    pub looks: StoredLooks,
}

/// Why a case cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file or folder cannot be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is in it is no case.
    #[error("{path} is no case: {why}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl RecordedCase {
    /// A case of the form that is written now. Whatever cannot stand in a file's name becomes `_`.
    pub fn new(
        id: &str,
        group: &str,
        origin: String,
        truth: Truth,
        actions: Vec<ActionDefinition>,
        pack: EvidencePack,
        looks: StoredLooks,
    ) -> Self {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let id = id.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
        Self { format: FORMAT, id, group: group.to_owned(), origin, truth, actions, pack, looks }
    }

    /// Writes it into a folder, in place of one of the same name.
    ///
    /// # Errors
    /// When it is not on disk.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, CaseError> {
        let text = serde_json::to_vec(self)
            .map_err(|error| CaseError::Wrong { path: folder.join(&self.id), why: error.to_string() })?;
        let packed = text.len() >= PACKED_FROM;
        let path = folder.join(format!("{}.json{}", self.id, if packed { ".gz" } else { "" }));
        let failed = |source| CaseError::Io { path: path.clone(), source };
        let unfinished = path.with_extension("part");
        let mut file = File::create(&unfinished).map_err(failed)?;
        if packed {
            let mut encoder = GzEncoder::new(&mut file, Compression::best());
            encoder.write_all(&text).and_then(|()| encoder.finish().map(drop)).map_err(failed)?;
        } else {
            file.write_all(&text).map_err(failed)?;
        }
        fs::rename(&unfinished, &path).map_err(failed)?;
        Ok(path)
    }

    /// Reads one, packed or not.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is no case.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let failed = |source| CaseError::Io { path: path.to_owned(), source };
        let wrong = |why: String| CaseError::Wrong { path: path.to_owned(), why };
        let file = File::open(path).map_err(failed)?;
        let mut text = Vec::new();
        if path.extension().is_some_and(|extension| extension == "gz") {
            GzDecoder::new(file).take(CASE_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
        } else {
            file.take(CASE_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
        }
        if text.len() as u64 > CASE_BYTES {
            return Err(wrong(format!("it is larger than {CASE_BYTES} bytes")));
        }
        let case: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if case.format != FORMAT {
            return Err(wrong(format!("format: expected {FORMAT}, not {}", case.format)));
        }
        Ok(case)
    }
}

/// Every case of a folder, in the order of their names.
///
/// # Errors
/// When the folder or a case in it cannot be read, or there is none.
pub fn read_cases(folder: &Path) -> Result<Vec<RecordedCase>, CaseError> {
    let failed = |source| CaseError::Io { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".json") || name.ends_with(".json.gz") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(CaseError::Wrong {
            path: folder.to_owned(),
            why: "there is no *.json or *.json.gz in it".to_owned(),
        });
    }
    paths.iter().map(|path| RecordedCase::read(path)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use operator_protocols::{Component, ComponentState, FaultClass, Id, Locus, SignalRole, Timestamp, Worse};
    use operator_reasoner::{EvidenceId, EvidenceItem, EvidenceKind};

    use super::*;
    use crate::scenario::{HypothesisTruth, Pattern};

    /// A case of two components, one of which is slow.
    pub(crate) fn case(id: &str) -> RecordedCase {
        let at = Timestamp::from_millis(60_000);
        let component = |name: &str| Component {
            id: Id::new("s", name),
            kind: "service".to_owned(),
            address: None,
            state: ComponentState::Up,
            raw_state: "up".to_owned(),
            version: None,
            labels: BTreeMap::new(),
        };
        let item = EvidenceItem {
            id: EvidenceId::nth(1),
            at,
            on: Locus::component("s", "store-2"),
            statement: "latency_p99 went from 21 ms to 655.4 ms".to_owned(),
            kind: EvidenceKind::Deviation {
                signal: "latency_p99".to_owned(),
                role: SignalRole::Latency,
                unit: "ms".to_owned(),
                worse: Worse::Higher,
                baseline: 21.0,
                value: 655.4,
                deviation: 41.2,
            },
        };
        let other = EvidenceItem {
            id: EvidenceId::nth(2),
            at,
            on: Locus::component("s", "front-1"),
            statement: "answers".to_owned(),
            kind: EvidenceKind::Healthy {
                what: "state".to_owned(),
                severity: None,
                up: true,
                roles: vec![SignalRole::Availability],
            },
        };
        let pack = EvidencePack {
            subject: "s".to_owned(),
            incident: "I1".to_owned(),
            built_at: at,
            from: Timestamp::from_millis(0),
            observations: 12,
            onset: at,
            tickets: Vec::new(),
            items: vec![item, other],
            components: vec![component("front-1"), component("store-2")],
            dependencies: Vec::new(),
            invariants: Vec::new(),
        };
        let truth = Truth {
            ticket: true,
            standing: Vec::new(),
            invariants: Vec::new(),
            hypotheses: vec![HypothesisTruth {
                locus: Pattern::new("component:store-2"),
                classes: vec![FaultClass::ComponentSlow],
            }],
            actions: Vec::new(),
            harmful: Vec::new(),
            traps: Vec::new(),
        };
        RecordedCase::new(id, "test", "made up".to_owned(), truth, Vec::new(), pack, StoredLooks::default())
    }

    #[test]
    fn a_case_is_read_as_it_was_written_packed_or_not() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let small = case("b/1");
        let mut large = case("a-2");
        large.pack.items[0].statement = "x".repeat(PACKED_FROM);
        assert!(small.write(folder.path()).expect("write").ends_with("b_1.json"));
        assert!(large.write(folder.path()).expect("write").ends_with("a-2.json.gz"));
        assert_eq!(read_cases(folder.path()).expect("read"), [large, small]);
    }

    #[test]
    fn what_is_no_case_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert!(read_cases(folder.path()).expect_err("none").to_string().contains("no *.json"));
        let mut later = case("later");
        later.format = 2;
        later.write(folder.path()).expect("write");
        let error = read_cases(folder.path()).expect_err("another form").to_string();
        assert!(error.contains("later.json") && error.contains("format"), "{error}");
    }
}
