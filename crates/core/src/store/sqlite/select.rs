//! Reading for people: tickets, incidents, diagnoses, executions, verifications.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde::de::DeserializeOwned;

use operator_reasoner::Diagnosis;

use crate::store::sqlite::intent;
use crate::store::sqlite::rows::from_body;
use crate::store::sqlite::trouble::Trouble;
use crate::store::{ExecutionFilter, TicketFilter};
use crate::{Execution, Incident, Ticket, Verification};

/// How many rows are read where nothing else is asked for.
const DEFAULT_LIMIT: u32 = 1_000;

pub(super) fn limit(asked: u32) -> u32 {
    if asked == 0 { DEFAULT_LIMIT } else { asked }
}

/// The bodies that `sql` selects (in its column 0), read as `what`.
pub(super) fn bodies<T: DeserializeOwned>(
    connection: &Connection,
    what: &str,
    sql: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<T>, Trouble> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query(parameters)?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(from_body(&row.get::<_, String>(0)?, || what.to_owned())?);
    }
    Ok(read)
}

/// The executions that `sql`, over [`intent::COLUMNS`], selects.
pub(super) fn intents(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<Execution>, Trouble> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query(parameters)?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(intent::read(row)?);
    }
    Ok(read)
}

/// The ids and diagnoses that `sql` selects (in its columns 0 and 1).
pub(super) fn named_diagnoses(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<(String, Diagnosis)>, Trouble> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query(parameters)?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let diagnosis = from_body(&row.get::<_, String>(1)?, || format!("diagnosis {id}"))?;
        read.push((id, diagnosis));
    }
    Ok(read)
}

/// Tickets, newest first.
pub(super) fn tickets(connection: &Connection, filter: &TicketFilter) -> Result<Vec<Ticket>, Trouble> {
    let mut found: Vec<Ticket> = bodies(
        connection,
        "a ticket",
        "SELECT body FROM ticket WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR incident_id = ?2) \
         AND (?3 IS NULL OR id = ?3 OR substr(id, -length(?3) - 1) = '-' || ?3) \
         AND (?4 = 0 OR state <> 'resolved') ORDER BY opened_ms DESC, seq DESC LIMIT ?5",
        params![filter.subject, filter.incident, filter.id, filter.open_only, limit(filter.limit)],
    )?;
    // A whole id is never ambiguous.
    if let Some(exact) = found.iter().position(|ticket| Some(&ticket.id) == filter.id.as_ref()) {
        found = vec![found.swap_remove(exact)];
    }
    Ok(found)
}

/// Executions, newest first.
pub(super) fn executions(connection: &Connection, filter: &ExecutionFilter) -> Result<Vec<Execution>, Trouble> {
    let sql = format!(
        "SELECT {} FROM intent WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR incident_id = ?2) \
         AND (?3 IS NULL OR instr('-' || id || '-', '-' || ?3 || '-') > 0) \
         AND (?4 = 0 OR state NOT IN ('done', 'failed', 'cancelled', 'expired', 'settled_by_human')) \
         ORDER BY created_ms DESC, seq DESC LIMIT ?5",
        intent::COLUMNS
    );
    let parameters = params![filter.subject, filter.incident, filter.id, filter.active_only, limit(filter.limit)];
    let mut found = intents(connection, &sql, parameters)?;
    if let Some(exact) = found.iter().position(|execution| Some(&execution.proposal.id) == filter.id.as_ref()) {
        found = vec![found.swap_remove(exact)];
    }
    Ok(found)
}

/// Incidents, newest first.
pub(super) fn incidents(connection: &Connection, subject: Option<&str>, most: u32) -> Result<Vec<Incident>, Trouble> {
    let sql = "SELECT body FROM incident WHERE (?1 IS NULL OR subject = ?1) ORDER BY opened_ms DESC, seq DESC LIMIT ?2";
    bodies(connection, "an incident", sql, params![subject, limit(most)])
}

/// One incident.
pub(super) fn incident(connection: &Connection, id: &str) -> Result<Option<Incident>, Trouble> {
    let body: Option<String> =
        connection.query_row("SELECT body FROM incident WHERE id = ?1", [id], |row| row.get(0)).optional()?;
    Ok(body.map(|body| from_body(&body, || format!("incident {id}"))).transpose()?)
}

/// The diagnoses of an incident, oldest first.
pub(super) fn diagnoses(connection: &Connection, incident: &str) -> Result<Vec<(String, Diagnosis)>, Trouble> {
    let sql = "SELECT id, body FROM diagnosis WHERE incident_id = ?1 ORDER BY seq";
    named_diagnoses(connection, sql, params![incident])
}

/// The verifications of an intent, oldest first.
pub(super) fn verifications(connection: &Connection, intent: &str) -> Result<Vec<Verification>, Trouble> {
    let sql = "SELECT body FROM verification WHERE intent_id = ?1 ORDER BY seq";
    bodies(connection, "a verification", sql, params![intent])
}
