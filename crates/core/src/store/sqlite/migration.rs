//! The schema, in numbered steps that only go forward.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::audit::genesis;
use crate::store::StoreError;
use crate::store::sqlite::lease;
use crate::store::sqlite::trouble::{Trouble, unavailable};

/// The steps, in order; a step that was released never changes. The schema's number is how many were taken.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/0001_initial.sql"), include_str!("migrations/0002_learning.sql")];

/// The newest schema known.
pub(super) fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// The schema that the database has.
pub(super) fn found(connection: &Connection) -> Result<u32, Trouble> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Refuses a schema that is newer than what is known.
pub(super) fn check(connection: &Connection) -> Result<u32, Trouble> {
    let found = found(connection)?;
    if found > known() {
        return Err(StoreError::NewerSchema { found, known: known() }.into());
    }
    Ok(found)
}

/// Brings the schema up to date. It changes nothing, if it is; otherwise it needs the lease's lock for the time being,
/// because nothing may change under a process that owns the store.
pub(super) fn migrate(connection: &mut Connection, state_dir: &Path) -> Result<(), Trouble> {
    if check(connection)? == known() {
        return Ok(());
    }
    let _lock = lease::lock(state_dir)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = check(&transaction)?;
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    if found == 0 {
        let install_id = new_install_id()?;
        transaction.execute("INSERT INTO meta (key, value) VALUES ('install_id', ?1)", [&install_id])?;
        transaction.execute("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, ?1)", [genesis(&install_id)])?;
    }
    transaction.pragma_update(None, "user_version", known())?;
    transaction.commit()?;
    Ok(())
}

/// Twelve hexadecimal digits from the system's randomness.
fn new_install_id() -> Result<String, StoreError> {
    let mut bytes = [0; 6];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| unavailable("make an installation id from /dev/urandom", error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::connection::{database_path, make_files, open_writer};

    fn fresh() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        make_files(dir.path()).unwrap();
        let mut connection = open_writer(&database_path(dir.path())).unwrap();
        migrate(&mut connection, dir.path()).unwrap();
        (dir, connection)
    }

    #[test]
    fn a_schema_that_is_up_to_date_is_left_alone_even_while_another_owns_the_store() {
        let (dir, mut connection) = fresh();
        let _lock = lease::lock(dir.path()).unwrap();
        migrate(&mut connection, dir.path()).unwrap();
        assert_eq!(found(&connection).unwrap(), known());
    }

    #[test]
    fn a_store_of_the_first_schema_is_brought_up_to_date_with_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        make_files(dir.path()).unwrap();
        let mut connection = open_writer(&database_path(dir.path())).unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let insert = "INSERT INTO incident (id, subject, opened_ms, body) VALUES ('s-I1', 's', 1, '{}')";
        connection.execute(insert, []).unwrap();
        migrate(&mut connection, dir.path()).unwrap();
        assert_eq!(found(&connection).unwrap(), known());
        let count = |table: &str| -> i64 {
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("incident"), count("mark"), count("past_case")), (1, 0, 0));
        assert_eq!(count("meta"), 0, "who the installation is was settled before");
    }

    #[test]
    fn an_old_schema_is_not_changed_while_another_owns_the_store() {
        let (dir, mut connection) = fresh();
        connection.pragma_update(None, "user_version", 0).unwrap();
        let _lock = lease::lock(dir.path()).unwrap();
        let error = migrate(&mut connection, dir.path()).expect_err("locked");
        assert!(matches!(error, Trouble::Store(StoreError::Locked { .. })), "{error:?}");
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let (dir, mut connection) = fresh();
        connection.pragma_update(None, "user_version", known() + 1).unwrap();
        let error = migrate(&mut connection, dir.path()).expect_err("newer");
        let Trouble::Store(StoreError::NewerSchema { found: newer, known: old }) = error else { panic!("{error:?}") };
        assert_eq!((newer, old), (known() + 1, known()));
        assert_eq!(found(&connection).unwrap(), known() + 1);
    }

    #[test]
    fn every_installation_has_an_id_of_its_own() {
        let id = |connection: &Connection| -> String {
            connection.query_row("SELECT value FROM meta WHERE key = 'install_id'", [], |row| row.get(0)).unwrap()
        };
        let ((_a, first), (_b, second)) = (fresh(), fresh());
        let (first, second) = (id(&first), id(&second));
        assert_eq!(first.len(), 12);
        assert!(first.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{first}");
        assert_ne!(first, second);
    }
}
