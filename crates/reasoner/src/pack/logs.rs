//! Log lines, counted by template: which kinds of line became more frequent.

use std::collections::BTreeMap;

use operator_protocols::{History, Id, Locus, LogLevel, Timestamp};

use super::Draft;
use super::lines::template;
use super::window::Window;
use crate::EvidenceKind;
use crate::parameters::{ITEMS_PER_MINOR_KIND, LOG_FACTOR, LOG_TEMPLATES};
use crate::text::number;

struct Count {
    level: LogLevel,
    before: u32,
    since: u32,
    first_since: Option<Timestamp>,
}

/// The templates that are new or [`LOG_FACTOR`] times more frequent since the onset, gravest first.
pub(crate) fn items(history: &History, onset: Timestamp, window: &Window) -> Vec<Draft> {
    let mut counts: BTreeMap<(&Id, String), Count> = BTreeMap::new();
    for line in history.iter().flat_map(|observation| &observation.logs) {
        let key = (&line.component, template(&line.message));
        if counts.len() >= LOG_TEMPLATES && !counts.contains_key(&key) {
            continue;
        }
        let count = counts.entry(key).or_insert(Count { level: line.level, before: 0, since: 0, first_since: None });
        count.level = count.level.max(line.level);
        if line.at < onset {
            count.before = count.before.saturating_add(1);
        } else {
            count.since = count.since.saturating_add(1);
            count.first_since = Some(count.first_since.map_or(line.at, |first| first.min(line.at)));
        }
    }
    let first = history.iter().next().map_or(onset, |first| first.at);
    let minutes = |from: Timestamp, to: Timestamp| (to.since(from).as_secs_f64() / 60.0).max(1.0 / 12.0);
    let (before, since) = (minutes(first, onset), minutes(onset, window.now));
    let mut risen: Vec<(LogLevel, f64, Draft)> = counts
        .into_iter()
        .filter_map(|((component, template), count)| {
            let at = count.first_since?;
            let (was, is) = (f64::from(count.before) / before, f64::from(count.since) / since);
            // Ordinary news must be frequent before it is worth telling; a warning need only be new.
            let enough = if count.level >= LogLevel::Warn { 1 } else { 5 };
            if count.since < enough || is < LOG_FACTOR * was {
                return None;
            }
            let statement = format!(
                "{component} writes {} a minute (before {}) of {:?}: {template}",
                number(is),
                number(was),
                count.level
            );
            let kind =
                EvidenceKind::LogTemplate { template, level: count.level, before_per_minute: was, now_per_minute: is };
            Some((count.level, is, Draft { at, on: Locus::Component(component.clone()), statement, kind }))
        })
        .collect();
    risen.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then_with(|| a.2.statement.cmp(&b.2.statement)));
    risen.into_iter().take(ITEMS_PER_MINOR_KIND).map(|(_, _, draft)| draft).collect()
}
