//! Takes what came in from outside and hands it to files, without ever holding up the loop that hands it in.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use operator_protocols::{Observation, Timestamp};

use crate::recorder::ring::{Checkpoint, Line, Ring};
use crate::recorder::sink::{Sink, Target};
use crate::recorder::writer::{Message, Writer};
use crate::recorder::{EndReason, Header, Record, RecorderSettings, RecorderStats};

/// The recorder of one loop.
///
/// The loop calls [`Recorder::checkpoint`] before a tick whenever one is due, and [`Recorder::append`] for everything
/// that comes in. Nothing here waits for a disk or returns an error: what goes wrong is counted, logged, and ends the
/// file that it concerns.
#[derive(Debug)]
pub struct Recorder {
    settings: RecorderSettings,
    writer: Writer,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    sinks: Vec<Sink>,
    sinks_made: u64,
    closed: bool,
}

impl Recorder {
    /// A recorder with its own writing thread. It writes nothing until there is an incident or
    /// [`Recorder::record_to`] is called.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(settings: RecorderSettings) -> io::Result<Self> {
        let ring = Ring::new(settings.lookback, settings.checkpoint_every, settings.ring_bytes);
        let state = Mutex::new(State { ring, sinks: Vec::new(), sinks_made: 0, closed: false });
        Ok(Self { writer: Writer::start(&settings)?, settings, state })
    }

    /// Writes everything from the next checkpoint on to `path`, until [`Recorder::close`]. It is called `path.part`
    /// until then.
    ///
    /// # Errors
    /// When there is such a file.
    pub fn record_to(&self, path: impl Into<PathBuf>) -> io::Result<()> {
        let path = path.into();
        for taken in [path.clone(), super::writer::part_of(&path)] {
            if taken.symlink_metadata().is_ok() {
                let why = format!("{} exists: remove it, or record to another file", taken.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
        }
        self.lock().add(Target::File(path));
        Ok(())
    }

    /// Whether [`Recorder::checkpoint`] should be called before the tick at `at`.
    pub fn checkpoint_due(&self, at: Timestamp) -> bool {
        let state = self.lock();
        !state.closed && (state.sinks.iter().any(|sink| sink.waits) || state.ring.wants_checkpoint(at))
    }

    /// Says what the loop starts the next tick from: a file can begin here. `past` is what it remembers, oldest first.
    /// To be called between two steps only, and before the loop asks its subject anything.
    pub fn checkpoint(&self, header: Header, past: Vec<Arc<Observation>>) {
        let start = Checkpoint { header: Arc::new(header), past: past.into() };
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.end_ending(&self.writer);
        state.ring.checkpoint(start.clone());
        for sink in state.sinks.iter_mut().filter(|sink| sink.waits) {
            sink.waits = false;
            self.writer.open(sink, start.clone(), Vec::new());
        }
    }

    /// Takes a record.
    pub fn append(&self, record: &Record) {
        let line: Result<Line, String> = match serde_json::to_vec(record) {
            Ok(line) if line.len() <= self.settings.line_bytes => Ok(line.into()),
            Ok(line) => Err(format!("it has {} bytes, {} is the most", line.len(), self.settings.line_bytes)),
            Err(error) => Err(error.to_string()),
        };
        let mut state = self.lock();
        if state.closed {
            return;
        }
        if record.step_at().is_some() {
            state.end_ending(&self.writer);
        }
        match line {
            Ok(line) => state.take(&line, &self.writer),
            Err(why) => {
                tracing::warn!(why, "a record cannot be kept; what is being recorded ends");
                self.writer.count_lost();
                state.ring.clear();
                state.end_all(&self.writer, |_| EndReason::Lost);
            }
        }
    }

    /// Begins a file about `incident`, with what came before it; does nothing when there is one being written.
    pub fn begin_incident(&self, incident: &str) {
        let Some(directory) = self.settings.incidents.clone() else { return };
        let mut state = self.lock();
        state.sinks.retain(|sink| !sink.is_dead());
        if let Some(sink) = state.sinks.iter_mut().find(|sink| sink.is_of(incident)) {
            sink.ending = false;
        } else if state.closed || state.sinks.len() >= self.settings.open_files {
            tracing::warn!(incident, "too many recordings at once; this incident goes without");
            self.writer.count_skipped();
        } else {
            let window = state.ring.window();
            let sink = state.add(Target::Incident { directory, id: incident.to_owned() });
            if let Some((start, backlog)) = window {
                sink.waits = false;
                self.writer.open(sink, start, backlog);
            }
        }
    }

    /// Ends the file about `incident`, before the next step: the present one is still part of it.
    pub fn end_incident(&self, incident: &str) {
        if let Some(sink) = self.lock().sinks.iter_mut().find(|sink| sink.is_of(incident)) {
            sink.ending = true;
        }
    }

    /// What was recorded and what went wrong so far.
    pub fn stats(&self) -> RecorderStats {
        self.writer.stats()
    }

    /// Waits until everything handed in so far is with the operating system.
    pub async fn flush(&self) {
        self.writer.sync().await;
    }

    /// Ends every file and waits until they are written. To be called between two steps. Further records are ignored.
    pub async fn close(&self) {
        {
            let mut state = self.lock();
            state.closed = true;
            state.end_all(&self.writer, |sink| if sink.ending { EndReason::Closed } else { EndReason::Stopped });
        }
        self.writer.sync().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, target: Target) -> &mut Sink {
        self.sinks_made += 1;
        self.sinks.push(Sink::new(self.sinks_made, target));
        let last = self.sinks.len() - 1;
        &mut self.sinks[last]
    }

    fn take(&mut self, line: &Line, writer: &Writer) {
        if !self.ring.push(line) {
            tracing::debug!("more came in since the last checkpoint than is kept; recordings begin at the next");
        }
        self.sinks.retain(|sink| {
            if sink.waits {
                return true;
            }
            if sink.is_dead() {
                return false;
            }
            let taken = writer.line(sink.number, line.clone());
            if !taken {
                tracing::warn!(target = ?sink.target, "the disk is too slow; the recording ends");
                writer.count_lost();
                writer.send(Message::End { sink: sink.number, reason: EndReason::Lost });
            }
            taken
        });
        writer.count_record();
    }

    fn end_ending(&mut self, writer: &Writer) {
        self.sinks.retain(|sink| {
            if sink.ending && !sink.waits {
                writer.send(Message::End { sink: sink.number, reason: EndReason::Closed });
            }
            !sink.ending
        });
    }

    /// Ends every file that has begun, and forgets those that wait only when the recorder is closed.
    fn end_all(&mut self, writer: &Writer, reason: impl Fn(&Sink) -> EndReason) {
        let closed = self.closed;
        self.sinks.retain(|sink| {
            if !sink.waits {
                writer.send(Message::End { sink: sink.number, reason: reason(sink) });
            }
            sink.waits && !closed
        });
    }
}
