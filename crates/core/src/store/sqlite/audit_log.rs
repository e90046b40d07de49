//! The audit chain in its table.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use operator_protocols::Timestamp;

use crate::audit::{ChainFault, ChainHead, ChainStatus, ChainVerifier, chain, row_hash};
use crate::store::StoreError;
use crate::store::sqlite::rows::{from_body, from_int, to_body, to_int};
use crate::store::sqlite::trouble::{Trouble, corrupt};
use crate::{AuditEvent, AuditRow};

/// Puts events at the end of the chain, in order.
pub(super) fn append(transaction: &Transaction<'_>, events: &[AuditEvent]) -> Result<(), Trouble> {
    if events.is_empty() {
        return Ok(());
    }
    let mut head = head(transaction)?.ok_or_else(|| corrupt("no end of the audit chain", "its row is missing"))?;
    let mut insert = transaction.prepare(
        "INSERT INTO audit (seq, at_ms, actor, kind, ref, body, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for event in events {
        let (actor, body) = (to_body(&event.actor), event.body.to_string());
        let text = chain::assemble(&actor, event.at, &body, &event.kind, &event.reference);
        let seq = head.seq + 1;
        let hash = row_hash(&head.hash, seq, &text)
            .ok_or_else(|| corrupt("an end of the audit chain", format!("{:?} is no hash", head.hash)))?;
        insert.execute(params![
            to_int(seq),
            event.at.as_millis(),
            actor,
            event.kind,
            event.reference,
            body,
            head.hash,
            hash
        ])?;
        head = ChainHead { seq, hash };
    }
    transaction
        .execute("UPDATE audit_head SET seq = ?1, hash = ?2 WHERE id = 1", params![to_int(head.seq), head.hash])?;
    Ok(())
}

/// The end of the chain.
pub(super) fn head(connection: &Connection) -> Result<Option<ChainHead>, Trouble> {
    let row = connection
        .query_row("SELECT seq, hash FROM audit_head WHERE id = 1", [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    match row.optional()? {
        Some((seq, hash)) => Ok(Some(ChainHead { seq: from_int(seq, "the audit chain's end")?, hash })),
        None => Ok(None),
    }
}

/// Rows from `from_seq` on.
pub(super) fn read(connection: &Connection, from_seq: u64, limit: u32) -> Result<Vec<AuditRow>, Trouble> {
    let mut select = connection.prepare(
        "SELECT seq, at_ms, actor, kind, ref, body, prev, hash FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = select.query(params![to_int(from_seq), limit])?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = from_int(row.get(0)?, "an audit row's place")?;
        let part = |name: &str| format!("{name} of audit row {seq}");
        let event = AuditEvent {
            at: Timestamp::from_millis(row.get(1)?),
            actor: from_body(&row.get::<_, String>(2)?, || part("the actor"))?,
            kind: row.get(3)?,
            reference: row.get(4)?,
            body: from_body(&row.get::<_, String>(5)?, || part("the body"))?,
        };
        read.push(AuditRow { seq, event, prev: row.get(6)?, hash: row.get(7)? });
    }
    Ok(read)
}

/// Goes along the whole chain over exactly the bytes that are stored.
pub(super) fn verify(connection: &Connection) -> Result<ChainStatus, Trouble> {
    let install_id = install_id(connection)?;
    // A head of another type than it was written with is none.
    let head = match head(connection) {
        Err(Trouble::Sql(rusqlite::Error::InvalidColumnType(..)) | Trouble::Store(StoreError::Corrupt { .. })) => None,
        other => other?,
    };
    let mut verifier = ChainVerifier::new(&install_id);
    let mut select =
        connection.prepare("SELECT seq, at_ms, actor, kind, ref, body, prev, hash FROM audit ORDER BY seq")?;
    let mut rows = select.query([])?;
    let mut expected = 1;
    while let Some(row) = rows.next()? {
        // A place before the first is one too many at the first.
        let seq = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        let broken = match link(row)? {
            Some((prev, hash, text)) => verifier.row(seq, prev, hash, &text).err(),
            None => Some(ChainStatus::Broken { first_bad_seq: expected, why: ChainFault::Tampered }),
        };
        if let Some(broken) = broken {
            return Ok(broken);
        }
        expected += 1;
    }
    Ok(verifier.finish(head.as_ref()))
}

/// The row's `prev`, `hash` and the text of its event; nothing, where a column is not of the type it was written with.
fn link<'r>(row: &'r Row<'_>) -> Result<Option<(&'r str, &'r str, String)>, rusqlite::Error> {
    let text = |column| -> Result<Option<&'r str>, rusqlite::Error> {
        Ok(match row.get_ref(column)? {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        })
    };
    let ValueRef::Integer(at) = row.get_ref(1)? else { return Ok(None) };
    let (Some(actor), Some(kind), Some(reference), Some(body), Some(prev), Some(hash)) =
        (text(2)?, text(3)?, text(4)?, text(5)?, text(6)?, text(7)?)
    else {
        return Ok(None);
    };
    let event = chain::assemble(actor, Timestamp::from_millis(at), body, kind, reference);
    Ok(Some((prev, hash, event)))
}

/// Who this installation is.
pub(super) fn install_id(connection: &Connection) -> Result<String, Trouble> {
    Ok(connection.query_row("SELECT value FROM meta WHERE key = 'install_id'", [], |row| row.get(0))?)
}
