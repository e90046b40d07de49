//! Looks at what is remembered: the part of an investigation that needs nobody to answer.

use operator_protocols::{
    BoxFuture, Event, History, Locus, LogLine, ProbeAnswer, ProbeDefinition, ProbeRequest, Unavailable,
};

use crate::{Investigation, LogSearch, Point};

/// The most that one look gives back, whatever is asked for.
const MOST: usize = 2_000;

/// An investigation of the remembered past alone: it has no probes.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    history: History,
}

impl Remembered {
    /// Of this past.
    pub fn new(history: History) -> Self {
        Self { history }
    }

    /// The values of a signal, oldest first.
    ///
    /// # Errors
    /// When it was never seen.
    pub fn series(&self, on: &Locus, signal: &str) -> Result<Vec<Point>, Unavailable> {
        let seen = self.history.iter().flat_map(|observation| &observation.signals);
        let of_it = seen.filter(|one| one.on == *on && one.name == signal);
        let mut points: Vec<_> = of_it.map(|one| Point { at: one.observed_at, value: one.value }).collect();
        points.sort_by_key(|point| point.at);
        points.dedup_by_key(|point| point.at);
        if points.is_empty() {
            return Err(Unavailable::new(format!("{signal} on {on}"), "no such signal was seen"));
        }
        Ok(points.split_off(points.len().saturating_sub(MOST)))
    }

    /// What happened, oldest first; at most `limit`, the newest.
    pub fn events(&self, limit: usize) -> Vec<Event> {
        let mut events: Vec<_> =
            self.history.iter().flat_map(|observation| observation.events.iter().cloned()).collect();
        events.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        events.dedup_by(|b, a| a.id == b.id);
        events.split_off(events.len().saturating_sub(limit.min(MOST)))
    }

    /// Log lines, oldest first.
    pub fn logs(&self, search: &LogSearch) -> Vec<LogLine> {
        let containing = search.containing.to_lowercase();
        let lines = self.history.iter().flat_map(|observation| &observation.logs);
        let mut found: Vec<_> = lines
            .filter(|line| search.component.as_ref().is_none_or(|id| line.component == *id))
            .filter(|line| line.message.to_lowercase().contains(&containing))
            .cloned()
            .collect();
        found.sort_by_key(|line| line.at);
        found.split_off(found.len().saturating_sub(search.limit.min(MOST)))
    }
}

impl Investigation for Remembered {
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>> {
        Box::pin(std::future::ready(self.series(on, signal)))
    }

    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>> {
        Box::pin(std::future::ready(Ok(self.events(limit))))
    }

    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>> {
        Box::pin(std::future::ready(Ok(self.logs(search))))
    }

    fn probes(&self) -> &[ProbeDefinition] {
        &[]
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer> {
        let as_of = self.history.last().map_or(operator_protocols::Timestamp::from_millis(0), |last| last.at);
        let why = Unavailable::new(request.probe.clone(), "only what is remembered can be looked at");
        Box::pin(std::future::ready(ProbeAnswer { as_of, answer: Err(why) }))
    }
}
