//! The store itself: which command goes where.

use std::fmt;
use std::path::{Path, PathBuf};

use operator_protocols::{BoxFuture, Timestamp};
use operator_reasoner::{Deliberation, Diagnosis, EvidencePack};
use rusqlite::Transaction;
use tokio::sync::oneshot;

use crate::audit::ChainStatus;
use crate::store::sqlite::connection::{check_version, database_path, make_files, open_writer};
use crate::store::sqlite::reader::Readers;
use crate::store::sqlite::trouble::{Trouble, unavailable};
use crate::store::sqlite::writer::{Writer, WriterState};
use crate::store::sqlite::{
    audit_log, claim, commit_cycle, decide, finish, kill_switch, learning, lease, migration, restore, select, snapshot,
    switch_row,
};
use crate::store::{
    ClaimError, ClaimGate, Claimed, CycleCommit, ExecutionFilter, Finish, Finished, KillAcknowledgement, KillScope,
    KillState, Lease, Snapshot, Store, StoreError, TicketFilter,
};
use crate::{
    Approval, Attempt, AuditEvent, AuditRow, Execution, Incident, Mark, MarkReport, PastCase, Principal, Ticket,
    Verification,
};

/// The embedded store. Dropping it finishes what was asked for, closes the database and frees the lease.
pub struct SqliteStore {
    state_dir: PathBuf,
    writer: Option<Writer>,
    readers: Readers,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state_dir, writer, .. } = self;
        f.debug_struct("SqliteStore").field("state_dir", state_dir).field("writes", &writer.is_some()).finish()
    }
}

impl SqliteStore {
    /// Opens the store in `state_dir`, making directory, database and schema where they are missing. It can be written
    /// to once the lease is taken.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`]; [`StoreError::Locked`] when the schema must be changed while another process owns
    /// the store; [`StoreError::Unavailable`] for everything else.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        check_version(rusqlite::version_number())?;
        make_files(state_dir)?;
        kill_switch::make_lock(state_dir)?;
        let doing = || format!("open {}", database_path(state_dir).display());
        let mut connection = open_writer(&database_path(state_dir)).map_err(|trouble| trouble.into_store(&doing()))?;
        migration::migrate(&mut connection, state_dir).map_err(|trouble| trouble.into_store(&doing()))?;
        let writer = Writer::start(state_dir.to_owned(), connection)?;
        Ok(Self { state_dir: state_dir.to_owned(), writer: Some(writer), readers: Readers::start(state_dir)? })
    }

    /// Opens the store in `state_dir` for reading alone, whether or not another process owns it. Commands that change
    /// anything answer [`StoreError::Unavailable`], except that the kill switch is still engaged, by file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no store. Whether it can be read shows when it is.
    pub fn open_read_only(state_dir: &Path) -> Result<Self, StoreError> {
        check_version(rusqlite::version_number())?;
        let path = database_path(state_dir);
        if !path.is_file() {
            return Err(unavailable(format!("open {}", path.display()), "there is no such file: no operator ran here"));
        }
        Ok(Self { state_dir: state_dir.to_owned(), writer: None, readers: Readers::start(state_dir)? })
    }

    /// Where it is.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Lets the database grow to at most `pages` pages (4,096 bytes each), or to what it has already, if that is more.
    /// Beyond that it is full: commands answer [`StoreError::Unavailable`]. Holds until the store is opened again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn limit_size(&self, pages: u32) -> Result<(), StoreError> {
        let limit = move |writer: &mut WriterState| {
            Ok(writer.connection()?.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
        };
        self.writer()?.run(limit).await.map_err(|trouble| trouble.into_store("limit its size"))
    }

    pub(super) fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| unavailable("be written to", "it is open for reading only"))
    }

    async fn write<T: Send + 'static>(
        &self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let job = move |writer: &mut WriterState| writer.transaction(work);
        self.writer()?.run(job).await.map_err(|trouble| trouble.into_store(doing))
    }

    async fn write_as_owner<T: Send + 'static>(
        &self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let job = move |writer: &mut WriterState| {
            writer.owned()?;
            writer.transaction(work)
        };
        self.writer()?.run(job).await.map_err(|trouble| trouble.into_store(doing))
    }

    async fn read<T: Send + 'static>(
        &self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await.map_err(|trouble| trouble.into_store(doing))
    }

    /// Does `work`, which waits for locks on files, on a thread of its own: the writer's may be what it waits for.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let state_dir = self.state_dir.clone();
        std::thread::Builder::new()
            .name("kill-switch".to_owned())
            .spawn(move || {
                // Nobody may be waiting any more.
                let _gone = reply.send(work(&state_dir));
            })
            .map_err(|error| unavailable("start a thread", error))?;
        answer.await.map_err(|error| unavailable("finish what its thread did", error))?
    }
}

