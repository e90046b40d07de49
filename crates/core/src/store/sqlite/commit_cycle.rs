//! What one cycle changes, in one transaction.

use rusqlite::{OptionalExtension, Statement, Transaction, params};

use operator_protocols::Timestamp;

use crate::store::CycleCommit;
use crate::store::sqlite::rows::{from_body, to_int, to_readable_body};
use crate::store::sqlite::trouble::Trouble;
use crate::store::sqlite::{audit_log, intent, learning, lease};
use crate::violation::fingerprint;
use crate::{Incident, Ticket, Verification, Violation};

/// Writes all of it, or, by its error, has the transaction undone.
pub(super) fn write(transaction: &Transaction<'_>, epoch: u64, commit: &CycleCommit) -> Result<(), Trouble> {
    lease::check_epoch(transaction, epoch)?;
    of_one_subject(commit)?;
    write_counters(transaction, commit)?;
    write_incidents(transaction, &commit.incidents)?;
    write_tickets(transaction, &commit.tickets)?;
    write_violations(transaction, commit)?;
    write_diagnoses(transaction, commit)?;
    learning::write(transaction, commit)?;
    for execution in &commit.executions {
        intent::write(transaction, epoch, execution)?;
    }
    write_verifications(transaction, &commit.verifications)?;
    audit_log::append(transaction, &commit.audit)
}

/// A commit is about one subject: what names another was put in by mistake.
fn of_one_subject(commit: &CycleCommit) -> Result<(), Trouble> {
    let violations =
        commit.violations.iter().map(|violation| ("violation", violation.fingerprint(), &violation.subject));
    let tickets = commit.tickets.iter().map(|ticket| ("ticket", ticket.id.clone(), &ticket.subject));
    let incidents = commit.incidents.iter().map(|incident| ("incident", incident.id.clone(), &incident.subject));
    let diagnoses = commit.diagnoses.iter().map(|(id, diagnosis)| ("diagnosis", id.clone(), &diagnosis.subject));
    let intents = commit
        .executions
        .iter()
        .map(|execution| ("intent", execution.proposal.id.clone(), &execution.proposal.subject));
    let past = commit.past.iter().map(|case| ("past case", case.incident.clone(), &case.subject));
    let marks = commit.marks.iter().map(|mark| ("mark of", mark.incident.clone(), &mark.subject));
    let mut all = violations.chain(tickets).chain(incidents).chain(diagnoses).chain(intents).chain(past).chain(marks);
    match all.find(|(_, _, subject)| **subject != commit.subject) {
        Some((noun, id, subject)) => {
            Err(Trouble::conflict(format!("{noun} {id}"), format!("it is of {subject}, not of {}", commit.subject)))
        }
        None => Ok(()),
    }
}

fn write_counters(transaction: &Transaction<'_>, commit: &CycleCommit) -> Result<(), Trouble> {
    let counters = commit.counters;
    // `max` of two values is spelled out, as every SQL database reads it.
    transaction.execute(
        "INSERT INTO counter (subject, tickets, incidents, diagnoses, intents) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (subject) DO UPDATE SET \
         tickets = CASE WHEN excluded.tickets > counter.tickets THEN excluded.tickets ELSE counter.tickets END, \
         incidents = CASE WHEN excluded.incidents > counter.incidents THEN excluded.incidents \
                     ELSE counter.incidents END, \
         diagnoses = CASE WHEN excluded.diagnoses > counter.diagnoses THEN excluded.diagnoses \
                     ELSE counter.diagnoses END, \
         intents = CASE WHEN excluded.intents > counter.intents THEN excluded.intents ELSE counter.intents END",
        params![
            commit.subject,
            to_int(counters.tickets),
            to_int(counters.incidents),
            to_int(counters.diagnoses),
            to_int(counters.intents)
        ],
    )?;
    Ok(())
}

fn write_incidents(transaction: &Transaction<'_>, incidents: &[Incident]) -> Result<(), Trouble> {
    let mut upsert = transaction.prepare(
        "INSERT INTO incident (id, subject, opened_ms, closed_ms, body) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (id) DO UPDATE SET closed_ms = excluded.closed_ms, body = excluded.body \
         WHERE incident.subject = excluded.subject",
    )?;
    for incident in incidents {
        let written = upsert.execute(params![
            incident.id,
            incident.subject,
            incident.opened_at.as_millis(),
            incident.closed_at.map(Timestamp::as_millis),
            to_readable_body(incident, || format!("incident {}", incident.id))?
        ])?;
        if written == 0 {
            return Err(Trouble::conflict(format!("incident {}", incident.id), "it is of another subject"));
        }
    }
    Ok(())
}

