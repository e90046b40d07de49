//! The kill switch as files in the state directory: it works with the database broken and with the operator down.
//!
//! `kill-switch` stops everything, `kill-switch.NAME` the subject of that name; that the file *exists* is what engages,
//! so `touch` is enough. Who, when and why stand in it as JSON, where this module wrote it.
//!
//! `kill-switch-lock` is what makes an acknowledgement true: a claim holds it shared from its check to its commit,
//! whoever engages takes it exclusively after the file is there. Whatever looked before has then committed, and whatever
//! looks afterwards finds the file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::sqlite::file_name::{decode, encode};
use crate::store::sqlite::trouble::unavailable;
use crate::store::{KillScope, KillState, StoreError};

/// How long a claim waits for somebody who is changing a file, which takes milliseconds.
const CLAIM_PATIENCE: Duration = Duration::from_secs(1);

/// How long engaging waits for a claim under way: longer than a claim may wait for the database.
const ENGAGE_PATIENCE: Duration = Duration::from_secs(8);

/// How often a lock is tried.
const RETRY: Duration = Duration::from_millis(1);

/// The most that is read of a file.
const MAX_FILE: u64 = 64 * 1024;

/// What stands in a file. A file made by hand has none of it.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    scope: KillScope,
    by: String,
    reason: String,
    at: Timestamp,
}

/// A claim's share in the lock: while it is held, nobody can acknowledge a kill.
#[derive(Debug)]
pub(super) struct ClaimGuard {
    _file: File,
}

/// Where the file of `scope` is.
pub fn file_path(state_dir: &Path, scope: &KillScope) -> PathBuf {
    match scope {
        KillScope::Global => state_dir.join("kill-switch"),
        KillScope::Subject(name) => state_dir.join(format!("kill-switch.{}", encode(name))),
    }
}

/// Engages by file alone. When this returns, no claim of any process of this host commits within `scope`, until the
/// file is removed.
///
/// # Errors
/// [`StoreError::Unavailable`] when the file could not be written, or, with the file written, when a claim under way
/// did not end in time: the message says which.
pub fn engage_by_file(
    state_dir: &Path,
    scope: &KillScope,
    by: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let path = file_path(state_dir, scope);
    let failed = |error: io::Error| unavailable(format!("engage the kill switch by {}", path.display()), error);
    let note = Note { scope: scope.clone(), by: by.to_owned(), reason: reason.to_owned(), at: now };
    let text = serde_json::to_string(&note).map_err(|error| failed(error.into()))?;
    // First that it exists: from here on claims refuse, so that the lock becomes free.
    write_file(state_dir, &path, &text).map_err(failed)?;
    let waiting = format!(
        "be sure that no claim is under way: {} is written and holds for every later claim, but the lock",
        path.display()
    );
    let _exclusive = take_lock(state_dir, File::try_lock, ENGAGE_PATIENCE)
        .map_err(|error| unavailable(format!("{waiting} could not be had"), error))?;
    // Somebody may have released in between.
    if !path.exists() {
        write_file(state_dir, &path, &text).map_err(failed)?;
    }
    Ok(())
}

/// Releases by file alone; what the database says stays. The answer is whether there was a file.
///
/// # Errors
/// [`StoreError::Unavailable`] when the file could not be removed.
pub fn release_by_file(state_dir: &Path, scope: &KillScope) -> Result<bool, StoreError> {
    let path = file_path(state_dir, scope);
    let failed = |error: io::Error| unavailable(format!("release the kill switch: remove {}", path.display()), error);
    if !path.try_exists().map_err(failed)? {
        return Ok(false);
    }
    let _exclusive = take_lock(state_dir, File::try_lock, ENGAGE_PATIENCE).map_err(failed)?;
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    }
    sync_dir(state_dir).map_err(failed)?;
    Ok(true)
}

/// Every scope that is engaged by a file.
///
/// # Errors
/// [`StoreError::Unavailable`] when the state directory cannot be read.
pub fn engaged_files(state_dir: &Path) -> Result<Vec<KillState>, StoreError> {
    let failed = |error: io::Error| unavailable(format!("look for kill switches in {}", state_dir.display()), error);
    let mut found = Vec::new();
    for entry in fs::read_dir(state_dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let note = || read_note(&entry.path());
        let scope = if name == "kill-switch" {
            KillScope::Global
        } else if let Some(encoded) = name.strip_prefix("kill-switch.") {
            let named = decode(encoded).map(KillScope::Subject).or_else(|| note().map(|note| note.scope));
            // A file that no claim looks for stops nothing, and is not said to.
            match named {
                Some(scope) if file_path(state_dir, &scope) == entry.path() => scope,
                _ => continue,
            }
        } else {
            continue;
        };
        found.push(match note() {
            Some(note) => state(scope, note.by, note.reason, note.at),
            None => state(scope, "somebody, by hand".to_owned(), String::new(), modified(&entry.path())),
        });
    }
    found.sort_by(|a, b| a.scope.cmp(&b.scope));
    Ok(found)
}

/// Whether a file stops actions on `subject`, and which. What cannot be looked at counts as there.
pub fn stops(state_dir: &Path, subject: &str) -> Option<KillScope> {
    let exists = |scope: &KillScope| {
        file_path(state_dir, scope)
            .symlink_metadata()
            .map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
    };
    [KillScope::Global, KillScope::Subject(subject.to_owned())].into_iter().find(exists)
}

/// Holds off acknowledgements. To be taken before looking, and held until after the commit.
pub(super) fn begin_claim(state_dir: &Path) -> Result<ClaimGuard, StoreError> {
    let file = take_lock(state_dir, File::try_lock_shared, CLAIM_PATIENCE)
        .map_err(|error| unavailable("claim: the kill switch's lock could not be had", error))?;
    Ok(ClaimGuard { _file: file })
}