impl Store for SqliteStore {
    fn acquire_lease<'a>(&'a self, holder: &'a str, now: Timestamp) -> BoxFuture<'a, Result<Lease, StoreError>> {
        let holder = holder.to_owned();
        Box::pin(async move {
            let job = move |writer: &mut WriterState| {
                // Dropped, and so freed, if the epoch cannot be begun.
                let new_lock = if writer.lock.is_none() { Some(lease::lock(writer.state_dir())?) } else { None };
                let lease = writer.transaction(|transaction| lease::begin_epoch(transaction, &holder, now))?;
                writer.lock = new_lock.or_else(|| writer.lock.take());
                writer.epoch = lease.epoch;
                Ok(lease)
            };
            self.writer()?.run(job).await.map_err(|trouble| trouble.into_store("take the lease"))
        })
    }

    fn install_id(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        Box::pin(self.read("read who this installation is", |read| audit_log::install_id(read)))
    }

    fn load<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Snapshot, StoreError>> {
        let subject = subject.to_owned();
        Box::pin(self.read("load what is not over", move |read| snapshot::load(read, &subject)))
    }

    fn restore<'a>(&'a self, epoch: u64, subject: &'a str, from: Snapshot) -> BoxFuture<'a, Result<(), StoreError>> {
        let subject = subject.to_owned();
        let work = move |write: &Transaction<'_>| restore::write(write, epoch, &subject, from);
        Box::pin(self.write_as_owner("take over what was", work))
    }

