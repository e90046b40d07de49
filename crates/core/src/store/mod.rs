//! What must outlive the process: one trait of few, coarse commands, and the contract that every implementation keeps.
//!
//! [`SqliteStore`](sqlite::SqliteStore) is the embedded default. One process owns the store for writing; reading works
//! beside it.

mod claim;
mod commit;
#[cfg(any(test, feature = "store-contract"))]
pub mod contract;
mod error;
mod filter;
mod kill_switch;
mod snapshot;
pub mod sqlite;

pub use claim::{BudgetCharge, ClaimError, ClaimGate, Claimed, Finish, Finished, Refusal};
pub use commit::CycleCommit;
pub use error::StoreError;
pub use filter::{ExecutionFilter, TicketFilter};
pub use kill_switch::{KillAcknowledgement, KillScope, KillState};
pub use snapshot::{Counters, Lease, Snapshot};

use operator_protocols::{BoxFuture, Timestamp};
use operator_reasoner::{Deliberation, Diagnosis, EvidencePack};

use crate::audit::ChainStatus;
use crate::{
    Approval, Attempt, AuditEvent, AuditRow, Execution, Incident, Mark, MarkReport, PastCase, Principal, Ticket,
    Verification,
};

/// What every store does.
///
/// Every command that changes anything takes the caller's lease epoch and changes nothing when another epoch holds.
pub trait Store: Send + Sync {
    /// Takes the lease: from then on this process owns the store. Fails at once with [`StoreError::Locked`] while
    /// another process holds it.
    fn acquire_lease<'a>(&'a self, holder: &'a str, now: Timestamp) -> BoxFuture<'a, Result<Lease, StoreError>>;

    /// Who this installation is: twelve hexadecimal digits, made once with the store.
    fn install_id(&self) -> BoxFuture<'_, Result<String, StoreError>>;

    /// Everything about `subject` that is not over: what a loop that starts needs.
    fn load<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Snapshot, StoreError>>;

    /// Takes over what another store had of `subject`, as it is, versions and all: a recording that begins within a loop's
    /// life is replayed from there. Refused with [`StoreError::Conflict`] where this store knows the subject already.
    fn restore<'a>(&'a self, epoch: u64, subject: &'a str, from: Snapshot) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Writes what one cycle changed, all of it or nothing, audit rows included, in one transaction.
    fn commit_cycle(&self, epoch: u64, commit: CycleCommit) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Records a person's decision and counts it on the intent's row, in one transaction: `version` and
    /// `approvals_revision` each grow by one. An approved intent can still be decided on, until it is claimed. Refused with
    /// [`StoreError::Conflict`] when the intent does not wait for one or its hash is another.
    fn decide(&self, epoch: u64, approval: Approval, audit: AuditEvent) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Claims an intent for sending. Every condition of the gate is checked in the one transaction that sets it
    /// `dispatched` and writes the attempt and the audit row.
    fn claim(&self, gate: ClaimGate) -> BoxFuture<'_, Result<Claimed, ClaimError>>;

    /// Writes what came of an attempt: compare-and-set on (intent, attempt, epoch, state) and on the lease's epoch. An
    /// answer that comes too late changes nothing and is kept as evidence.
    fn finish(&self, finish: Finish) -> BoxFuture<'_, Result<Finished, StoreError>>;

    /// Engages the kill switch. When it answers, no claim commits any more within the scope.
    fn engage_kill_switch<'a>(
        &'a self,
        scope: KillScope,
        by: &'a Principal,
        reason: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<KillAcknowledgement, StoreError>>;

    /// Releases the kill switch.
    fn release_kill_switch<'a>(
        &'a self,
        scope: KillScope,
        by: &'a Principal,
        reason: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Every scope that is or was engaged, the file included.
    fn kill_switch(&self) -> BoxFuture<'_, Result<Vec<KillState>, StoreError>>;

    /// Tickets, newest first.
    fn tickets<'a>(&'a self, filter: &'a TicketFilter) -> BoxFuture<'a, Result<Vec<Ticket>, StoreError>>;

    /// Incidents, newest first, at most `limit`.
    fn incidents<'a>(
        &'a self,
        subject: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Incident>, StoreError>>;

    /// One incident.
    fn incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Incident>, StoreError>>;

    /// The diagnoses of an incident, oldest first, with their ids.
    fn diagnoses<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<Vec<(String, Diagnosis)>, StoreError>>;

    /// The evidence that a diagnosis rests on: all of it, or what it cites, where all was too much to keep.
    fn evidence<'a>(&'a self, diagnosis: &'a str) -> BoxFuture<'a, Result<Option<EvidencePack>, StoreError>>;

    /// How the answers were reached that were taken while a diagnosis stood, oldest first.
    fn deliberations<'a>(&'a self, diagnosis: &'a str) -> BoxFuture<'a, Result<Vec<Deliberation>, StoreError>>;

    /// Incidents of this kind of system that are over, the latest first, at most `limit`.
    fn past_cases<'a>(&'a self, kind: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<PastCase>, StoreError>>;

    /// What people said of diagnoses: the last of each incident, newest first, at most `limit`; the withdrawn too.
    fn marks<'a>(&'a self, subject: Option<&'a str>, limit: u32) -> BoxFuture<'a, Result<Vec<Mark>, StoreError>>;

    /// How often diagnoses were right, as far as people said.
    fn mark_report<'a>(&'a self, subject: Option<&'a str>) -> BoxFuture<'a, Result<MarkReport, StoreError>>;

    /// Executions, newest first.
    fn executions<'a>(&'a self, filter: &'a ExecutionFilter) -> BoxFuture<'a, Result<Vec<Execution>, StoreError>>;

    /// The decisions on an intent, oldest first.
    fn approvals<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, Result<Vec<Approval>, StoreError>>;

    /// The attempts of an intent, oldest first.
    fn attempts<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, Result<Vec<Attempt>, StoreError>>;

    /// The verifications of an intent, oldest first.
    fn verifications<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, Result<Vec<Verification>, StoreError>>;

    /// Audit rows from `from_seq` on, oldest first, at most `limit`.
    fn audit(&self, from_seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<AuditRow>, StoreError>>;

    /// Goes along the whole audit chain, over what is stored to the byte. An error means that it could not be read, not
    /// that it is broken.
    fn verify_audit(&self) -> BoxFuture<'_, Result<ChainStatus, StoreError>>;

    /// Writes one audit row that belongs to no other change. It counts as a change by the holder of the lease that this
    /// process took last.
    fn append_audit(&self, event: AuditEvent) -> BoxFuture<'_, Result<(), StoreError>>;
}
