//! What is remembered from one observation to the next: counts to compare with, starts, values that must not change,
//! and events that are still told.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::{Event, Locus, Timestamp};

use crate::scrape::Raw;

/// How long an event is told.
const TOLD_FOR: Duration = Duration::from_secs(3600);
/// More events are not told; the oldest are forgotten first.
const MAX_EVENTS: usize = 500;
/// Counts that are older are of no use for what grew since.
const COUNTS_FOR: Duration = Duration::from_secs(600);

/// What is remembered from one observation to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Counts by signal and locus.
    counts: BTreeMap<(String, Locus), (Timestamp, Raw)>,
    /// Starts by component.
    pub(super) starts: BTreeMap<String, Start>,
    /// Values that must not change, by signal and locus.
    pub(super) values: BTreeMap<(String, Locus), f64>,
    events: Vec<Event>,
}

/// A start of a component.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Start {
    /// Its name.
    pub(crate) incarnation: String,
    /// When it began, in seconds since the Unix epoch, if that is what names it.
    pub(crate) began_s: Option<f64>,
}

impl Memory {
    /// The count before, and how long ago that was.
    pub(super) fn count_before(&self, signal: &str, on: &Locus, at: Timestamp) -> Option<(&Raw, Duration)> {
        let (then, raw) = self.counts.get(&(signal.to_owned(), on.clone()))?;
        Some((raw, at.since(*then)))
    }

    pub(super) fn remember_count(&mut self, signal: &str, on: &Locus, at: Timestamp, raw: Raw) {
        self.counts.insert((signal.to_owned(), on.clone()), (at, raw));
    }

    pub(super) fn note(&mut self, event: Event) {
        if !self.events.iter().any(|known| known.id == event.id) {
            self.events.push(event);
        }
        if self.events.len() > MAX_EVENTS {
            self.events.remove(0);
        }
    }

    /// Forgets what is too old to be of use.
    pub(super) fn forget(&mut self, at: Timestamp) {
        let (events_from, counts_from) = (at.minus(TOLD_FOR), at.minus(COUNTS_FOR));
        self.events.retain(|event| event.at >= events_from);
        self.counts.retain(|_, (then, _)| *then >= counts_from);
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }
}