    fn commit_cycle(&self, epoch: u64, commit: CycleCommit) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write_as_owner("commit the cycle", move |write| commit_cycle::write(write, epoch, &commit)))
    }

    fn decide(&self, epoch: u64, approval: Approval, audit: AuditEvent) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write_as_owner("record the decision", move |write| decide::write(write, epoch, &approval, audit)))
    }

    fn claim(&self, gate: ClaimGate) -> BoxFuture<'_, Result<Claimed, ClaimError>> {
        Box::pin(async move {
            let job = move |writer: &mut WriterState| claim::claim(writer, &gate);
            self.writer()?.run(job).await.map_err(|trouble| trouble.into_claim("claim the intent"))
        })
    }

    fn finish(&self, finish: Finish) -> BoxFuture<'_, Result<Finished, StoreError>> {
        Box::pin(self.write_as_owner("write the outcome", move |write| finish::finish(write, &finish)))
    }

    fn engage_kill_switch<'a>(
        &'a self,
        scope: KillScope,
        by: &'a Principal,
        reason: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<KillAcknowledgement, StoreError>> {
        let (by, reason) = (by.clone(), reason.to_owned());
        Box::pin(async move {
            let file = {
                let (scope, by, reason) = (scope.clone(), by.name.clone(), reason.clone());
                self.beside(move |dir| kill_switch::engage_by_file(dir, &scope, &by, &reason, now)).await
            };
            let row = {
                let scope = scope.clone();
                let work = move |write: &Transaction<'_>| switch_row::engage(write, &scope, &by, &reason, now);
                self.write("engage the kill switch", work).await
            };
            for error in [file.as_ref().err(), row.as_ref().err()].into_iter().flatten() {
                tracing::warn!(%scope, error = %error, cause = ?std::error::Error::source(error), "the kill switch was engaged by half");
            }
            match (file, row) {
                (Err(error), Err(_)) => Err(error),
                (file, row) => Ok(KillAcknowledgement {
                    scope,
                    file_written: file.is_ok(),
                    row_written: row.is_ok(),
                    in_flight: row.unwrap_or_default(),
                }),
            }
        })
    }

    fn release_kill_switch<'a>(
        &'a self,
        scope: KillScope,
        by: &'a Principal,
        reason: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (by, reason) = (by.clone(), reason.to_owned());
        Box::pin(async move {
            if reason.trim().is_empty() {
                let why = "releasing it needs a reason".to_owned();
                return Err(StoreError::Conflict { what: "the kill switch".to_owned(), why });
            }
            // The file last: whatever fails on the way leaves it engaged.
            let row = scope.clone();
            let work = move |write: &Transaction<'_>| switch_row::release(write, &row, &by, &reason, now);
            self.write("release the kill switch", work).await?;
            self.beside(move |dir| kill_switch::release_by_file(dir, &scope)).await?;
            Ok(())
        })
    }

    fn kill_switch(&self) -> BoxFuture<'_, Result<Vec<KillState>, StoreError>> {
        Box::pin(async move {
            let files = kill_switch::engaged_files(&self.state_dir)?;
            match self.read("read the kill switch", |read| switch_row::read(read)).await {
                Ok(rows) => Ok(switch_row::merge(rows, files)),
                // With the database down, what the files say is still true.
                Err(_) if !files.is_empty() => Ok(files),
                Err(error) => Err(error),
            }
        })
    }

    fn tickets<'a>(&'a self, filter: &'a TicketFilter) -> BoxFuture<'a, Result<Vec<Ticket>, StoreError>> {
        let filter = filter.clone();
        Box::pin(self.read("read tickets", move |read| select::tickets(read, &filter)))
    }

    fn incidents<'a>(
        &'a self,
        subject: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Incident>, StoreError>> {
        let subject = subject.map(str::to_owned);
        Box::pin(self.read("read incidents", move |read| select::incidents(read, subject.as_deref(), limit)))
    }

    fn incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Incident>, StoreError>> {
        let id = id.to_owned();
        Box::pin(self.read("read an incident", move |read| select::incident(read, &id)))
    }

    fn diagnoses<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<Vec<(String, Diagnosis)>, StoreError>> {
        let incident = incident.to_owned();
        Box::pin(self.read("read diagnoses", move |read| select::diagnoses(read, &incident)))
    }

    fn evidence<'a>(&'a self, diagnosis: &'a str) -> BoxFuture<'a, Result<Option<EvidencePack>, StoreError>> {
        let diagnosis = diagnosis.to_owned();
        Box::pin(self.read("read evidence", move |read| learning::evidence(read, &diagnosis)))
    }

    fn deliberations<'a>(&'a self, diagnosis: &'a str) -> BoxFuture<'a, Result<Vec<Deliberation>, StoreError>> {
        let diagnosis = diagnosis.to_owned();
        Box::pin(self.read("read deliberations", move |read| learning::deliberations(read, &diagnosis)))
    }

    fn past_cases<'a>(&'a self, kind: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<PastCase>, StoreError>> {
        let kind = kind.to_owned();
        Box::pin(self.read("read past cases", move |read| learning::past_cases(read, &kind, limit)))
    }

    fn marks<'a>(&'a self, subject: Option<&'a str>, limit: u32) -> BoxFuture<'a, Result<Vec<Mark>, StoreError>> {
        let subject = subject.map(str::to_owned);
        Box::pin(self.read("read marks", move |read| learning::marks(read, subject.as_deref(), limit)))
    }

    fn mark_report<'a>(&'a self, subject: Option<&'a str>) -> BoxFuture<'a, Result<MarkReport, StoreError>> {
        let subject = subject.map(str::to_owned);
        Box::pin(self.read("count marks", move |read| learning::mark_report(read, subject.as_deref())))
    }

    fn executions<'a>(&'a self, filter: &'a ExecutionFilter) -> BoxFuture<'a, Result<Vec<Execution>, StoreError>> {
        let filter = filter.clone();
        Box::pin(self.read("read executions", move |read| select::executions(read, &filter)))
    }

    fn approvals<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, Result<Vec<Approval>, StoreError>> {
        let intent = intent.to_owned();
        Box::pin(self.read("read decisions", move |read| decide::read(read, &intent)))
    }

    fn attempts<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, Result<Vec<Attempt>, StoreError>> {
        let intent = intent.to_owned();
        Box::pin(self.read("read attempts", move |read| finish::attempts(read, &intent)))
    }

    fn verifications<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, Result<Vec<Verification>, StoreError>> {
        let intent = intent.to_owned();
        Box::pin(self.read("read verifications", move |read| select::verifications(read, &intent)))
    }

    fn audit(&self, from_seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<AuditRow>, StoreError>> {
        Box::pin(self.read("read the audit chain", move |read| audit_log::read(read, from_seq, limit)))
    }

    fn verify_audit(&self) -> BoxFuture<'_, Result<ChainStatus, StoreError>> {
        Box::pin(self.read("verify the audit chain", |read| audit_log::verify(read)))
    }

    fn append_audit(&self, event: AuditEvent) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let job = move |writer: &mut WriterState| {
                writer.owned()?;
                let held = writer.epoch;
                writer.transaction(|transaction| {
                    lease::check_epoch(transaction, held)?;
                    audit_log::append(transaction, &[event])
                })
            };
            self.writer()?.run(job).await.map_err(|trouble| trouble.into_store("write to the audit chain"))
        })
    }
}
