//! What the processes write: news and failures, the same failure of one process at most once in a while.

use std::collections::{BTreeMap, VecDeque};

use crate::LogLevel;

/// The same failure is written again after so long, in microseconds.
const AGAIN: i64 = 5_000_000;
const KEPT: usize = 256;

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) at: i64,
    pub(super) node: usize,
    pub(super) level: LogLevel,
    pub(super) message: String,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    lines: VecDeque<Line>,
    written: u64,
    last: BTreeMap<(usize, String), i64>,
}

impl Log {
    pub(super) fn write(&mut self, at: i64, node: usize, level: LogLevel, message: String) {
        if level >= LogLevel::Warn {
            let last = self.last.entry((node, message.clone())).or_insert(i64::MIN);
            if at.saturating_sub(*last) < AGAIN {
                return;
            }
            *last = at;
        }
        self.written += 1;
        self.lines.push_back(Line { number: self.written, at, node, level, message });
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// The lines after the one of that number, oldest first, and the number of the last.
    pub(super) fn after(&self, number: u64) -> (Vec<Line>, u64) {
        (self.lines.iter().filter(|line| line.number > number).cloned().collect(), self.written)
    }
}
