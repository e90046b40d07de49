//! What every observation owes, and the subject's account of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::caller::caught;
use super::report::Check;
use super::session::Session;
use crate::{Event, EventId, Observation, PROTOCOL_VERSION, Value};

/// How large `details` may be, as JSON: an observation is kept in memory, in recordings and in what a model is shown.
pub const MAX_DETAILS_BYTES: usize = 1 << 20;
/// How deep `details` may nest: a quarter of where common JSON readers stop (128).
pub const MAX_DETAILS_DEPTH: usize = 32;

const DESCRIPTOR: &str = "descriptor.complete";
const SAYS_WHO: &str = "it says who it is, the same each time, with a deadline";

pub(super) fn nameless(fault: &str) -> Check {
    Check::new(DESCRIPTOR, SAYS_WHO, vec![fault.to_owned()])
}

pub(super) fn checks(session: &Session) -> Vec<Check> {
    let over = |name, obligation, look: &dyn Fn(&Observation) -> Vec<String>| {
        let mut found: Vec<String> = session.rounds.iter().flat_map(|round| look(&round.now)).collect();
        found.dedup();
        Check::new(name, obligation, found).unless(session.rounds.is_empty(), "nothing was observed")
    };
    vec![
        Check::new(DESCRIPTOR, SAYS_WHO, descriptor(session)),
        Check::new(
            "descriptor.protocol",
            "it speaks the version of the protocol it was compiled with",
            (session.descriptor.protocol_version != PROTOCOL_VERSION)
                .then(|| format!("version {}, not {PROTOCOL_VERSION}", session.descriptor.protocol_version))
                .into_iter()
                .collect(),
        ),
        Check::new(
            "observe.answers",
            "looking at a healthy system answers within the deadline, dated by the operator's clock",
            session.blunders.clone(),
        ),
        over("components.listed", "a healthy system has components, each listed once, with a kind", &components),
        over("dependencies.listed", "a dependency names two listed components, once a kind", &dependencies),
        Check::new(
            "events.constant",
            "an event has a message and stays the same when it is seen again",
            events(session),
        )
        .unless(session.rounds.iter().all(|round| round.now.events.is_empty()), "no event was seen"),
        over("details.bounded", "details are no larger, no deeper and no odder than JSON that can be kept", &details),
        over("unavailable.explained", "what could not be read is named, with why", &unavailable),
    ]
}

fn descriptor(session: &Session) -> Vec<String> {
    let descriptor = &session.descriptor;
    let mut found = Vec::new();
    let texts =
        [("subject", &descriptor.subject), ("kind", &descriptor.kind), ("description", &descriptor.description)];
    for (field, text) in texts {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            found.push(format!("{field}: expected printable text, given {text:?}"));
        }
    }
    if descriptor.observe_deadline == Duration::ZERO {
        found.push("observe_deadline: expected more than nothing".to_owned());
    }
    if caught(|| session.subject.descriptor()).as_ref() != Ok(descriptor) {
        found.push("asked twice, it says two things".to_owned());
    }
    found
}

fn components(now: &Observation) -> Vec<String> {
    let mut found = Vec::new();
    if now.components.is_empty() {
        found.push("no component is listed".to_owned());
    }
    for (index, component) in now.components.iter().enumerate() {
        if now.components[..index].iter().any(|other| other.id == component.id) {
            found.push(format!("{} is listed twice", component.id));
        }
        if component.kind.is_empty() {
            found.push(format!("{} has no kind", component.id));
        }
    }
    found
}

fn dependencies(now: &Observation) -> Vec<String> {
    let mut found = Vec::new();
    for (index, dependency) in now.dependencies.iter().enumerate() {
        let name = format!("{} {:?} {}", dependency.from, dependency.kind, dependency.to);
        for end in [&dependency.from, &dependency.to] {
            if now.component(end).is_none() {
                found.push(format!("{name}: no component {end} is listed"));
            }
        }
        let same = |other: &crate::Dependency| {
            (&other.from, &other.to, &other.kind) == (&dependency.from, &dependency.to, &dependency.kind)
        };
        if now.dependencies[..index].iter().any(same) {
            found.push(format!("{name} is listed twice"));
        }
    }
    found
}

fn events(session: &Session) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<&EventId, &Event> = BTreeMap::new();
    for round in &session.rounds {
        for event in &round.now.events {
            if event.message.is_empty() {
                found.push(format!("event {} has no message", event.id));
            }
            if event.at > round.latest {
                found.push(format!("event {} is dated {}, which has not come yet", event.id, event.at));
            }
            if event.change.as_ref().is_some_and(|change| change.field.is_empty()) {
                found.push(format!("event {} changed a setting without a name", event.id));
            }
            if seen.insert(&event.id, event).is_some_and(|before| before != event) {
                found.push(format!("event {} is not what it was", event.id));
            }
        }
    }
    found
}

fn details(now: &Observation) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in &now.details {
        if !sound(value, MAX_DETAILS_DEPTH) {
            found.push(format!(
                "{key}: expected finite numbers, and whole ones above i64::MAX only as Uint, nested at most \
                 {MAX_DETAILS_DEPTH} deep"
            ));
        }
    }
    let bytes: usize = now.details.iter().map(|(key, value)| key.len() + size(value, MAX_DETAILS_DEPTH)).sum();
    if bytes > MAX_DETAILS_BYTES {
        found.push(format!("expected at most {MAX_DETAILS_BYTES} bytes, given {bytes}"));
    }
    found
}

/// Whether the value can be written down and read back the same.
pub(super) fn sound(value: &Value, depth: usize) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Uint(number) => i64::try_from(*number).is_err(),
        Value::List(list) => depth > 0 && list.iter().all(|value| sound(value, depth - 1)),
        Value::Map(map) => depth > 0 && map.values().all(|value| sound(value, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_) => true,
    }
}

/// The size of the value as JSON, near enough; what is deeper than `depth` is not counted.
pub(super) fn size(value: &Value, depth: usize) -> usize {
    match value {
        Value::List(list) if depth > 0 => 2 + list.iter().map(|value| 1 + size(value, depth - 1)).sum::<usize>(),
        Value::Map(map) if depth > 0 => {
            2 + map.iter().map(|(key, value)| 4 + key.len() + size(value, depth - 1)).sum::<usize>()
        }
        Value::Text(text) => 2 + text.len(),
        Value::List(_) | Value::Map(_) => 0,
        number => number.to_string().len(),
    }
}

fn unavailable(now: &Observation) -> Vec<String> {
    let blank = |part: &&crate::Unavailable| part.what.trim().is_empty() || part.why.trim().is_empty();
    now.unavailable
        .iter()
        .filter(blank)
        .map(|part| format!("{:?} is unavailable because {:?}", part.what, part.why))
        .collect()
}
