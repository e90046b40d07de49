//! The typed facets of who is there: components with their states, and who depends on whom.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::{Component, ComponentState, Dependency, DependencyState, Id, Observation};

use super::memory::Memory;
use super::node_reading::NodeReading;
use super::redis_reading::RedisReading;
use crate::api::Mode;
use crate::config::Config;
use crate::details::{Details, NodeDetail};
use crate::names::{INCARNATION, NODE, REDIS, REDIS_ID, foreign_redis};

/// Why Redis does not do its work fully although it answers: by its own word, because it gives up keys, or because all
/// nodes that reach it (two at least) decide without it, as they do while it takes no writes.
pub(super) fn redis_trouble(details: &Details, memory: &Memory, redis: &RedisReading) -> Option<String> {
    let info = redis.info.as_ref().ok()?;
    if let Some(trouble) = info.trouble() {
        return Some(trouble);
    }
    let evicted = memory.evictions.zip(info.number("evicted_keys")).map(|((_, before), now)| now - before);
    if evicted.is_some_and(|evicted| evicted > 0.0) {
        let policy = info.text("maxmemory_policy").unwrap_or("by an unknown policy");
        return Some(format!("it gives up keys for want of memory ({policy})"));
    }
    let uses = |node: &&NodeDetail| {
        node.answers && node.redis_connected == Some(true) && node.redis_run_id.as_ref() == Some(&info.run_id)
    };
    let users = details.nodes.values().filter(uses).count();
    let without = details.nodes.values().filter(uses).filter(|node| node.degraded() == Some(true)).count();
    (users >= 2 && without == users)
        .then(|| format!("it answers readings, but all {users} nodes that reach it decide without it"))
}

/// The local id of the Redis a node uses, as far as that is known: the expected one, unless the node says otherwise.
pub(super) fn redis_of(details: &Details, memory: &Memory, node: &NodeDetail) -> String {
    let expected = details.redis.run_id.as_deref();
    match (node.redis_run_id.as_deref(), expected) {
        // For a moment after Redis started again, nodes still name the start before.
        (Some(own), Some(expected))
            if own != expected && node.redis_connected == Some(true) && !memory.past_run_ids.contains(own) =>
        {
            foreign_redis(own)
        }
        _ => REDIS_ID.to_owned(),
    }
}

/// Writes components and dependencies.
pub(super) fn write(
    config: &Config,
    memory: &Memory,
    details: &Details,
    nodes: &[NodeReading],
    redis: &RedisReading,
    observation: &mut Observation,
) {
    let id = |local: &str| Id::new(&config.name, local);
    let mut foreign: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for node in nodes {
        let Some(detail) = details.nodes.get(&node.target.id) else { continue };
        observation.components.push(node_component(config, node, detail));
        let to = redis_of(details, memory, detail);
        if to != REDIS_ID {
            let run_id = detail.redis_run_id.clone().unwrap_or_default();
            foreign.entry(to.clone()).or_insert((run_id, BTreeSet::new())).1.insert(node.target.id.clone());
        }
        let state = match detail.redis_connected {
            Some(true) => DependencyState::Up,
            Some(false) => DependencyState::Down,
            None => DependencyState::Unknown,
        };
        observation.dependencies.push(Dependency {
            from: id(&node.target.id),
            to: id(&to),
            kind: REDIS.to_owned(),
            state,
        });
    }
    observation.components.push(redis_component(config, details, redis));
    for (local, (run_id, users)) in foreign {
        let users: Vec<_> = users.into_iter().collect();
        observation.components.push(Component {
            id: id(&local),
            kind: REDIS.to_owned(),
            address: None,
            state: ComponentState::Up,
            raw_state: format!("not the expected one; {} uses it", users.join(", ")),
            version: None,
            labels: BTreeMap::from([(INCARNATION.to_owned(), run_id)]),
        });
    }
}

fn node_component(config: &Config, node: &NodeReading, detail: &NodeDetail) -> Component {
    let (state, raw_state) = match (detail.answers, detail.mode) {
        (false, _) if !node.can_be_asked() => (ComponentState::Unknown, "not asked".to_owned()),
        (false, _) if detail.leaving => (ComponentState::Down, "leaving".to_owned()),
        (false, _) if detail.refused => (ComponentState::Down, "no process listens".to_owned()),
        (false, _) => (ComponentState::Down, "does not answer".to_owned()),
        (true, None) => (ComponentState::Unknown, "lives, but does not say how it is".to_owned()),
        (true, Some(Mode::Coordinated)) if detail.leaving => (ComponentState::Up, "leaving".to_owned()),
        (true, Some(Mode::Coordinated)) if detail.draining => (ComponentState::Up, "draining".to_owned()),
        (true, Some(Mode::Coordinated)) => (ComponentState::Up, "coordinated".to_owned()),
        (true, Some(mode)) => (ComponentState::Degraded, format!("without Redis: {}", mode.name())),
    };
    let incarnation = detail.boot_id.clone().map(|boot| (INCARNATION.to_owned(), boot));
    Component {
        id: Id::new(&config.name, &node.target.id),
        kind: NODE.to_owned(),
        address: detail.address.as_ref().map(ToString::to_string),
        state,
        raw_state,
        version: node.health().map(|health| health.version.clone()),
        labels: incarnation.into_iter().collect(),
    }
}

fn redis_component(config: &Config, details: &Details, redis: &RedisReading) -> Component {
    // A node that decides without Redis is about to find out that its last ping was the last.
    let reaches =
        |node: &&NodeDetail| node.answers && node.redis_connected == Some(true) && node.degraded() == Some(false);
    let reached = details.nodes.values().filter(reaches).count();
    let (state, raw_state) = match (&details.redis.trouble, details.redis.answers) {
        (Some(trouble), true) => (ComponentState::Degraded, trouble.clone()),
        (None, true) => (ComponentState::Up, "answers".to_owned()),
        (_, false) if reached > 0 => {
            (ComponentState::Unknown, format!("does not answer the operator, but {reached} nodes reach it"))
        }
        (_, false) => (ComponentState::Down, "does not answer".to_owned()),
    };
    let run_id = details.redis.run_id.clone().map(|run_id| (INCARNATION.to_owned(), run_id));
    Component {
        id: crate::names::redis(&config.name),
        kind: REDIS.to_owned(),
        address: Some(format!("{}:{}", config.redis.host, config.redis.port)),
        state,
        raw_state,
        version: redis.info.as_ref().ok().map(|info| info.version.clone()),
        labels: run_id.into_iter().collect(),
    }
}
