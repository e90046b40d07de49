//! What came of an attempt: a compare-and-set, and evidence where it came too late.

use rusqlite::{Connection, Transaction, params};
use serde_json::json;

use operator_protocols::Timestamp;

use crate::store::sqlite::rows::{from_int, from_int32};
use crate::store::sqlite::trouble::Trouble;
use crate::store::sqlite::{audit_log, intent, lease};
use crate::store::{Finish, Finished};
use crate::{Attempt, AuditEvent, Execution, ExecutionState};

/// Writes the outcome, or keeps it as evidence.
pub(super) fn finish(transaction: &Transaction<'_>, finish: &Finish) -> Result<Finished, Trouble> {
    if finish.to == ExecutionState::Dispatched || !finish.from.may_become(finish.to) {
        let why = format!("{} cannot become {} by an outcome", finish.from, finish.to);
        return Err(Trouble::conflict(format!("intent {}", finish.intent), why));
    }
    let stored = intent::find(transaction, &finish.intent)?;
    let epoch = lease::current_epoch(transaction)?;
    match stored {
        None => keep(transaction, finish, "there is no such intent".to_owned()),
        Some(execution) => match too_late(&execution, epoch, finish) {
            Some(why) => keep(transaction, finish, why),
            None => apply(transaction, finish, execution),
        },
    }
}

fn too_late(stored: &Execution, lease_epoch: u64, finish: &Finish) -> Option<String> {
    if lease_epoch != finish.epoch {
        return Some(format!("the lease is at epoch {lease_epoch}, the attempt was claimed in {}", finish.epoch));
    }
    if (stored.attempt, stored.epoch) != (finish.attempt, finish.epoch) {
        return Some(format!(
            "the intent is at attempt {} of epoch {}, this is of attempt {} of epoch {}",
            stored.attempt, stored.epoch, finish.attempt, finish.epoch
        ));
    }
    (stored.state != finish.from).then(|| format!("the intent is {}, not {}", stored.state, finish.from))
}

fn apply(transaction: &Transaction<'_>, finish: &Finish, mut execution: Execution) -> Result<Finished, Trouble> {
    execution.state = finish.to;
    execution.state_reason = finish.reason.clone();
    execution.deadline = finish.deadline;
    execution.updated_at = finish.now;
    if finish.to == ExecutionState::Done {
        execution.done_at = Some(finish.now);
    }
    execution.version += 1;
    intent::update(transaction, &execution)?;
    // One that was only accepted has not ended.
    let ended = (finish.to != ExecutionState::Running).then(|| finish.now.as_millis());
    transaction.execute(
        "UPDATE attempt SET ended_ms = ?3, outcome = ?4, response_sha256 = COALESCE(?5, response_sha256) \
         WHERE intent_id = ?1 AND attempt = ?2",
        params![finish.intent, finish.attempt, ended, finish.to.name(), finish.response_sha256],
    )?;
    audit_log::append(transaction, std::slice::from_ref(&finish.audit))?;
    Ok(Finished::Applied { version: execution.version })
}

fn keep(transaction: &Transaction<'_>, finish: &Finish, why: String) -> Result<Finished, Trouble> {
    let body = json!({
        "attempt": finish.attempt,
        "epoch": finish.epoch,
        "from": finish.from,
        "to": finish.to,
        "reason": finish.reason,
        "response_sha256": finish.response_sha256,
        "why": why,
        "event": { "kind": finish.audit.kind, "body": finish.audit.body },
    });
    let evidence = AuditEvent {
        at: finish.now,
        actor: finish.audit.actor.clone(),
        kind: "action.late_outcome".to_owned(),
        reference: finish.intent.clone(),
        body,
    };
    audit_log::append(transaction, &[evidence])?;
    Ok(Finished::Stale { why })
}

/// The attempts of an intent, oldest first.
pub(super) fn attempts(connection: &Connection, intent: &str) -> Result<Vec<Attempt>, Trouble> {
    let mut select = connection.prepare(
        "SELECT attempt, epoch, began_ms, ended_ms, outcome, response_sha256 FROM attempt WHERE intent_id = ?1 \
         ORDER BY attempt",
    )?;
    let mut rows = select.query([intent])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(Attempt {
            intent: intent.to_owned(),
            attempt: from_int32(row.get(0)?, "an attempt")?,
            epoch: from_int(row.get(1)?, "an attempt's epoch")?,
            began_at: Timestamp::from_millis(row.get(2)?),
            ended_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
            outcome: row.get(4)?,
            response_sha256: row.get(5)?,
        });
    }
    Ok(attempts)
}
