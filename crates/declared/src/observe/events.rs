//! The typed facet of what happened: starts, which were noted with the components, and values that must not change and
//! did.

use operator_protocols::{Change, Event, EventId, EventKind, Observation, Value};

use super::memory::Memory;
use crate::file::{Limit, SystemFile};

/// Writes all events that are still told.
pub(super) fn write(subject: &str, file: &SystemFile, memory: &mut Memory, observation: &mut Observation) {
    let fixed = |name: &String| {
        let of = |limit: &Limit| matches!(limit, Limit::Unchanged(_));
        file.invariants.iter().any(|invariant| &invariant.signal == name && of(&invariant.limit))
    };
    for signal in observation.signals.iter().filter(|signal| fixed(&signal.name)) {
        let key = (signal.name.clone(), signal.on.clone());
        let Some(before) = memory.values.insert(key, signal.value).filter(|before| *before != signal.value) else {
            continue;
        };
        let (field, on) = (&signal.name, &signal.on);
        memory.note(Event {
            id: change_id(subject, field, &on.to_text(), signal.observed_at.as_millis()),
            at: signal.observed_at,
            on: on.clone(),
            kind: EventKind::ConfigChange,
            change: Some(Change {
                field: field.clone(),
                before: Value::from(before),
                after: Value::from(signal.value),
            }),
            message: format!("{field} of {on} changed from {before} to {}", signal.value),
        });
    }
    memory.forget(observation.at);
    observation.events.extend_from_slice(memory.events());
}

fn change_id(subject: &str, field: &str, on: &str, millis: i64) -> EventId {
    EventId::new(subject, format!("change:{field}:{on}:{millis}"))
}
