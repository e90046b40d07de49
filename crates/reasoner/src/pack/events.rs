//! What happened before and around the onset, the operator's own actions included.

use std::collections::BTreeMap;

use operator_protocols::{Event, EventId, EventKind};

use super::Draft;
use crate::parameters::{EVENT_REACH, ITEMS_PER_MINOR_KIND};
use crate::text::{bounded, clean};
use crate::{EvidenceKind, PackInput};
use operator_protocols::Timestamp;

/// The events from [`EVENT_REACH`] before the onset until now: changes first, then those nearest to the onset; told in
/// order of time.
pub(crate) fn items(input: &PackInput<'_>, onset: Timestamp) -> Vec<Draft> {
    let mut by_id: BTreeMap<&EventId, (bool, &Event)> = BTreeMap::new();
    for event in input.history.iter().flat_map(|observation| &observation.events) {
        by_id.entry(&event.id).or_insert((false, event));
    }
    for event in input.own_actions {
        by_id.insert(&event.id, (true, event));
    }
    let from = onset.minus(EVENT_REACH);
    let mut events: Vec<(bool, &Event)> =
        by_id.into_values().filter(|(_, event)| event.at >= from && event.at <= input.now).collect();
    let distance = |event: &Event| event.at.as_millis().saturating_sub(onset.as_millis()).unsigned_abs();
    events.sort_by(|(own_a, a), (own_b, b)| {
        let minor = |own: bool, event: &Event| !(own || event.change.is_some() || is_change(event.kind));
        (minor(*own_a, a), distance(a), &a.id).cmp(&(minor(*own_b, b), distance(b), &b.id))
    });
    events.truncate(ITEMS_PER_MINOR_KIND);
    events.sort_by(|(_, a), (_, b)| (a.at, &a.id).cmp(&(b.at, &b.id)));
    events.into_iter().map(|(own, event)| draft(own, event)).collect()
}

/// Whether a kind of event is a change that somebody made.
pub(crate) fn is_change(kind: EventKind) -> bool {
    matches!(kind, EventKind::ConfigChange | EventKind::Deploy)
}

fn draft(own: bool, event: &Event) -> Draft {
    let mut event = event.clone();
    event.message = clean(&event.message);
    let change = event.change.as_ref().map_or_else(String::new, |change| {
        format!(
            " ({}: {} → {})",
            bounded(&change.field, 60),
            bounded(&change.before.to_string(), 80),
            bounded(&change.after.to_string(), 80)
        )
    });
    let who = if own { "the operator's own action" } else { word(event.kind) };
    Draft {
        at: event.at,
        on: event.on.clone(),
        statement: format!("{who} on {}: {}{change}", event.on, event.message),
        kind: if own { EvidenceKind::OwnAction(event) } else { EvidenceKind::Event(event) },
    }
}

fn word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ConfigChange => "configuration change",
        EventKind::Restart => "restart",
        EventKind::LeaderChange => "leader change",
        EventKind::Deploy => "deployment",
        EventKind::Action => "action",
        EventKind::Other => "event",
    }
}