/// Makes the lock's file. Whoever owns the store does so when opening it: made later by another user, who engages the
/// switch, it could not be opened by the owner.
pub(super) fn make_lock(state_dir: &Path) -> Result<(), StoreError> {
    let path = lock_path(state_dir);
    match open_lock(&path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unavailable(format!("make {}", path.display()), error)),
    }
}

fn lock_path(state_dir: &Path) -> PathBuf {
    state_dir.join("kill-switch-lock")
}

fn open_lock(path: &Path) -> Result<File, io::Error> {
    let open = |create| OpenOptions::new().read(true).write(create).create(create).mode(0o600).open(path);
    // A lock needs no more than reading: it can be had where nothing can be written.
    open(false).or_else(|_| open(true))
}

fn take_lock(
    state_dir: &Path,
    attempt: fn(&File) -> Result<(), TryLockError>,
    patience: Duration,
) -> Result<File, io::Error> {
    let path = lock_path(state_dir);
    let file = open_lock(&path)?;
    let since = Instant::now();
    loop {
        match attempt(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => std::thread::sleep(RETRY),
            Err(TryLockError::WouldBlock) => {
                let why = format!("{} was held for {} s", path.display(), patience.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
        }
    }
}

/// Leaves a file there in any case that it can: with the disk full, an empty one.
fn write_file(state_dir: &Path, path: &Path, text: &str) -> Result<(), io::Error> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // Who and why are worth having; that the file exists is what counts.
    if let Err(error) = file.write_all(text.as_bytes()) {
        tracing::warn!(%error, path = %path.display(), "the kill switch is engaged, but who and why could not be written");
    }
    file.sync_all()?;
    sync_dir(state_dir)
}

fn sync_dir(dir: &Path) -> Result<(), io::Error> {
    File::open(dir)?.sync_all()
}

fn read_note(path: &Path) -> Option<Note> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_FILE).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn state(scope: KillScope, by: String, reason: String, at: Timestamp) -> KillState {
    KillState { scope, engaged: true, by_file: true, by, reason, at, generation: 0 }
}

fn modified(path: &Path) -> Timestamp {
    let since =
        fs::metadata(path).and_then(|data| data.modified()).ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Timestamp::from_millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> KillScope {
        KillScope::Subject(name.to_owned())
    }

    #[test]
    fn a_file_made_by_hand_engages_and_removing_it_releases() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(stops(dir.path(), "a"), None);
        fs::write(dir.path().join("kill-switch.a"), "").unwrap();
        assert_eq!(stops(dir.path(), "a"), Some(subject("a")));
        assert_eq!(stops(dir.path(), "b"), None);
        fs::write(dir.path().join("kill-switch"), "stop!").unwrap();
        assert_eq!(stops(dir.path(), "b"), Some(KillScope::Global));
        let found = engaged_files(dir.path()).unwrap();
        assert_eq!(
            found.iter().map(|state| state.scope.clone()).collect::<Vec<_>>(),
            [KillScope::Global, subject("a")]
        );
        assert!(found.iter().all(|state| state.engaged && state.by_file && state.by == "somebody, by hand"));
        assert!(release_by_file(dir.path(), &KillScope::Global).unwrap());
        assert!(!release_by_file(dir.path(), &KillScope::Global).unwrap());
        assert_eq!(stops(dir.path(), "b"), None);
    }

    #[test]
    fn who_when_and_why_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::from_millis(7);
        engage_by_file(dir.path(), &subject("a"), "ada", "it drains the wrong node", at).unwrap();
        let expected = state(subject("a"), "ada".to_owned(), "it drains the wrong node".to_owned(), at);
        assert_eq!(engaged_files(dir.path()).unwrap(), [expected]);
    }

    #[test]
    fn every_name_has_a_file_of_its_own_in_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(300);
        let names = ["a", "A", "lock", "../a", "a/b", "a b", "a.b", "%2e", "=", "é", "", &long, &format!("{long}y")];
        for name in names {
            engage_by_file(dir.path(), &subject(name), "ada", "", Timestamp::default()).unwrap();
        }
        let found = engaged_files(dir.path()).unwrap();
        assert_eq!(found.len(), names.len(), "{found:?}");
        for name in names {
            assert!(found.iter().any(|state| state.scope == subject(name)), "{name}");
            assert_eq!(stops(dir.path(), name), Some(subject(name)));
        }
    }

    #[test]
    fn engaging_waits_for_a_claim_under_way_and_the_file_stands_before() {
        let dir = tempfile::tempdir().unwrap();
        let claim = begin_claim(dir.path()).unwrap();
        std::thread::scope(|scope| {
            let engaging =
                scope.spawn(|| engage_by_file(dir.path(), &KillScope::Global, "ada", "", Timestamp::default()));
            while stops(dir.path(), "a").is_none() {
                std::thread::yield_now();
            }
            assert!(!engaging.is_finished(), "it acknowledged while a claim was under way");
            drop(claim);
            engaging.join().unwrap().unwrap();
        });
    }

    #[test]
    fn claims_do_not_hold_each_other_off() {
        let dir = tempfile::tempdir().unwrap();
        let _first = begin_claim(dir.path()).unwrap();
        let _second = begin_claim(dir.path()).unwrap();
    }

    #[test]
    fn where_no_file_can_be_written_engaging_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = engage_by_file(&dir.path().join("gone"), &KillScope::Global, "ada", "", Timestamp::default());
        assert!(error.expect_err("no directory").to_string().contains("gone/kill-switch"));
    }
}
