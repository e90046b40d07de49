//! What later incidents and people learn from: evidence, deliberations, past cases, marks.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use operator_reasoner::{Deliberation, EvidencePack};

use crate::store::CycleCommit;
use crate::store::sqlite::rows::{from_body, to_readable_body};
use crate::store::sqlite::select::{bodies, limit, named_diagnoses};
use crate::store::sqlite::trouble::Trouble;
use crate::{Mark, MarkReport, PastCase};

/// How many incidents are counted, the latest.
const COUNTED: u32 = 10_000;

pub(super) fn write(transaction: &Transaction<'_>, commit: &CycleCommit) -> Result<(), Trouble> {
    for (id, pack) in &commit.evidence {
        transaction.execute(
            "INSERT INTO evidence (diagnosis_id, body) VALUES (?1, ?2)",
            params![id, to_readable_body(pack, || format!("the evidence of {id}"))?],
        )?;
    }
    for (id, at, deliberation) in &commit.deliberations {
        transaction.execute(
            "INSERT INTO deliberation (diagnosis_id, at_ms, body) VALUES (?1, ?2, ?3)",
            params![id, at.as_millis(), to_readable_body(deliberation, || format!("a deliberation of {id}"))?],
        )?;
    }
    for case in &commit.past {
        let written = transaction.execute(
            "INSERT INTO past_case (incident_id, subject, kind, closed_ms, body) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (incident_id) DO UPDATE SET kind = excluded.kind, closed_ms = excluded.closed_ms, \
             body = excluded.body WHERE past_case.subject = excluded.subject",
            params![
                case.incident,
                case.subject,
                case.kind,
                case.closed_at.as_millis(),
                to_readable_body(case, || format!("past case {}", case.incident))?
            ],
        )?;
        if written == 0 {
            return Err(Trouble::conflict(format!("past case {}", case.incident), "it is of another subject"));
        }
    }
    for mark in &commit.marks {
        transaction.execute(
            "INSERT INTO mark (subject, incident_id, at_ms, body) VALUES (?1, ?2, ?3, ?4)",
            params![
                mark.subject,
                mark.incident,
                mark.at.as_millis(),
                to_readable_body(mark, || format!("a mark of {}", mark.incident))?
            ],
        )?;
    }
    Ok(())
}

pub(super) fn evidence(connection: &Connection, diagnosis: &str) -> Result<Option<EvidencePack>, Trouble> {
    let sql = "SELECT body FROM evidence WHERE diagnosis_id = ?1";
    let body: Option<String> = connection.query_row(sql, [diagnosis], |row| row.get(0)).optional()?;
    Ok(body.map(|body| from_body(&body, || format!("the evidence of {diagnosis}"))).transpose()?)
}

pub(super) fn deliberations(connection: &Connection, diagnosis: &str) -> Result<Vec<Deliberation>, Trouble> {
    let sql = "SELECT body FROM deliberation WHERE diagnosis_id = ?1 ORDER BY seq";
    bodies(connection, "a deliberation", sql, params![diagnosis])
}

pub(super) fn past_cases(connection: &Connection, kind: &str, most: u32) -> Result<Vec<PastCase>, Trouble> {
    let sql = "SELECT body FROM past_case WHERE kind = ?1 ORDER BY closed_ms DESC, incident_id DESC LIMIT ?2";
    bodies(connection, "a past case", sql, params![kind, limit(most)])
}

pub(super) fn marks(connection: &Connection, subject: Option<&str>, most: u32) -> Result<Vec<Mark>, Trouble> {
    let sql = "SELECT body FROM mark WHERE (?1 IS NULL OR subject = ?1) \
               AND seq IN (SELECT max(seq) FROM mark GROUP BY incident_id) ORDER BY seq DESC LIMIT ?2";
    bodies(connection, "a mark", sql, params![subject, limit(most)])
}

/// Each incident by its diagnosis that was marked, or by its last one.
pub(super) fn mark_report(connection: &Connection, subject: Option<&str>) -> Result<MarkReport, Trouble> {
    let mut report = MarkReport::default();
    let said: std::collections::BTreeMap<_, _> =
        marks(connection, subject, COUNTED)?.into_iter().map(|mark| (mark.incident.clone(), mark)).collect();
    let latest = named_diagnoses(
        connection,
        "SELECT id, body FROM diagnosis WHERE (?1 IS NULL OR subject = ?1) \
         AND seq IN (SELECT max(seq) FROM diagnosis GROUP BY incident_id) ORDER BY seq DESC LIMIT ?2",
        params![subject, COUNTED],
    )?;
    for (_, diagnosis) in latest {
        match said.get(&diagnosis.incident) {
            Some(mark) => report.count(&mark.diagnoser, mark.class, Some(mark.verdict)),
            None => report.count(&diagnosis.diagnoser, diagnosis.primary.class, None),
        }
    }
    Ok(report)
}
