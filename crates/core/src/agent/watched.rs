//! An investigation that tells how the diagnoser gets on.

use std::sync::Arc;

use operator_protocols::{BoxFuture, Event, Locus, LogLine, ProbeAnswer, ProbeDefinition, ProbeRequest, Unavailable};
use operator_reasoner::{Investigation, LogSearch, Point, Step};

/// An investigation, with its steps handed on.
pub(super) struct Watched<F> {
    pub inner: Arc<dyn Investigation>,
    pub tell: F,
}

impl<F: Fn(&Step) + Send + Sync> Investigation for Watched<F> {
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>> {
        self.inner.series(on, signal)
    }

    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>> {
        self.inner.events(limit)
    }

    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>> {
        self.inner.logs(search)
    }

    fn probes(&self) -> &[ProbeDefinition] {
        self.inner.probes()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer> {
        self.inner.probe(request)
    }

    fn progress(&self, step: &Step) {
        (self.tell)(step);
    }
}
