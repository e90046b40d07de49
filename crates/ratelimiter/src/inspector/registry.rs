//! The registry that the nodes keep in Redis.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Inspection, InspectorError, command};
use crate::Address;
use crate::api::is_node_id;

/// More registered nodes are not read.
const MAX_NODES: usize = 512;
const WHAT: &str = "the registry";

/// What the registry says of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    /// Where it says it is reached.
    pub(crate) address: Option<Address>,
    /// Which start of it.
    pub(crate) boot_id: Option<String>,
    /// Its last heartbeat, in microseconds by Redis's clock.
    pub(crate) heartbeat_us: u64,
    /// After how long without a heartbeat it is Down.
    pub(crate) ttl: Duration,
    /// What follows from all that.
    pub(crate) state: RegisteredState,
}

/// What the registry makes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RegisteredState {
    /// Its heartbeat is young.
    Up,
    /// It was stopped and means to come back.
    Leaving,
    /// It takes no traffic.
    Draining,
    /// Its heartbeat is old.
    Down,
}

/// One reading of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registry {
    /// Redis's clock at the reading, in microseconds.
    pub(crate) now_us: u64,
    /// The nodes by name.
    pub(crate) nodes: BTreeMap<String, Registered>,
}

impl Registry {
    /// Whether the reading says something: some heartbeat is younger than two intervals. In a paused Redis every
    /// heartbeat grows old, and that says nothing about the nodes.
    pub(crate) fn counts(&self, heartbeat: Option<Duration>) -> bool {
        self.nodes.values().any(|node| {
            let age = Duration::from_micros(self.now_us.saturating_sub(node.heartbeat_us));
            age < node.interval(heartbeat) * 2
        })
    }
}

impl Registered {
    /// How often it writes: as configured, else a third of its TTL, as the nodes' defaults are.
    pub(crate) fn interval(&self, configured: Option<Duration>) -> Duration {
        configured.unwrap_or(self.ttl / 3)
    }
}

impl Inspection {
    /// Reads the registry.
    pub(crate) async fn registry(&self) -> Result<Registry, InspectorError> {
        let now_us = self.clock().await?;
        let mut range = command("ZREVRANGE");
        range.arg("rlreg:{registry}:nodes").arg(0).arg(MAX_NODES - 1);
        let names: Vec<String> = self.ask(WHAT, &range).await?;
        let names: Vec<String> = names.into_iter().filter(|name| is_node_id(name)).collect();
        if names.is_empty() {
            return Ok(Registry { now_us, nodes: BTreeMap::new() });
        }
        let mut pipeline = redis::pipe();
        for name in &names {
            pipeline.cmd("HGETALL").arg(format!("rlreg:{{registry}}:node:{name}"));
        }
        let hashes: Vec<BTreeMap<String, String>> = self.ask_all(WHAT, &pipeline).await?;
        let nodes = names.into_iter().zip(&hashes).map(|(name, hash)| (name, registered(hash, now_us))).collect();
        Ok(Registry { now_us, nodes })
    }

    /// Which of these `node@boot` ever wrote a heartbeat, as far as Redis remembers.
    pub(crate) async fn boots_known(&self, writers: &[String]) -> Result<BTreeSet<String>, InspectorError> {
        if writers.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut scores = command("ZMSCORE");
        scores.arg("rlreg:{registry}:boots").arg(writers);
        let scores: Vec<Option<f64>> = self.ask("the boots", &scores).await?;
        Ok(writers.iter().zip(scores).filter(|(_, score)| score.is_some()).map(|(writer, _)| writer.clone()).collect())
    }
}

fn registered(hash: &BTreeMap<String, String>, now_us: u64) -> Registered {
    let number = |name: &str| hash.get(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (heartbeat_us, ttl_ms, leaving) = (number("heartbeat_us"), number("ttl_ms"), number("leaving_until_us"));
    let age_us = now_us.saturating_sub(heartbeat_us);
    let state = if hash.is_empty() {
        RegisteredState::Down
    } else if leaving > now_us {
        RegisteredState::Leaving
    } else if leaving > 0 || age_us > ttl_ms.saturating_mul(1000) {
        RegisteredState::Down
    } else if number("drain_until_us") > now_us {
        RegisteredState::Draining
    } else {
        RegisteredState::Up
    };
    Registered {
        address: hash.get("address").and_then(|text| Address::parse(text).ok()),
        boot_id: hash.get("boot_id").filter(|boot| boot.len() <= 80 && !boot.chars().any(char::is_control)).cloned(),
        heartbeat_us,
        ttl: Duration::from_millis(ttl_ms.min(86_400_000)),
        state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000_000_000;

    fn node(fields: &[(&str, u64)]) -> Registered {
        let mut hash: BTreeMap<_, _> = [("heartbeat_us", NOW - 1_000_000), ("ttl_ms", 3000), ("leaving_until_us", 0)]
            .into_iter()
            .chain(fields.iter().copied())
            .map(|(name, number)| (name.to_owned(), number.to_string()))
            .collect();
        hash.insert("address".to_owned(), "a:1".to_owned());
        registered(&hash, NOW)
    }

    #[test]
    fn a_nodes_state_follows_from_its_record() {
        assert_eq!(node(&[]).state, RegisteredState::Up);
        assert_eq!(node(&[("heartbeat_us", NOW - 3_000_001)]).state, RegisteredState::Down);
        assert_eq!(node(&[("leaving_until_us", NOW + 1)]).state, RegisteredState::Leaving);
        assert_eq!(node(&[("leaving_until_us", NOW - 1)]).state, RegisteredState::Down);
        assert_eq!(node(&[("drain_until_us", NOW + 1)]).state, RegisteredState::Draining);
        assert_eq!(registered(&BTreeMap::new(), NOW).state, RegisteredState::Down);
    }

    #[test]
    fn a_registry_in_which_every_heartbeat_is_old_does_not_count() {
        let registry = |age_ms: u64| Registry {
            now_us: NOW,
            nodes: BTreeMap::from([
                ("a".to_owned(), node(&[("heartbeat_us", NOW - 60_000_000)])),
                ("b".to_owned(), node(&[("heartbeat_us", NOW - age_ms * 1000)])),
            ]),
        };
        assert!(registry(1999).counts(None), "a third of the TTL is 1 s");
        assert!(!registry(2000).counts(None));
        assert!(registry(2000).counts(Some(Duration::from_millis(1001))));
    }
}
