//! The kill switch as rows.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::json;

use operator_protocols::Timestamp;

use crate::store::sqlite::rows::{from_int, to_int};
use crate::store::sqlite::trouble::{Trouble, corrupt};
use crate::store::sqlite::{audit_log, slot};
use crate::store::{KillScope, KillState};
use crate::{Actor, AuditEvent, Principal};

fn name(scope: &KillScope) -> String {
    match scope {
        KillScope::Global => "global".to_owned(),
        KillScope::Subject(subject) => format!("subject:{subject}"),
    }
}

fn from_name(name: &str) -> Option<KillScope> {
    match name.split_once(':') {
        None if name == "global" => Some(KillScope::Global),
        Some(("subject", subject)) => Some(KillScope::Subject(subject.to_owned())),
        _ => None,
    }
}

/// The row that stops actions on `subject`, if one does.
pub(super) fn stops(connection: &Connection, subject: &str) -> Result<Option<KillScope>, Trouble> {
    for scope in [KillScope::Global, KillScope::Subject(subject.to_owned())] {
        let engaged = connection
            .query_row("SELECT engaged FROM kill_switch WHERE scope = ?1", [name(&scope)], |row| row.get(0))
            .optional()?;
        if engaged.unwrap_or(false) {
            return Ok(Some(scope));
        }
    }
    Ok(None)
}

/// Sets the row and says what is in flight.
pub(super) fn engage(
    transaction: &Transaction<'_>,
    scope: &KillScope,
    by: &Principal,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<String>, Trouble> {
    set(transaction, scope, true, by, reason, now)?;
    let in_flight = slot::in_flight_within(transaction, scope)?;
    let body = json!({ "reason": reason, "in_flight": in_flight });
    audit_log::append(transaction, &[event("kill_switch.engaged", scope, by, now, body)])?;
    Ok(in_flight)
}

/// Clears the row.
pub(super) fn release(
    transaction: &Transaction<'_>,
    scope: &KillScope,
    by: &Principal,
    reason: &str,
    now: Timestamp,
) -> Result<(), Trouble> {
    set(transaction, scope, false, by, reason, now)?;
    audit_log::append(transaction, &[event("kill_switch.released", scope, by, now, json!({ "reason": reason }))])
}

fn set(
    transaction: &Transaction<'_>,
    scope: &KillScope,
    engaged: bool,
    by: &Principal,
    reason: &str,
    now: Timestamp,
) -> Result<(), Trouble> {
    transaction.execute(
        "INSERT INTO kill_switch (scope, engaged, gen, by_name, reason, at_ms) VALUES (?1, ?2, 1, ?3, ?4, ?5) \
         ON CONFLICT (scope) DO UPDATE SET engaged = excluded.engaged, gen = kill_switch.gen + 1, \
         by_name = excluded.by_name, reason = excluded.reason, at_ms = excluded.at_ms",
        params![name(scope), engaged, by.name, reason, now.as_millis()],
    )?;
    Ok(())
}

fn event(kind: &str, scope: &KillScope, by: &Principal, now: Timestamp, body: serde_json::Value) -> AuditEvent {
    AuditEvent { at: now, actor: Actor::Principal(by.clone()), kind: kind.to_owned(), reference: name(scope), body }
}

/// Every scope that was ever engaged by row.
pub(super) fn read(connection: &Connection) -> Result<Vec<KillState>, Trouble> {
    let mut select =
        connection.prepare("SELECT scope, engaged, gen, by_name, reason, at_ms FROM kill_switch WHERE gen > ?1")?;
    let mut rows = select.query([to_int(0)])?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        let scope: String = row.get(0)?;
        states.push(KillState {
            scope: from_name(&scope).ok_or_else(|| corrupt("a kill switch", format!("{scope:?} is no scope")))?,
            engaged: row.get(1)?,
            by_file: false,
            by: row.get(3)?,
            reason: row.get(4)?,
            at: Timestamp::from_millis(row.get(5)?),
            generation: from_int(row.get(2)?, "a kill switch's generation")?,
        });
    }
    Ok(states)
}

/// Rows and files together: either engages, and what a file says counts where the row is not engaged.
pub(super) fn merge(rows: Vec<KillState>, files: Vec<KillState>) -> Vec<KillState> {
    let mut merged = rows;
    for file in files {
        match merged.iter_mut().find(|row| row.scope == file.scope) {
            Some(row) if row.engaged => row.by_file = true,
            Some(row) => *row = KillState { generation: row.generation, ..file },
            None => merged.push(file),
        }
    }
    merged.sort_by(|a, b| a.scope.cmp(&b.scope));
    merged
}