fn write_tickets(transaction: &Transaction<'_>, tickets: &[Ticket]) -> Result<(), Trouble> {
    let mut find = transaction.prepare("SELECT body FROM ticket WHERE id = ?1")?;
    let mut other = transaction.prepare(
        "SELECT id FROM ticket WHERE subject = ?1 AND fingerprint = ?2 AND id <> ?3 AND state <> 'resolved'",
    )?;
    let mut upsert = transaction.prepare(
        "INSERT INTO ticket (id, subject, fingerprint, incident_id, state, opened_ms, resolved_ms, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (id) DO UPDATE SET incident_id = excluded.incident_id, state = excluded.state, \
         resolved_ms = excluded.resolved_ms, body = excluded.body",
    )?;
    for ticket in tickets {
        may_write_ticket(&mut find, ticket)?;
        let fingerprint = fingerprint(&ticket.invariant, &ticket.on);
        let state = ticket.state.to_string();
        if state != "resolved" {
            let open: Option<String> =
                other.query_row(params![ticket.subject, fingerprint, ticket.id], |row| row.get(0)).optional()?;
            if let Some(open) = open {
                let why = format!("{open} is open for {fingerprint} already");
                return Err(Trouble::conflict(format!("ticket {}", ticket.id), why));
            }
        }
        upsert.execute(params![
            ticket.id,
            ticket.subject,
            fingerprint,
            ticket.incident,
            state,
            ticket.opened_at.as_millis(),
            ticket.resolved_at.map(Timestamp::as_millis),
            to_readable_body(ticket, || format!("ticket {}", ticket.id))?
        ])?;
    }
    Ok(())
}

fn may_write_ticket(find: &mut Statement<'_>, ticket: &Ticket) -> Result<(), Trouble> {
    let Some(body) = find.query_row([&ticket.id], |row| row.get::<_, String>(0)).optional()? else { return Ok(()) };
    let stored: Ticket = from_body(&body, || format!("ticket {}", ticket.id))?;
    let conflict = |why: String| Err(Trouble::conflict(format!("ticket {}", ticket.id), why));
    if (&stored.subject, &stored.invariant, &stored.on) != (&ticket.subject, &ticket.invariant, &ticket.on) {
        return conflict(format!("it is about {} on {}", stored.invariant, stored.on.to_text()));
    }
    if stored.state != ticket.state && !stored.state.may_become(ticket.state) {
        return conflict(format!("{} cannot become {}", stored.state, ticket.state));
    }
    Ok(())
}

fn write_violations(transaction: &Transaction<'_>, commit: &CycleCommit) -> Result<(), Trouble> {
    let mut delete = transaction.prepare("DELETE FROM violation WHERE subject = ?1 AND fingerprint = ?2")?;
    for over in &commit.violations_over {
        delete.execute([&commit.subject, over])?;
    }
    let mut upsert = transaction.prepare(
        "INSERT INTO violation (subject, fingerprint, ticket_id, first_seen_ms, last_seen_ms, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (subject, fingerprint) DO UPDATE SET \
         ticket_id = excluded.ticket_id, first_seen_ms = excluded.first_seen_ms, \
         last_seen_ms = excluded.last_seen_ms, body = excluded.body",
    )?;
    for violation in &commit.violations {
        let Violation { subject, ticket, first_seen, last_seen, .. } = violation;
        upsert.execute(params![
            subject,
            violation.fingerprint(),
            ticket,
            first_seen.as_millis(),
            last_seen.as_millis(),
            to_readable_body(violation, || format!("violation {}", violation.fingerprint()))?
        ])?;
    }
    Ok(())
}

fn write_diagnoses(transaction: &Transaction<'_>, commit: &CycleCommit) -> Result<(), Trouble> {
    for (id, diagnosis) in &commit.diagnoses {
        let known: Option<i64> =
            transaction.query_row("SELECT seq FROM diagnosis WHERE id = ?1", [id], |row| row.get(0)).optional()?;
        if known.is_some() {
            return Err(Trouble::conflict(format!("diagnosis {id}"), "there is one of that id, and none ever changes"));
        }
        transaction.execute(
            "INSERT INTO diagnosis (id, subject, incident_id, made_ms, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                id,
                diagnosis.subject,
                diagnosis.incident,
                diagnosis.made_at.as_millis(),
                to_readable_body(diagnosis, || format!("diagnosis {id}"))?
            ],
        )?;
    }
    Ok(())
}

fn write_verifications(transaction: &Transaction<'_>, verifications: &[Verification]) -> Result<(), Trouble> {
    for verification in verifications {
        transaction.execute(
            "INSERT INTO verification (intent_id, ended_ms, body) VALUES (?1, ?2, ?3)",
            params![
                verification.intent,
                verification.ended_at.as_millis(),
                to_readable_body(verification, || format!("a verification of {}", verification.intent))?
            ],
        )?;
    }
    Ok(())
}
