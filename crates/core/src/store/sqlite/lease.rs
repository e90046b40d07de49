//! The right to write and act: a lock on a file, which the kernel frees when its process ends, and an epoch in the
//! database, which fences whatever the process before still has in hand.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use operator_protocols::Timestamp;
use rusqlite::{Connection, Transaction, params};

use crate::store::sqlite::rows::{from_int, to_int};
use crate::store::sqlite::trouble::{Trouble, unavailable};
use crate::store::{Lease, StoreError};

/// Where the lock is.
pub(super) fn lock_path(state_dir: &Path) -> PathBuf {
    state_dir.join("operator.lock")
}

/// Takes the lock, or says at once that another process has it. It is held as long as the file is open.
pub(super) fn lock(state_dir: &Path) -> Result<File, StoreError> {
    let path = lock_path(state_dir);
    let doing = || format!("lock {}", path.display());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| unavailable(doing(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: state_dir.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(unavailable(doing(), error)),
    }
}

/// Begins the next epoch.
pub(super) fn begin_epoch(transaction: &Transaction<'_>, holder: &str, now: Timestamp) -> Result<Lease, Trouble> {
    let epoch = current_epoch(transaction)? + 1;
    transaction.execute(
        "UPDATE lease SET holder = ?1, epoch = ?2, beat_ms = ?3 WHERE name = 'operator'",
        params![holder, to_int(epoch), now.as_millis()],
    )?;
    Ok(Lease { epoch })
}

/// The epoch that holds.
pub(super) fn current_epoch(connection: &Connection) -> Result<u64, Trouble> {
    let epoch = connection.query_row("SELECT epoch FROM lease WHERE name = 'operator'", [], |row| row.get(0))?;
    Ok(from_int(epoch, "the lease's epoch")?)
}

/// Refuses whoever holds another epoch than the one that holds.
pub(super) fn check_epoch(connection: &Connection, held: u64) -> Result<(), Trouble> {
    let actual = current_epoch(connection)?;
    if actual == held { Ok(()) } else { Err(StoreError::LostLease { held, actual }.into()) }
}
