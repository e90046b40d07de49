//! Everything about one subject that is not over.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::sqlite::intent;
use crate::store::sqlite::rows::from_int;
use crate::store::sqlite::select::{bodies, intents, named_diagnoses};
use crate::store::sqlite::trouble::Trouble;
use crate::store::{Counters, Snapshot};

/// How long ago a ticket may have been resolved to be read: those reopen when their violation comes back.
const REOPENS_MS: i64 = 60 * 60 * 1_000;

/// The tickets that are read: ?1 is the subject, ?2 the instant from which on a resolved one counts.
const TICKETS: &str = "subject = ?1 AND (state <> 'resolved' OR resolved_ms >= ?2)";

/// Reads it. The hour in which tickets reopen is counted back from when the lease was taken.
pub(super) fn load(connection: &Connection, subject: &str) -> Result<Snapshot, Trouble> {
    let taken: i64 = connection.query_row("SELECT beat_ms FROM lease WHERE name = 'operator'", [], |row| row.get(0))?;
    let since = taken.saturating_sub(REOPENS_MS);
    let incidents = format!(
        "SELECT id FROM incident WHERE subject = ?1 AND closed_ms IS NULL \
         UNION SELECT incident_id FROM ticket WHERE {TICKETS}"
    );
    let parameters = params![subject, since];
    Ok(Snapshot {
        counters: counters(connection, subject)?,
        violations: bodies(
            connection,
            "a violation",
            "SELECT body FROM violation WHERE subject = ?1 ORDER BY fingerprint",
            params![subject],
        )?,
        tickets: bodies(
            connection,
            "a ticket",
            &format!("SELECT body FROM ticket WHERE {TICKETS} ORDER BY seq"),
            parameters,
        )?,
        incidents: bodies(
            connection,
            "an incident",
            &format!("SELECT body FROM incident WHERE id IN ({incidents}) ORDER BY seq"),
            parameters,
        )?,
        diagnoses: named_diagnoses(
            connection,
            &format!(
                "SELECT id, body FROM diagnosis WHERE seq IN \
                 (SELECT max(seq) FROM diagnosis WHERE incident_id IN ({incidents}) GROUP BY incident_id) ORDER BY seq"
            ),
            parameters,
        )?,
        executions: intents(
            connection,
            &format!(
                "SELECT {} FROM intent WHERE subject = ?1 AND \
                 (state NOT IN ('done', 'failed', 'cancelled', 'expired', 'settled_by_human') \
                 OR incident_id IN ({incidents})) ORDER BY seq",
                intent::COLUMNS
            ),
            parameters,
        )?,
        questions: Vec::new(),
        past: Vec::new(),
        explained_at: BTreeMap::new(),
        marks: bodies(
            connection,
            "a mark",
            &format!(
                "SELECT body FROM mark WHERE seq IN \
                 (SELECT max(seq) FROM mark WHERE incident_id IN ({incidents}) GROUP BY incident_id) ORDER BY seq"
            ),
            parameters,
        )?,
    })
}

fn counters(connection: &Connection, subject: &str) -> Result<Counters, Trouble> {
    let row = connection
        .query_row("SELECT tickets, incidents, diagnoses, intents FROM counter WHERE subject = ?1", [subject], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })
        .optional()?;
    let Some([tickets, incidents, diagnoses, intents]) = row else { return Ok(Counters::default()) };
    Ok(Counters {
        tickets: from_int(tickets, "a count of tickets")?,
        incidents: from_int(incidents, "a count of incidents")?,
        diagnoses: from_int(diagnoses, "a count of diagnoses")?,
        intents: from_int(intents, "a count of intents")?,
    })
}
