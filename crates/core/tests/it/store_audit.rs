//! Whoever changes the audit chain in the database is found out.

use std::fs;
use std::path::Path;

use operator_core::audit::{ChainFault, ChainStatus, event_text, row_hash};
use operator_core::store::CycleCommit;
use operator_core::store::Store;
use operator_core::store::contract::sample::{NOW, commit, event};
use operator_core::store::sqlite::SqliteStore;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use tempfile::TempDir;

const ROWS: u64 = 24;
const EDITS: u64 = 300;

/// A closed store with [`ROWS`] audit rows.
async fn chain() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(dir.path()).expect("a new store");
    let epoch = store.acquire_lease("test", NOW).await.expect("a free lease").epoch;
    let audit = (1..=ROWS).map(|n| event("ticket.opened", &format!("eu-shop-T{n}"))).collect();
    store.commit_cycle(epoch, CycleCommit { audit, ..commit() }).await.expect("rows");
    drop(store);
    dir
}

fn copy(dir: &TempDir) -> (TempDir, Connection) {
    let copy = tempfile::tempdir().expect("a temporary directory");
    fs::copy(dir.path().join("operator.db"), copy.path().join("operator.db")).expect("a copy");
    let connection = Connection::open(copy.path().join("operator.db")).expect("a connection");
    (copy, connection)
}

async fn status(dir: &Path) -> ChainStatus {
    let store = SqliteStore::open_read_only(dir).expect("a store");
    store.verify_audit().await.expect("it can be read")
}

/// A small generator with a seed that a failure can name (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn row(&mut self) -> i64 {
        i64::try_from(1 + self.roll(ROWS)).expect("a small number")
    }
}

const UNLOCK: &str = "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_head_forward;
                      DROP TRIGGER audit_head_kept;";

/// Does something to the rows that changes them; the first place at which that shows.
fn tamper(connection: &Connection, dice: &mut Dice) -> (String, i64) {
    let text = |column: &str, seq: i64| -> String {
        let sql = format!("SELECT {column} FROM audit WHERE seq = ?1");
        connection.query_row(&sql, [seq], |row| row.get(0)).expect("a column of text")
    };
    let set = |column: &str, seq: i64, value: Value| {
        connection
            .execute(&format!("UPDATE audit SET {column} = ?2 WHERE seq = ?1"), params![seq, value])
            .expect("an edit");
    };
    let (seq, other) = (dice.row(), dice.row());
    let last = i64::try_from(ROWS).expect("a small number");
    match dice.roll(9) {
        0 => {
            let column = ["actor", "kind", "ref", "body", "prev", "hash"][dice.roll(6) as usize];
            let mut edited = text(column, seq).into_bytes();
            let at = dice.roll(edited.len() as u64) as usize;
            edited[at] = if edited[at] == b'0' { b'1' } else { b'0' };
            set(column, seq, Value::Text(String::from_utf8_lossy(&edited).into_owned()));
            (format!("byte {at} of {column} in row {seq}"), seq)
        }
        1 => {
            // The same JSON to a parser, and not the same bytes.
            let column = ["actor", "body"][dice.roll(2) as usize];
            set(column, seq, Value::Text(format!(" {}", text(column, seq))));
            (format!("white space in {column} of row {seq}"), seq)
        }
        2 => {
            let by = 1 + i64::try_from(dice.roll(1000)).expect("a small number");
            connection.execute("UPDATE audit SET at_ms = at_ms + ?2 WHERE seq = ?1", [seq, by]).expect("an edit");
            (format!("{by} ms later in row {seq}"), seq)
        }
        3 => {
            let column = ["at_ms", "actor", "kind", "ref", "body", "prev", "hash"][dice.roll(7) as usize];
            set(column, seq, Value::Blob(vec![1, 2, 3]));
            (format!("bytes for {column} in row {seq}"), seq)
        }
        4 => {
            connection.execute("DELETE FROM audit WHERE seq = ?1", [seq]).expect("an edit");
            (format!("row {seq} removed"), seq)
        }
        5 => {
            connection.execute("DELETE FROM audit WHERE seq >= ?1", [seq]).expect("an edit");
            (format!("rows removed from {seq} on"), seq)
        }
        6 if seq != other => {
            let swap = "UPDATE audit SET seq = -1 WHERE seq = ?1; ";
            for (from, to) in [(seq, -1), (other, seq), (-1, other)] {
                connection.execute("UPDATE audit SET seq = ?2 WHERE seq = ?1", [from, to]).expect(swap);
            }
            (format!("rows {seq} and {other} swapped"), seq.min(other))
        }
        7 => {
            // A row that is right in itself, as if it had been written there.
            let follows = if dice.roll(2) == 0 { text("hash", last) } else { text("hash", seq) };
            let forged = event("ticket.opened", "forged");
            let place = ROWS + 1;
            let hash = row_hash(&follows, place, &event_text(&forged)).expect("a hash to follow");
            connection
                .execute(
                    "INSERT INTO audit SELECT ?1, at_ms, actor, kind, 'forged', body, ?2, ?3 FROM audit WHERE seq = 1",
                    params![last + 1, follows, hash],
                )
                .expect("an edit");
            ("a row added".to_owned(), last + 1)
        }
        _ => {
            // The chain written again from one row on, so that it is right in itself; its end is another.
            let mut prev = if seq == 1 { text("prev", 1) } else { text("hash", seq - 1) };
            for seq in seq..=last {
                let mut forged = event("ticket.opened", &text("ref", seq));
                forged.body = serde_json::json!({});
                let place = u64::try_from(seq).expect("a place");
                let hash = row_hash(&prev, place, &event_text(&forged)).expect("a hash to follow");
                connection
                    .execute(
                        "UPDATE audit SET body = '{}', prev = ?2, hash = ?3 WHERE seq = ?1",
                        params![seq, prev, hash],
                    )
                    .expect("an edit");
                prev = hash;
            }
            (format!("rows written again from {seq} on"), last)
        }
    }
}

