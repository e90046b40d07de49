//! An execution as a row: the proposal as JSON, everything that changes in columns.

use operator_protocols::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::store::StoreError;
use crate::store::sqlite::rows::{from_body, from_int, from_int32, to_body, to_int, to_readable_body};
use crate::store::sqlite::trouble::{Trouble, corrupt};
use crate::{Execution, ExecutionState};

/// The columns that [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, bind_hash, state, state_reason, quorum, approvals_rev, attempt, epoch, \
                                  send_by_ms, deadline_ms, updated_ms, done_ms, version, body";

/// The execution in a row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> Result<Execution, Trouble> {
    let id: String = row.get(0)?;
    let what = |part: &str| format!("{part} of intent {id}");
    let state: String = row.get(2)?;
    let instant = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    Ok(Execution {
        proposal: from_body(&row.get::<_, String>(13)?, || what("the proposal"))?,
        bind_hash: row.get(1)?,
        state: ExecutionState::from_name(&state)
            .ok_or_else(|| corrupt(what("a state"), format!("{state:?} is no state")))?,
        state_reason: row.get(3)?,
        quorum: from_int32(row.get(4)?, &what("the quorum"))?,
        approvals_revision: from_int(row.get(5)?, &what("the approvals' revision"))?,
        attempt: from_int32(row.get(6)?, &what("the attempt"))?,
        epoch: from_int(row.get(7)?, &what("the epoch"))?,
        send_by: instant(row.get(8)?),
        deadline: instant(row.get(9)?),
        updated_at: Timestamp::from_millis(row.get(10)?),
        done_at: instant(row.get(11)?),
        version: from_int(row.get(12)?, &what("the version"))?,
    })
}

/// The execution of that id.
pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<Execution>, Trouble> {
    let sql = format!("SELECT {COLUMNS} FROM intent WHERE id = ?1");
    connection.query_row(&sql, [id], |row| Ok(read(row))).optional()?.transpose()
}

/// Writes a new execution, or a change to a stored one, in a commit of `epoch`.
pub(super) fn write(transaction: &Transaction<'_>, epoch: u64, execution: &Execution) -> Result<(), Trouble> {
    match find(transaction, &execution.proposal.id)? {
        Some(stored) => {
            may_change(&stored, execution, epoch)?;
            update(transaction, execution)
        }
        None => {
            may_begin(execution)?;
            insert(transaction, execution)
        }
    }
}

fn may_begin(execution: &Execution) -> Result<(), Trouble> {
    use ExecutionState::{Approved, AwaitingApproval, Cancelled, Expired, Proposed};
    let conflict = |why: String| Err(Trouble::conflict(format!("intent {}", execution.proposal.id), why));
    if execution.version != 1 {
        return conflict(format!("version {} was to be written, and there is none yet", execution.version));
    }
    if !matches!(execution.state, Proposed | AwaitingApproval | Approved | Cancelled | Expired) {
        return conflict(format!("it is new and cannot be {}", execution.state));
    }
    if execution.attempt != 0 || execution.approvals_revision != 0 {
        return conflict("it is new and cannot have been decided on or attempted".to_owned());
    }
    let actual = execution.proposal.bind_hash();
    if execution.bind_hash != actual {
        return conflict(format!("its hash is {actual}, not {}", execution.bind_hash));
    }
    Ok(())
}

fn may_change(stored: &Execution, new: &Execution, epoch: u64) -> Result<(), Trouble> {
    let conflict = |why: String| Err(Trouble::conflict(format!("intent {}", stored.proposal.id), why));
    if new.version != stored.version + 1 {
        return conflict(format!("version {} was to be written over version {}", new.version, stored.version));
    }
    if stored.state.terminal() {
        return conflict(format!("it is {}, which is final", stored.state));
    }
    if new.state == ExecutionState::Dispatched && stored.state != ExecutionState::Dispatched {
        return conflict(format!("{} became dispatched without a claim", stored.state));
    }
    if new.state != stored.state && !stored.state.may_become(new.state) {
        return conflict(format!("{} cannot become {}", stored.state, new.state));
    }
    if new.proposal != stored.proposal || new.bind_hash != stored.bind_hash {
        return conflict("what it carries out was to be changed".to_owned());
    }
    if (new.attempt, new.approvals_revision) != (stored.attempt, stored.approvals_revision) {
        return conflict("only a claim changes the attempt, only a decision the approvals' revision".to_owned());
    }
    // Whoever takes over makes what was in flight its own.
    if new.epoch != stored.epoch && new.epoch != epoch {
        return conflict(format!("epoch {} was to be written in epoch {epoch}", new.epoch));
    }
    if new.quorum < stored.quorum {
        return conflict(format!("{} approvals were needed, {} were to be enough", stored.quorum, new.quorum));
    }
    Ok(())
}

/// Writes one that is not there, as it is.
pub(super) fn insert(transaction: &Transaction<'_>, execution: &Execution) -> Result<(), Trouble> {
    let proposal = &execution.proposal;
    transaction.execute(
        "INSERT INTO intent (id, subject, incident_id, slot, kind, class, bind_hash, obs_hash, policy_rev, quorum, \
         approvals_rev, state, state_reason, attempt, epoch, send_by_ms, deadline_ms, created_ms, expires_ms, \
         updated_ms, done_ms, version, undo_of, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
         ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
        params![
            proposal.id,
            proposal.subject,
            proposal.incident,
            proposal.slot(),
            proposal.action,
            to_body(&proposal.class).trim_matches('"'),
            execution.bind_hash,
            proposal.observation_hash,
            proposal.policy_revision,
            execution.quorum,
            to_int(execution.approvals_revision),
            execution.state.name(),
            execution.state_reason,
            execution.attempt,
            to_int(execution.epoch),
            execution.send_by.map(Timestamp::as_millis),
            execution.deadline.map(Timestamp::as_millis),
            proposal.created_at.as_millis(),
            proposal.expires_at.as_millis(),
            execution.updated_at.as_millis(),
            execution.done_at.map(Timestamp::as_millis),
            to_int(execution.version),
            proposal.undo_of,
            to_readable_body(proposal, || format!("intent {}", proposal.id))?,
        ],
    )?;
    Ok(())
}

/// Writes what may change of a stored execution, over the version before.
pub(super) fn update(transaction: &Transaction<'_>, execution: &Execution) -> Result<(), Trouble> {
    let id = &execution.proposal.id;
    let changed = transaction.execute(
        "UPDATE intent SET quorum = ?2, approvals_rev = ?3, state = ?4, state_reason = ?5, attempt = ?6, epoch = ?7, \
         send_by_ms = ?8, deadline_ms = ?9, updated_ms = ?10, done_ms = ?11, version = ?12 \
         WHERE id = ?1 AND version = ?12 - 1",
        params![
            id,
            execution.quorum,
            to_int(execution.approvals_revision),
            execution.state.name(),
            execution.state_reason,
            execution.attempt,
            to_int(execution.epoch),
            execution.send_by.map(Timestamp::as_millis),
            execution.deadline.map(Timestamp::as_millis),
            execution.updated_at.as_millis(),
            execution.done_at.map(Timestamp::as_millis),
            to_int(execution.version),
        ],
    )?;
    match changed {
        1 => Ok(()),
        _ => {
            Err(StoreError::Conflict { what: format!("intent {id}"), why: "its version is another".to_owned() }.into())
        }
    }
}
