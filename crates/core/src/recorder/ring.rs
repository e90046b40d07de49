//! The recent past of one loop, in memory: checkpoints and the lines that followed each, bounded by time and bytes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{Observation, Timestamp};

use crate::recorder::Header;

/// One record as it stands in a file, without the line break.
pub(super) type Line = Arc<[u8]>;

/// A point a recording can begin at: the state before a tick, and what the loop remembered.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    pub(super) header: Arc<Header>,
    pub(super) past: Arc<[Arc<Observation>]>,
}

impl Checkpoint {
    fn at(&self) -> Timestamp {
        self.header.started_at
    }
}

#[derive(Debug)]
struct Segment {
    start: Checkpoint,
    lines: Vec<Line>,
    bytes: u64,
}

/// Checkpoints and the lines that followed each.
#[derive(Debug)]
pub(super) struct Ring {
    lookback: Duration,
    checkpoint_every: Duration,
    cap: u64,
    bytes: u64,
    segments: VecDeque<Segment>,
}

impl Ring {
    pub(super) fn new(lookback: Duration, checkpoint_every: Duration, cap: u64) -> Self {
        Self { lookback, checkpoint_every, cap, bytes: 0, segments: VecDeque::new() }
    }

    /// Whether the newest checkpoint is old, or so much followed it that the next would free little.
    pub(super) fn wants_checkpoint(&self, now: Timestamp) -> bool {
        self.segments
            .back()
            .is_none_or(|newest| now.since(newest.start.at()) >= self.checkpoint_every || newest.bytes > self.cap / 4)
    }

    /// Begins anew at `start`. Forgets what is older than the newest checkpoint that is a lookback old.
    pub(super) fn checkpoint(&mut self, start: Checkpoint) {
        let horizon = start.at().minus(self.lookback);
        self.segments.push_back(Segment { start, lines: Vec::new(), bytes: 0 });
        while self.segments.get(1).is_some_and(|second| second.start.at() <= horizon) {
            self.forget_oldest();
        }
    }

    /// Adds a line. Says no when it had to forget everything, because even what followed the newest checkpoint is more
    /// than it may keep: then only the next checkpoint begins anew.
    pub(super) fn push(&mut self, line: &Line) -> bool {
        let Some(newest) = self.segments.back_mut() else { return true };
        let added = line.len() as u64 + 1;
        newest.lines.push(line.clone());
        newest.bytes += added;
        self.bytes += added;
        while self.bytes > self.cap && !self.segments.is_empty() {
            self.forget_oldest();
        }
        !self.segments.is_empty()
    }

    /// Forgets everything: a line is missing, and nothing may lead over the gap.
    pub(super) fn clear(&mut self) {
        self.segments.clear();
        self.bytes = 0;
    }

    /// The oldest checkpoint and every line since.
    pub(super) fn window(&self) -> Option<(Checkpoint, Vec<Line>)> {
        let start = self.segments.front()?.start.clone();
        Some((start, self.segments.iter().flat_map(|segment| segment.lines.iter().cloned()).collect()))
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.segments.pop_front() {
            self.bytes -= oldest.bytes;
        }
    }
}
