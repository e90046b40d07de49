//! Where a replay stands: the records still to come, and where the replayed loop went another way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use operator_protocols::Observation;

use crate::recorder::{Call, Divergence, Record};

/// How many divergences are kept; one is enough to know that a replay is none, the first few to see why.
const KEPT: usize = 100;

/// Where a replay stands, shared by what answers and what drives.
#[derive(Debug, Clone)]
pub(super) struct SharedTape(Arc<Mutex<Tape>>);

impl SharedTape {
    pub(super) fn new(records: VecDeque<(usize, Record)>, past: Vec<Arc<Observation>>) -> Self {
        let end = records.back().map_or(2, |(line, _)| line + 1);
        Self(Arc::new(Mutex::new(Tape { records, past, end, begun: false, divergences: Vec::new(), diverged: 0 })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Tape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(super) struct Tape {
    records: VecDeque<(usize, Record)>,
    past: Vec<Arc<Observation>>,
    /// The line after the last.
    end: usize,
    /// Whether a step was taken.
    begun: bool,
    divergences: Vec<Divergence>,
    diverged: usize,
}

impl Tape {
    /// The answer to `call`, if that is what comes next; else notes the divergence.
    pub(super) fn answer(&mut self, call: &Call) -> Option<Record> {
        if self.records.front().is_some_and(|(_, record)| record.call().as_ref() == Some(call)) {
            return self.records.pop_front().map(|(_, record)| record);
        }
        let (line, expected) = match self.records.front() {
            None => (self.end, "nothing: the recording ends".to_owned()),
            Some((line, record)) => (*line, describe(record)),
        };
        self.diverge(Divergence { line, expected, got: call.to_string() });
        None
    }

    /// What the loop remembered when the recording began, once: a recording that begins within a loop's life has no
    /// question about the past in it, but a loop that is started asks.
    pub(super) fn remembered(&mut self) -> Option<Vec<Arc<Observation>>> {
        let asked_then = matches!(
            self.records.front(),
            Some((_, Record::History { .. } | Record::Abandoned { call: Call::History { .. } }))
        );
        (!self.begun && !asked_then).then(|| std::mem::take(&mut self.past))
    }

    /// The next tick or command. Notes a divergence if there is anything before it that the loop did not ask for.
    pub(super) fn step(&mut self) -> Option<Record> {
        self.begun = true;
        let mut left: Option<(usize, String)> = None;
        let mut more = 0;
        while let Some((line, record)) = self.records.pop_front() {
            if record.step_at().is_some() {
                self.note_left(left, more);
                return Some(record);
            }
            match left {
                None => left = Some((line, describe(&record))),
                Some(_) => more += 1,
            }
        }
        self.note_left(left, more);
        None
    }

    pub(super) fn divergences(&self) -> &[Divergence] {
        &self.divergences
    }

    pub(super) fn diverged(&self) -> usize {
        self.diverged
    }

    fn note_left(&mut self, left: Option<(usize, String)>, more: usize) {
        if let Some((line, first)) = left {
            let expected = if more == 0 { first } else { format!("{first} and {more} more") };
            self.diverge(Divergence { line, expected, got: "nothing more within this step".to_owned() });
        }
    }

    fn diverge(&mut self, divergence: Divergence) {
        tracing::debug!(%divergence, "the replay diverges");
        self.diverged += 1;
        if self.divergences.len() < KEPT {
            self.divergences.push(divergence);
        }
    }
}

fn describe(record: &Record) -> String {
    match (record.call(), record) {
        (Some(call), _) => call.to_string(),
        (None, Record::Tick { at }) => format!("the next tick, at {at}"),
        (None, _) => "the next command".to_owned(),
    }
}
