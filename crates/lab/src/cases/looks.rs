//! The looks beyond the evidence, as far as they were kept with a case.

use operator_protocols::{
    BoxFuture, Event, Locus, LogLine, ProbeAnswer, ProbeDefinition, ProbeRequest, Timestamp, Unavailable,
};
use operator_reasoner::{EvidenceKind, EvidencePack, Inquiry, Investigation, LogSearch, Point, Remembered};
use serde::{Deserialize, Serialize};

/// The most series that are kept with a case.
const SERIES: usize = 64;
/// The most values of each, the newest.
const POINTS: usize = 240;
/// The most events and log lines that are kept.
const LINES: usize = 200;

/// What was there to be looked at when a case was recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredLooks {
    series: Vec<StoredSeries>,
    events: Vec<Event>,
    logs: Vec<LogLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSeries {
    on: Locus,
    signal: String,
    points: Vec<Point>,
}

impl StoredLooks {
    /// What a remembered past has of the signals that the evidence speaks of, of events and of log lines.
    pub fn remembered(pack: &EvidencePack, past: &Remembered) -> Self {
        let series = spoken_of(pack).into_iter().take(SERIES).filter_map(|(on, signal)| {
            let mut points = past.series(&on, &signal).ok()?;
            let points = points.split_off(points.len().saturating_sub(POINTS));
            Some(StoredSeries { on, signal, points })
        });
        let search = LogSearch { limit: LINES, ..LogSearch::default() };
        Self { series: series.collect(), events: past.events(LINES), logs: past.logs(&search) }
    }

    /// Takes the looks that an inquiry offers: the series that its evidence speaks of, events and log lines. Probes are
    /// not asked: what they would have said later is not known.
    pub async fn take(inquiry: &Inquiry<'_>) -> Self {
        let mut stored = Self::default();
        for (on, signal) in spoken_of(inquiry.pack).into_iter().take(SERIES) {
            if let Ok(mut points) = inquiry.investigation.series(&on, &signal).await {
                let points = points.split_off(points.len().saturating_sub(POINTS));
                stored.series.push(StoredSeries { on, signal, points });
            }
        }
        stored.events = inquiry.investigation.events(LINES).await.unwrap_or_default();
        let search = LogSearch { limit: LINES, ..LogSearch::default() };
        stored.logs = inquiry.investigation.logs(&search).await.unwrap_or_default();
        stored
    }
}

/// The signals that the evidence speaks of, each once, in its order.
fn spoken_of(pack: &EvidencePack) -> Vec<(Locus, String)> {
    let mut found = Vec::new();
    for item in &pack.items {
        let (EvidenceKind::Deviation { signal, .. }
        | EvidenceKind::Saturated { signal, .. }
        | EvidenceKind::SelfExcess { signal, .. }
        | EvidenceKind::Peers { signal, .. }) = &item.kind
        else {
            continue;
        };
        let one = (item.on.clone(), signal.clone());
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn newest<T: Clone>(all: &[T], limit: usize) -> Vec<T> {
    all.get(all.len().saturating_sub(limit)..).unwrap_or_default().to_vec()
}

impl Investigation for StoredLooks {
    fn series<'a>(&'a self, on: &'a Locus, signal: &'a str) -> BoxFuture<'a, Result<Vec<Point>, Unavailable>> {
        let found = self.series.iter().find(|one| one.on == *on && one.signal == signal);
        let found = found.map(|one| one.points.clone());
        let answer = found.ok_or_else(|| Unavailable::new(format!("{signal} on {on}"), "it was not recorded"));
        Box::pin(std::future::ready(answer))
    }

    fn events(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, Unavailable>> {
        Box::pin(std::future::ready(Ok(newest(&self.events, limit))))
    }

    fn logs<'a>(&'a self, search: &'a LogSearch) -> BoxFuture<'a, Result<Vec<LogLine>, Unavailable>> {
        let containing = search.containing.to_lowercase();
        let found: Vec<_> = self
            .logs
            .iter()
            .filter(|line| search.component.as_ref().is_none_or(|id| line.component == *id))
            .filter(|line| line.message.to_lowercase().contains(&containing))
            .cloned()
            .collect();
        Box::pin(std::future::ready(Ok(newest(&found, search.limit))))
    }

    fn probes(&self) -> &[ProbeDefinition] {
        &[]
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest) -> BoxFuture<'a, ProbeAnswer> {
        let why = Unavailable::new(request.probe.clone(), "a recorded case has no probes");
        Box::pin(std::future::ready(ProbeAnswer { as_of: Timestamp::from_millis(0), answer: Err(why) }))
    }
}
