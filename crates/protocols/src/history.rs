//! The observations before the present one, as far back as a checker asked for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::{Locus, Observation, Timestamp};

/// Past observations, oldest first. Keeping it is the operator's work; a checker only reads it.
#[derive(Debug, Clone, Default)]
pub struct History {
    observations: VecDeque<Arc<Observation>>,
}

impl History {
    /// A history without any observation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an observation and forgets those that are older than `keep` before it. An observation that is not later
    /// than the last one is not added: time that goes backwards must not rewrite the past. Says whether it was added.
    pub fn push(&mut self, observation: Arc<Observation>, keep: Duration) -> bool {
        if self.observations.back().is_some_and(|last| observation.at <= last.at) {
            return false;
        }
        let horizon = observation.at.minus(keep);
        self.observations.push_back(observation);
        while self.observations.front().is_some_and(|first| first.at < horizon) {
            self.observations.pop_front();
        }
        true
    }

    /// The observations, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Observation>> + ExactSizeIterator {
        self.observations.iter()
    }

    /// The observations at or after `since`, oldest first.
    pub fn since(&self, since: Timestamp) -> impl DoubleEndedIterator<Item = &Arc<Observation>> {
        let start = self.observations.partition_point(|observation| observation.at < since);
        self.observations.range(start..)
    }

    /// The latest observation.
    pub fn last(&self) -> Option<&Arc<Observation>> {
        self.observations.back()
    }

    /// How many observations there are.
    pub fn len(&self) -> usize {
        self.observations.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }

    /// The readings of one signal, oldest first, as (when it was true, value).
    pub fn series<'a>(&'a self, on: &'a Locus, name: &'a str) -> impl Iterator<Item = (Timestamp, f64)> + 'a {
        self.observations.iter().filter_map(move |observation| {
            observation.signal(on, name).map(|signal| (signal.observed_at, signal.value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Arc<Observation> {
        Arc::new(Observation::new(Timestamp::from_millis(second * 1000)))
    }

    #[test]
    fn what_is_older_than_asked_for_is_forgotten() {
        let mut history = History::new();
        for second in 0..10 {
            assert!(history.push(at(second), Duration::from_secs(3)));
        }
        assert_eq!(history.iter().map(|o| o.at.as_millis() / 1000).collect::<Vec<_>>(), [6, 7, 8, 9]);
        assert_eq!(history.since(Timestamp::from_millis(8000)).count(), 2);
    }

    #[test]
    fn time_that_goes_backwards_adds_nothing() {
        let mut history = History::new();
        history.push(at(5), Duration::from_secs(60));
        assert!(!history.push(at(4), Duration::from_secs(60)));
        assert!(!history.push(at(5), Duration::from_secs(60)));
        assert_eq!(history.len(), 1);
    }
}
