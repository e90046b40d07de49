//! The registry of nodes in Redis: who lives, who leaves, who is drained, and every boot of the last 12 days.

use redis::Value;
use serde::Serialize;

use crate::call::{Call, CallError, int, text};
use crate::identity::Identity;
use crate::keys;
use crate::time::rfc3339;

/// How long a node that was stopped by a signal is Leaving.
pub const LEAVING_MS: u64 = 30_000;

/// What a node is, as far as its heartbeats tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NodeState {
    /// Its last heartbeat is younger than its TTL.
    Up,
    /// It was stopped and says it will be back.
    Leaving,
    /// It takes no traffic on somebody's request.
    Draining,
    /// No heartbeat for longer than its TTL.
    Down,
}

/// The drain of a node as the registry mirrors it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MirroredDrain {
    /// Who asked for it.
    pub owner: String,
    /// Its end by Redis's clock.
    pub until: String,
    /// The node's drain version.
    pub version: u64,
}

/// One node as `/api/nodes` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeRecord {
    /// Its id.
    pub id: String,
    /// `host:port`.
    pub address: String,
    /// By Redis's clock at the reading.
    pub state: NodeState,
    /// First heartbeat of this boot.
    pub registered_at: String,
    /// Last heartbeat.
    pub last_heartbeat: String,
    /// Version of the software.
    pub version: String,
    /// Which start of the node this is.
    pub boot_id: String,
    /// How it decided at its last heartbeat.
    pub mode: String,
    /// Set while Leaving.
    pub leaving_until: Option<String>,
    /// Set while Draining.
    pub drain: Option<MirroredDrain>,
}

/// One reading of the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// Redis's clock at the reading, µs.
    pub read_at_us: i64,
    /// The youngest heartbeat of all nodes, µs.
    pub youngest_heartbeat_us: i64,
    /// All nodes, by id.
    pub nodes: Vec<NodeRecord>,
    /// Every `node@boot` of the last 12 days.
    pub boots: Vec<String>,
}

impl Registry {
    /// Nodes that may be deciding, drained ones included. Never less than the one that asks.
    #[must_use]
    pub fn live(&self) -> u64 {
        let deciding = |node: &&NodeRecord| matches!(node.state, NodeState::Up | NodeState::Draining);
        self.nodes.iter().filter(deciding).count().max(1) as u64
    }

    /// Whether this reading says anything: in a paused Redis every heartbeat grows old, and nobody is dead.
    #[must_use]
    pub fn counts(&self, heartbeat_us: i64) -> bool {
        self.read_at_us - self.youngest_heartbeat_us <= 2 * heartbeat_us
    }
}

/// What a node tells the registry about itself.
#[derive(Clone, Debug)]
pub struct Heartbeat<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// `host:port` it advertises.
    pub address: &'a str,
    /// How it decides now.
    pub mode: &'a str,
    /// When it counts as Down.
    pub ttl_ms: u64,
    /// It was told to stop and will be back.
    pub leaving: bool,
    /// Owner, ms left.
    pub drain: Option<(&'a str, i64)>,
    /// Version of the drain.
    pub drain_version: u64,
}

impl Heartbeat<'_> {
    /// The script call that says it.
    #[must_use]
    pub fn call(&self) -> Call {
        let id = &self.identity.node_id;
        let (owner, drained_ms) = self.drain.unwrap_or(("", 0));
        Call {
            keys: vec![keys::node(id), keys::NODES.to_owned(), keys::BOOTS.to_owned()],
            args: vec![
                id.clone(),
                self.identity.boot_id.clone(),
                self.address.to_owned(),
                env!("CARGO_PKG_VERSION").to_owned(),
                self.mode.to_owned(),
                self.ttl_ms.to_string(),
                if self.leaving { LEAVING_MS } else { 0 }.to_string(),
                owner.to_owned(),
                drained_ms.to_string(),
                self.drain_version.to_string(),
            ],
        }
    }
}

/// The script call that forgets a node: any boot of it, or only one.
#[must_use]
pub fn forget_call(id: &str, only_boot: Option<&str>) -> Call {
    Call {
        keys: vec![keys::node(id), keys::NODES.to_owned()],
        args: vec![id.to_owned(), only_boot.unwrap_or_default().to_owned()],
    }
}