#[tokio::test]
async fn every_edit_truncation_and_swap_is_found_where_it_begins() {
    let original = chain().await;
    assert!(matches!(status(original.path()).await, ChainStatus::Intact { size: ROWS, .. }));
    for seed in 0..EDITS {
        let (copy, connection) = copy(&original);
        connection.execute_batch(UNLOCK).expect("whoever owns the database can");
        let (what, place) = tamper(&connection, &mut Dice(seed));
        drop(connection);
        let found = status(copy.path()).await;
        let ChainStatus::Broken { first_bad_seq, .. } = found else { panic!("seed {seed}, {what}: {found:?}") };
        assert_eq!(i64::try_from(first_bad_seq).expect("a place"), place, "seed {seed}, {what}: {found:?}");
    }
}

#[tokio::test]
async fn what_was_done_is_told_apart() {
    let original = chain().await;
    for (edit, first_bad_seq, why) in [
        ("UPDATE audit SET kind = 'x' WHERE seq = 5", 5, ChainFault::Tampered),
        ("DELETE FROM audit WHERE seq = 5", 5, ChainFault::Gap),
        ("DELETE FROM audit WHERE seq > 5", 6, ChainFault::Truncated),
        ("DELETE FROM audit", 1, ChainFault::Truncated),
        ("DELETE FROM audit_head", ROWS + 1, ChainFault::Truncated),
        ("UPDATE audit_head SET seq = 5", 6, ChainFault::Forked),
        ("UPDATE audit_head SET hash = 'x'", ROWS, ChainFault::Forked),
        ("UPDATE audit_head SET seq = 'x'", ROWS + 1, ChainFault::Truncated),
        ("UPDATE audit SET seq = -1 WHERE seq = 5", 1, ChainFault::Forked),
        ("UPDATE meta SET value = '000000000000'", 1, ChainFault::Forked),
    ] {
        let (copy, connection) = copy(&original);
        connection.execute_batch(UNLOCK).expect("whoever owns the database can");
        connection.execute_batch(edit).expect(edit);
        drop(connection);
        assert_eq!(status(copy.path()).await, ChainStatus::Broken { first_bad_seq, why }, "{edit}");
    }
}

#[tokio::test]
async fn nobody_changes_it_by_accident() {
    let original = chain().await;
    let (copy, connection) = copy(&original);
    for edit in [
        "UPDATE audit SET kind = 'x' WHERE seq = 5",
        "DELETE FROM audit WHERE seq = 5",
        "DELETE FROM audit",
        "UPDATE audit_head SET seq = 5",
        "UPDATE audit_head SET hash = 'x'",
        "DELETE FROM audit_head",
    ] {
        let error = connection.execute(edit, []).expect_err(edit);
        assert!(error.to_string().contains("audit"), "{edit}: {error}");
    }
    drop(connection);
    assert!(matches!(status(copy.path()).await, ChainStatus::Intact { size: ROWS, .. }));
}
