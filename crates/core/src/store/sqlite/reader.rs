//! The connections that read: a few threads, each with its own, none of which a writer has to wait for.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use crate::store::StoreError;
use crate::store::sqlite::connection::{database_path, open_reader};
use crate::store::sqlite::migration;
use crate::store::sqlite::trouble::{Trouble, unavailable};

/// How many threads read: one for the loop, one for whoever looks.
const THREADS: usize = 2;

type Job = Box<dyn FnOnce(&mut ReaderState) + Send>;

struct ReaderState {
    state_dir: PathBuf,
    connection: Option<Connection>,
}

impl ReaderState {
    /// Runs `work` over one consistent state of the database.
    fn read<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let result = self.try_read(work);
        if result.as_ref().is_err_and(Trouble::spoils_connection) {
            self.connection = None;
        }
        result
    }

    fn try_read<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, Trouble> {
        if self.connection.is_none() {
            let connection = open_reader(&database_path(&self.state_dir))?;
            let found = migration::check(&connection)?;
            if found < migration::known() {
                let why = format!("it has schema {found}, not {}: start the operator on it once", migration::known());
                return Err(unavailable("be read", why).into());
            }
            self.connection = Some(connection);
        }
        let connection = self.connection.as_mut().ok_or(Trouble::Sql(rusqlite::Error::InvalidQuery))?;
        work(&connection.transaction()?)
    }
}

/// The handle to the threads; they end when it is dropped.
pub(super) struct Readers {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads. They open the database when they are first asked for something.
    pub(super) fn start(state_dir: &std::path::Path) -> Result<Self, StoreError> {
        let (jobs, inbox) = channel::<Job>();
        let inbox = Arc::new(Mutex::new(inbox));
        let threads = (0..THREADS)
            .map(|number| {
                let inbox = Arc::clone(&inbox);
                let mut state = ReaderState { state_dir: state_dir.to_owned(), connection: None };
                std::thread::Builder::new()
                    .name(format!("store-reader-{number}"))
                    .spawn(move || {
                        while let Some(job) = next(&inbox) {
                            job(&mut state);
                        }
                    })
                    .map_err(|error| unavailable("start its readers", error))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { jobs: Some(jobs), threads })
    }

    /// Has `work` done over one consistent state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |state| {
            // Nobody may be waiting any more.
            let _gone = reply.send(state.read(work));
        });
        let ended = || Trouble::Store(unavailable("reach its readers", "their threads have ended"));
        self.jobs.as_ref().ok_or_else(ended)?.send(job).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

fn next(inbox: &Mutex<Receiver<Job>>) -> Option<Job> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Drop for Readers {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to close.
            let _panicked = thread.join();
        }
    }
}
