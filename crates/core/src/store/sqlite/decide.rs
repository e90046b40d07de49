//! A person's decision, and its count on the intent's row: what a claim reads, so that the two cannot miss each other.

use rusqlite::{Connection, Transaction, params};

use operator_protocols::Timestamp;

use crate::store::sqlite::rows::{from_body, to_body};
use crate::store::sqlite::trouble::Trouble;
use crate::store::sqlite::{audit_log, intent, lease};
use crate::{Approval, AuditEvent, Decision, ExecutionState, Role};

/// Writes the decision.
pub(super) fn write(
    transaction: &Transaction<'_>,
    epoch: u64,
    approval: &Approval,
    audit: AuditEvent,
) -> Result<(), Trouble> {
    lease::check_epoch(transaction, epoch)?;
    let conflict = |why: String| Err(Trouble::conflict(format!("intent {}", approval.intent), why));
    let Some(mut execution) = intent::find(transaction, &approval.intent)? else {
        return conflict("there is none of that id".to_owned());
    };
    // An approved one still waits for its claim: somebody may think better of it.
    if !matches!(execution.state, ExecutionState::AwaitingApproval | ExecutionState::Approved) {
        return conflict(format!("it is {} and waits for no decision", execution.state));
    }
    if approval.bind_hash != execution.bind_hash {
        return conflict(format!("its hash is {}, the decision is on {}", execution.bind_hash, approval.bind_hash));
    }
    if !approval.approver.may(Role::Approver) {
        return conflict(format!("{} may not decide on it", approval.approver.name));
    }
    let decision = match approval.decision {
        Decision::Approve => "approve",
        Decision::Reject => "reject",
    };
    transaction.execute(
        "INSERT INTO approval (intent_id, approver, bind_hash, decision, at_ms, expires_ms, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            approval.intent,
            approval.approver.name,
            approval.bind_hash,
            decision,
            approval.at.as_millis(),
            approval.expires_at.as_millis(),
            to_body(approval)
        ],
    )?;
    execution.approvals_revision += 1;
    execution.version += 1;
    execution.updated_at = approval.at;
    intent::update(transaction, &execution)?;
    audit_log::append(transaction, &[audit])
}

/// The decisions on an intent, oldest first.
pub(super) fn read(connection: &Connection, intent: &str) -> Result<Vec<Approval>, Trouble> {
    let mut select = connection.prepare("SELECT body FROM approval WHERE intent_id = ?1 ORDER BY seq")?;
    let mut rows = select.query([intent])?;
    let mut approvals = Vec::new();
    while let Some(row) = rows.next()? {
        approvals.push(from_body(&row.get::<_, String>(0)?, || format!("a decision on {intent}"))?);
    }
    Ok(approvals)
}

/// What the decisions on an intent come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many different people approve, of those who may.
    pub(super) approve: u32,
    /// Somebody who may and rejects.
    pub(super) rejected_by: Option<String>,
}

/// Counts the latest decision of each of `approvers` on what has `bind_hash`. Nobody approves their own request where
/// two are needed (`requester`). An approval ends; a rejection does not.
pub(super) fn tally(
    decisions: &[Approval],
    approvers: &[String],
    bind_hash: &str,
    requester: Option<&str>,
    now: Timestamp,
) -> Tally {
    let mut tally = Tally { approve: 0, rejected_by: None };
    let mut counted: Vec<&str> = Vec::new();
    for decision in decisions.iter().rev() {
        let name = decision.approver.name.as_str();
        let may = decision.approver.may(Role::Approver) && approvers.iter().any(|approver| approver == name);
        if !may || decision.bind_hash != bind_hash || counted.contains(&name) {
            continue;
        }
        counted.push(name);
        match decision.decision {
            Decision::Reject => tally.rejected_by = Some(name.to_owned()),
            Decision::Approve if now < decision.expires_at && requester != Some(name) => tally.approve += 1,
            Decision::Approve => {}
        }
    }
    tally
}
