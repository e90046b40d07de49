//! How the file is opened: with which library, which settings, for what.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;
use crate::store::sqlite::trouble::{Trouble, unavailable};

/// The oldest SQLite that is trusted with a write-ahead log, as `SQLITE_VERSION_NUMBER` counts (3.51.3): 3.7.0 to
/// 3.51.2 could corrupt the database when the log was reset (sqlite.org/wal.html, "the WAL-reset bug").
pub const MINIMUM_SQLITE_VERSION: i32 = 3_051_003;

/// How long a command waits for a lock that another connection holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the database is.
pub(super) fn database_path(state_dir: &Path) -> PathBuf {
    state_dir.join("operator.db")
}

/// Refuses a library that is too old.
pub(super) fn check_version(number: i32) -> Result<(), StoreError> {
    if number >= MINIMUM_SQLITE_VERSION {
        return Ok(());
    }
    let show = |n: i32| format!("{}.{}.{}", n / 1_000_000, n / 1000 % 1000, n % 1000);
    let why = format!("it can corrupt a write-ahead log; {} or newer is needed", show(MINIMUM_SQLITE_VERSION));
    Err(unavailable(format!("use SQLite {}", show(number)), why))
}

/// Makes the state directory and the database file, readable by their owner only, where they do not exist.
pub(super) fn make_files(state_dir: &Path) -> Result<(), StoreError> {
    let failed = |path: &Path, error| unavailable(format!("make {}", path.display()), error);
    if !state_dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(state_dir).map_err(|error| failed(state_dir, error))?;
    }
    let path = database_path(state_dir);
    if !path.exists() {
        let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        made.map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// A connection for the one writer.
pub(super) fn open_writer(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// A connection that can only read. On a medium that cannot be written to, a database that was closed properly is read
/// as it lies there.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let probe = prepare_reader(&connection);
    let Err(error) = probe else { return Ok(connection) };
    let wal = path.with_extension("db-wal");
    if wal.exists() || !matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::CannotOpen)) {
        return Err(error.into());
    }
    let uri = format!("file:{}?immutable=1", escape_for_uri(path));
    let connection = Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
    prepare_reader(&connection)?;
    Ok(connection)
}

fn prepare_reader(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
}

fn escape_for_uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02x}"));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_bundled_library_is_new_enough_and_an_old_one_is_refused_by_name() {
        assert!(check_version(rusqlite::version_number()).is_ok());
        assert!(check_version(MINIMUM_SQLITE_VERSION).is_ok());
        let error = check_version(3_051_002).expect_err("too old");
        assert_eq!(error.to_string(), "the store could not use SQLite 3.51.2");
        let StoreError::Unavailable { source, .. } = error else { panic!("{error:?}") };
        assert!(source.to_string().contains("3.51.3 or newer"), "{source}");
    }

    #[test]
    fn only_the_owner_can_read_what_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/state");
        make_files(&state).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(&database_path(&state)), 0o600);
    }

    #[test]
    fn the_writer_is_durable_and_keeps_references() {
        let dir = tempfile::tempdir().unwrap();
        make_files(dir.path()).unwrap();
        let connection = open_writer(&database_path(dir.path())).unwrap();
        let pragma = |name: &str| -> String {
            connection
                .pragma_query_value(None, name, |row| {
                    Ok(match row.get_ref(0)? {
                        rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                        other => format!("{:?}", other.as_i64().unwrap()),
                    })
                })
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), "wal");
        assert_eq!(pragma("synchronous"), "2", "FULL");
        assert_eq!(pragma("foreign_keys"), "1");
        assert_eq!(pragma("busy_timeout"), "5000");
    }

    #[test]
    fn a_database_in_a_directory_with_an_odd_name_is_read_as_it_lies_there() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("50% ?#é");
        make_files(&state).unwrap();
        let path = database_path(&state);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)").unwrap();
        drop(connection);
        let uri = format!("file:{}?immutable=1", escape_for_uri(&path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags).unwrap();
        assert_eq!(connection.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    }
}
