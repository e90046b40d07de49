//! Taking over what another store had of a subject, for a recording that begins within a loop's life.

use rusqlite::{Transaction, params};

use crate::store::sqlite::trouble::Trouble;
use crate::store::sqlite::{commit_cycle, intent};
use crate::store::{CycleCommit, Snapshot};

/// Writes it as it is, as long as nothing of the subject is there.
pub(super) fn write(transaction: &Transaction<'_>, epoch: u64, subject: &str, from: Snapshot) -> Result<(), Trouble> {
    let conflict = |why: String| Err(Trouble::conflict(format!("what there is of {subject}"), why));
    let known: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM counter WHERE subject = ?1) OR EXISTS (SELECT 1 FROM intent WHERE subject = ?1)",
        params![subject],
        |row| row.get(0),
    )?;
    if known {
        return conflict("this store knows the subject already".to_owned());
    }
    let commit = CycleCommit {
        subject: subject.to_owned(),
        counters: from.counters,
        violations: from.violations,
        tickets: from.tickets,
        incidents: from.incidents,
        diagnoses: from.diagnoses,
        ..CycleCommit::default()
    };
    commit_cycle::write(transaction, epoch, &commit)?;
    for execution in &from.executions {
        let proposal = &execution.proposal;
        if proposal.subject != subject {
            return conflict(format!("intent {} is of {}", proposal.id, proposal.subject));
        }
        if execution.bind_hash != proposal.bind_hash() {
            return conflict(format!("intent {} has another hash than what it carries out", proposal.id));
        }
        intent::insert(transaction, execution)?;
    }
    Ok(())
}
