//! The typed facet of what happened: starts, changed limits, resets, drains, and nodes that began or ceased to decide
//! without Redis. An event keeps its name for as long as it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::{Change, Event, EventId, EventKind, Locus, Observation, Timestamp, Value};

use super::memory::Memory;
use super::node_reading::NodeReading;
use super::redis_reading::RedisReading;
use crate::api::Mode;
use crate::config::Config;
use crate::details::{Details, RecentLimit};
use crate::names;

/// How long events are told: as long as a baseline looks back.
const TOLD_FOR: Duration = Duration::from_secs(3600);

/// The name of the event that made `version` of the stored limit of `key`.
pub(crate) fn limit_event(subject: &str, key: &str, version: u64) -> EventId {
    EventId::new(subject, format!("limit:{key}:{version}"))
}

/// Writes all events.
pub(super) fn write(
    config: &Config,
    memory: &mut Memory,
    details: &Details,
    nodes: &[NodeReading],
    redis: &RedisReading,
    observation: &mut Observation,
) {
    let at = observation.at;
    let subject = &config.name;
    for node in nodes {
        let Some(health) = node.health() else { continue };
        let id = &node.target.id;
        let on = Locus::component(subject, id);
        let began = at.minus(Duration::try_from_secs_f64(health.uptime_s).unwrap_or_default());
        if memory.node_boots.get(id).is_some_and(|boot| *boot != health.boot_id) {
            let name = format!("restart:{id}:{}", health.boot_id);
            memory.note(restart(subject, name, began, on, format!("{id} started again")));
            continue;
        }
        let Some((mode, draining)) = memory.conditions.get(id).copied() else { continue };
        if mode != health.mode {
            let name = format!("mode:{id}:{}", at.as_millis());
            let message = match health.mode {
                Mode::Coordinated => format!("{id} decides together with the others again"),
                mode => format!("{id} began to decide without Redis ({})", mode.name()),
            };
            memory.note(happened(subject, name, at, on.clone(), EventKind::Other, message));
        }
        if draining != health.draining {
            let name = format!("drain:{id}:{}", at.as_millis());
            let message = if health.draining { "was drained" } else { "takes traffic again" };
            memory.note(happened(subject, name, at, on, EventKind::Action, format!("{id} {message}")));
        }
    }
    if let Ok(info) = &redis.info
        && memory.run_id.as_ref().is_some_and(|run_id| *run_id != info.run_id)
    {
        let began = at.minus(Duration::try_from_secs_f64(info.uptime_s).unwrap_or_default());
        let on = Locus::Component(names::redis(subject));
        memory.note(restart(
            subject,
            format!("restart:redis:{}", info.run_id),
            began,
            on,
            "Redis started again".to_owned(),
        ));
    }
    memory.forget_events_before(at.minus(TOLD_FOR));
    observation.events.extend(memory.events.iter().cloned());
    if let Some(now_us) = details.limits.as_of_us {
        let horizon = now_us.saturating_sub(TOLD_FOR.as_micros() as u64);
        let recent = details.limits.recent.iter().filter(|(_, limit)| limit.record.version >= horizon);
        let told: BTreeMap<EventId, Event> = recent
            .map(|(key, limit)| {
                let id = limit_event(subject, key, limit.record.version);
                let event = memory.limit_changes.remove(&id).unwrap_or_else(|| limit_change(subject, key, limit));
                (id, event)
            })
            .collect();
        observation.events.extend(told.values().cloned());
        memory.limit_changes = told;
    }
}

fn happened(subject: &str, name: String, at: Timestamp, on: Locus, kind: EventKind, message: String) -> Event {
    Event { id: EventId::new(subject, name), at, on, kind, change: None, message }
}

fn restart(subject: &str, name: String, at: Timestamp, on: Locus, message: String) -> Event {
    happened(subject, name, at, on, EventKind::Restart, message)
}

/// The change that made a record what it is. Where none was stored before, what the key was used with stands for it.
fn limit_change(subject: &str, key: &str, limit: &RecentLimit) -> Event {
    let record = &limit.record;
    let before = record.previous.first().and_then(|previous| previous.limit).or(limit.unstored);
    let shown = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
    Event {
        id: limit_event(subject, key, record.version),
        at: Timestamp::from_millis(i64::try_from(record.version / 1000).unwrap_or(i64::MAX)),
        on: names::key(subject, key),
        kind: EventKind::ConfigChange,
        change: Some(Change {
            field: "limit".to_owned(),
            before: Value::from(before),
            after: Value::from(record.limit),
        }),
        message: format!("the limit of {key} was changed from {} to {}", shown(before), shown(record.limit)),
    }
}