/// The script call that reads the registry.
#[must_use]
pub fn read_call() -> Call {
    Call { keys: vec![keys::NODE_PREFIX.to_owned(), keys::NODES.to_owned(), keys::BOOTS.to_owned()], args: vec![] }
}

/// Understands what the reading script answers. Fields that are missing are empty, a node without any is Down.
///
/// # Errors
/// It is no such answer.
pub fn parse(answer: &[Value]) -> Result<Registry, CallError> {
    let now = int(answer, 1)?;
    let list = |at: usize| match answer.get(at) {
        Some(Value::Array(items)) => Ok(items.as_slice()),
        other => Err(CallError::Malformed(format!("no list at {at}: {other:?}"))),
    };
    let mut nodes = Vec::new();
    let mut youngest_heartbeat_us = 0;
    for node in list(2)? {
        let Value::Array(node) = node else {
            return Err(CallError::Malformed(format!("no node: {node:?}")));
        };
        let fields = match node.get(1) {
            Some(Value::Array(fields)) => fields.as_slice(),
            _ => &[],
        };
        let (record, heartbeat) = record(text(node, 0)?, fields, now);
        youngest_heartbeat_us = youngest_heartbeat_us.max(heartbeat);
        nodes.push(record);
    }
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    let list = list(3)?;
    let boots = (0..list.len()).map(|i| text(list, i)).collect::<Result<_, _>>()?;
    Ok(Registry { read_at_us: now, youngest_heartbeat_us, nodes, boots })
}

fn record(id: String, fields: &[Value], now: i64) -> (NodeRecord, i64) {
    let get = |name: &str| {
        let at = (0..fields.len()).step_by(2).find(|&i| text(fields, i).is_ok_and(|field| field == name));
        at.and_then(|i| text(fields, i + 1).ok()).unwrap_or_default()
    };
    let number = |name: &str| get(name).parse::<i64>().unwrap_or(0);
    let (heartbeat, leaving, drained) = (number("heartbeat_us"), number("leaving_until_us"), number("drain_until_us"));
    let state = if leaving > now {
        NodeState::Leaving
    } else if leaving > 0 || now.saturating_sub(heartbeat) > number("ttl_ms").saturating_mul(1000) {
        NodeState::Down
    } else if drained > now {
        NodeState::Draining
    } else {
        NodeState::Up
    };
    let record = NodeRecord {
        id,
        address: get("address"),
        state,
        registered_at: rfc3339(number("registered_at_us")),
        last_heartbeat: rfc3339(heartbeat),
        version: get("version"),
        boot_id: get("boot_id"),
        mode: get("mode"),
        leaving_until: (state == NodeState::Leaving).then(|| rfc3339(leaving)),
        drain: (drained > now).then(|| MirroredDrain {
            owner: get("drain_owner"),
            until: rfc3339(drained),
            version: number("drain_version").unsigned_abs(),
        }),
    };
    (record, heartbeat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(fields: &[(&str, &str)], now: i64) -> NodeState {
        let bytes = |s: &str| Value::BulkString(s.as_bytes().to_vec());
        let fields: Vec<Value> = fields.iter().flat_map(|(k, v)| [bytes(k), bytes(v)]).collect();
        record("n".into(), &fields, now).0.state
    }

    #[test]
    fn a_state_follows_from_heartbeat_leaving_and_drain() {
        let beat = ("heartbeat_us", "1000000");
        let ttl = ("ttl_ms", "30000");
        assert_eq!(state(&[beat, ttl], 31_000_000), NodeState::Up);
        assert_eq!(state(&[beat, ttl], 31_000_001), NodeState::Down);
        assert_eq!(state(&[beat, ttl, ("leaving_until_us", "40000000")], 39_000_000), NodeState::Leaving);
        assert_eq!(state(&[beat, ttl, ("leaving_until_us", "5000000")], 6_000_000), NodeState::Down);
        assert_eq!(state(&[beat, ttl, ("drain_until_us", "9000000")], 6_000_000), NodeState::Draining);
        assert_eq!(state(&[], 6_000_000), NodeState::Down);
    }
}
