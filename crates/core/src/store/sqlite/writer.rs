//! The one connection that writes, on a thread of its own: commands come to it one by one and are answered.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::store::StoreError;
use crate::store::sqlite::connection::{database_path, open_writer};
use crate::store::sqlite::migration;
use crate::store::sqlite::trouble::{Trouble, unavailable};

type Job = Box<dyn FnOnce(&mut WriterState) + Send>;

/// What the writer's thread owns.
pub(super) struct WriterState {
    state_dir: PathBuf,
    connection: Option<Connection>,
    /// The lease's lock, while this process holds it.
    pub(super) lock: Option<File>,
    /// The epoch that this process began last; 0 before.
    pub(super) epoch: u64,
}

impl WriterState {
    /// The state directory.
    pub(super) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Refuses a process that has not taken the lease: an epoch that it read somewhere gives it no right to write.
    pub(super) fn owned(&self) -> Result<(), StoreError> {
        if self.lock.is_some() {
            return Ok(());
        }
        Err(unavailable("be written to", "this process has not taken the lease"))
    }

    /// The connection; a new one, if the last one was spoiled.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, Trouble> {
        if self.connection.is_none() {
            let connection = open_writer(&database_path(&self.state_dir))?;
            migration::check(&connection)?;
            self.connection = Some(connection);
        }
        self.connection.as_mut().ok_or(Trouble::Sql(rusqlite::Error::InvalidQuery))
    }

    /// Runs `work` in a transaction that no other connection's can overlap. Its changes are kept only if it succeeds.
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let result = self.try_transaction(work);
        if result.as_ref().is_err_and(Trouble::spoils_connection) {
            self.connection = None;
        }
        result
    }

    fn try_transaction<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let transaction = self.connection()?.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

/// The handle to the thread. When it is dropped, the thread ends after what was asked of it, closes the database and
/// frees the lease.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread over an open, migrated database.
    pub(super) fn start(state_dir: PathBuf, connection: Connection) -> Result<Self, StoreError> {
        let (jobs, inbox) = channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let mut state = WriterState { state_dir, connection: Some(connection), lock: None, epoch: 0 };
                while let Ok(job) = inbox.recv() {
                    job(&mut state);
                }
                // The database is closed before the lease is freed.
                state.connection = None;
            })
            .map_err(|error| unavailable("start its writer", error))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has `work` done on the thread. Once asked for it is done, even if nobody waits for the answer any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriterState) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |state| {
            // The asker may have gone; what was done stays done.
            let _gone = reply.send(work(state));
        });
        let ended = || Trouble::Store(unavailable("reach its writer", "the writer's thread has ended"));
        self.jobs.as_ref().ok_or_else(ended)?.send(job).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to close.
            let _panicked = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{ClaimError, Store};

    async fn set(store: &Writer, pragma: &'static str) {
        let run = |state: &mut WriterState| Ok(state.connection()?.execute_batch(pragma)?);
        store.run(run).await.expect("a setting");
    }

    #[tokio::test]
    async fn a_database_that_may_not_be_written_to_is_tried_anew_with_the_next_command() {
        use crate::store::contract::sample::{NOW, execution, gate, proposed};
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).expect("a new store");
        let epoch = store.acquire_lease("test", NOW).await.expect("a free lease").epoch;
        store.commit_cycle(epoch, proposed(&[execution(1)])).await.expect("it can be written to");
        let writer = store.writer().expect("a writer");

        // What SQLite says of a file that is read-only is what it says of this.
        set(writer, "PRAGMA query_only = ON").await;
        let error = store.claim(gate(&execution(1), epoch)).await.expect_err("read-only");
        let ClaimError::Store(StoreError::Unavailable { source, .. }) = error else { panic!("{error:?}") };
        assert!(source.to_string().contains("readonly"), "{source}");
        // The connection was given up, and the next one is as it should be.
        store.claim(gate(&execution(1), epoch)).await.expect("it resumes by itself");
        let settings = |state: &mut WriterState| {
            let mut of = |name| {
                state.connection()?.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(Trouble::from)
            };
            Ok([of("synchronous")?, of("foreign_keys")?])
        };
        assert_eq!(writer.run(settings).await.expect("settings"), [2, 1]);
    }

    #[tokio::test]
    async fn what_was_asked_for_is_done_before_it_ends_even_if_nobody_waits() {
        use crate::store::contract::sample::{NOW, event};
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = SqliteStore::open(dir.path()).expect("a new store");
        store.acquire_lease("test", NOW).await.expect("a free lease");
        let mut asked = store.append_audit(event("x", "x"));
        // Asked once, and then forgotten.
        std::future::poll_fn(|context| {
            let _not_yet = asked.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
        drop(asked);
        drop(store);
        let store = SqliteStore::open(dir.path()).expect("the store again");
        assert_eq!(store.audit(1, 10).await.expect("rows").len(), 1);
    }
}
