//! The thread that writes recordings. Whoever hands it lines never waits: what waits for the disk is bounded in bytes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use tokio::sync::oneshot;

use crate::recorder::retention;
use crate::recorder::ring::{Checkpoint, Line};
use crate::recorder::sink::{Sink, Target};
use crate::recorder::{EndReason, RecorderSettings};

mod file;

use file::RecordingFile;

/// What one recorder did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecorderStats {
    /// Records taken.
    pub records: u64,
    /// Files finished.
    pub files: u64,
    /// Recordings that ended because a record could not be kept.
    pub lost: u64,
    /// Incidents that got no file because too many were being written.
    pub skipped: u64,
    /// Failures of the file system.
    pub errors: u64,
}

#[derive(Debug, Default)]
struct Counters {
    records: AtomicU64,
    files: AtomicU64,
    lost: AtomicU64,
    skipped: AtomicU64,
    errors: AtomicU64,
    /// Bytes of lines that wait for the disk.
    queued: AtomicU64,
}

pub(super) enum Message {
    Open { sink: u64, target: Target, dead: Arc<AtomicBool>, start: Checkpoint, backlog: Vec<Line> },
    Line { sink: u64, line: Line },
    End { sink: u64, reason: EndReason },
    Sync(oneshot::Sender<()>),
}

/// The handle on the writing thread, which ends with it.
#[derive(Debug)]
pub(super) struct Writer {
    outbox: Sender<Message>,
    counters: Arc<Counters>,
    queue_bytes: u64,
}

impl Writer {
    pub(super) fn start(settings: &RecorderSettings) -> io::Result<Self> {
        let (outbox, inbox) = channel();
        let counters = Arc::new(Counters::default());
        let thread = Thread { settings: settings.clone(), counters: counters.clone(), files: BTreeMap::new() };
        std::thread::Builder::new().name("recorder".to_owned()).spawn(move || thread.run(&inbox))?;
        Ok(Self { outbox, counters, queue_bytes: settings.queue_bytes })
    }

    pub(super) fn open(&self, sink: &Sink, start: Checkpoint, backlog: Vec<Line>) {
        let (target, dead) = (sink.target.clone(), sink.dead.clone());
        self.send(Message::Open { sink: sink.number, target, dead, start, backlog });
    }

    /// Hands over a line, unless too much waits for the disk already.
    pub(super) fn line(&self, sink: u64, line: Line) -> bool {
        let bytes = line.len() as u64;
        if self.counters.queued.load(Ordering::Relaxed).saturating_add(bytes) > self.queue_bytes {
            return false;
        }
        self.counters.queued.fetch_add(bytes, Ordering::Relaxed);
        self.send(Message::Line { sink, line });
        true
    }

    pub(super) fn send(&self, message: Message) {
        // The thread lives as long as this handle; were it gone, there would be nobody to tell.
        if self.outbox.send(message).is_err() {
            self.counters.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) async fn sync(&self) {
        let (done, wait) = oneshot::channel();
        self.send(Message::Sync(done));
        let _ = wait.await;
    }

    pub(super) fn count_record(&self) {
        self.counters.records.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_lost(&self) {
        self.counters.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_skipped(&self) {
        self.counters.skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> RecorderStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RecorderStats {
            records: read(&self.counters.records),
            files: read(&self.counters.files),
            lost: read(&self.counters.lost),
            skipped: read(&self.counters.skipped),
            errors: read(&self.counters.errors),
        }
    }
}

/// What `path` is called while it is being written.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

struct Thread {
    settings: RecorderSettings,
    counters: Arc<Counters>,
    files: BTreeMap<u64, RecordingFile>,
}

impl Thread {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let message = match inbox.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    self.flush();
                    let Ok(message) = inbox.recv() else { break };
                    message
                }
            };
            self.handle(message);
        }
        // Nobody said that this is between two cycles: the files stay as they are, cut off.
        self.flush();
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Open { sink, target, dead, start, backlog } => {
                match RecordingFile::begin(&target, dead.clone(), &start, &backlog, &self.settings) {
                    Ok(file) => self.keep(sink, file),
                    Err(error) => {
                        dead.store(true, Ordering::Relaxed);
                        self.failed(&error, "a recording could not begin");
                    }
                }
            }
            Message::Line { sink, line } => {
                self.counters.queued.fetch_sub(line.len() as u64, Ordering::Relaxed);
                let Some(mut file) = self.files.remove(&sink) else { return };
                match file.line(&line) {
                    Ok(()) => self.keep(sink, file),
                    Err(error) => self.failed(&error, "a recording could not be written"),
                }
            }
            Message::End { sink, reason } => {
                if let Some(file) = self.files.remove(&sink) {
                    self.finish(file, reason);
                }
            }
            Message::Sync(done) => {
                self.flush();
                let _ = done.send(());
            }
        }
    }

    /// Keeps a file open, unless it is full.
    fn keep(&mut self, sink: u64, file: RecordingFile) {
        if file.is_full() {
            self.finish(file, EndReason::Size);
        } else {
            self.files.insert(sink, file);
        }
    }

    fn finish(&mut self, file: RecordingFile, reason: EndReason) {
        let incidents = file.is_of_an_incident();
        match file.end(reason) {
            Ok(path) => {
                tracing::info!(path = %path.display(), ?reason, "recorded");
                self.counters.files.fetch_add(1, Ordering::Relaxed);
                if let Some(directory) = path.parent().filter(|_| incidents) {
                    retention::prune(directory, &path, self.settings.keep_bytes);
                }
            }
            Err(error) => self.failed(&error, "a recording could not be finished"),
        }
    }

    fn flush(&mut self) {
        let files = std::mem::take(&mut self.files);
        for (sink, mut file) in files {
            match file.flush() {
                Ok(()) => drop(self.files.insert(sink, file)),
                Err(error) => self.failed(&error, "a recording could not be written"),
            }
        }
    }

    fn failed(&self, error: &io::Error, what: &str) {
        self.counters.errors.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%error, "{what}");
    }
}
