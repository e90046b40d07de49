//! Where everything of this environment is reached. Addresses stay the same over restarts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::REDIS;
use crate::environment::Link;
use crate::error::LabError;
use crate::process::ReservedPort;
use crate::proxy::Proxy;

/// The ports, and the links in front of Redis.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) redis: ReservedPort,
    /// Another Redis, for a node that is pointed at the wrong one.
    pub(super) other_redis: ReservedPort,
    pub(super) nodes: BTreeMap<String, NodePlace>,
}

/// Where a node is, and its link to Redis.
#[derive(Debug)]
pub(super) struct NodePlace {
    pub(super) port: ReservedPort,
    pub(super) link: Proxy,
}

impl Places {
    pub(super) fn node(&self, name: &str) -> Result<&NodePlace, LabError> {
        self.nodes.get(name).ok_or_else(|| {
            let known: Vec<_> = self.nodes.keys().map(String::as_str).collect();
            LabError::invalid("node", format!("one of {}, not {name:?}", known.join(", ")))
        })
    }

    pub(super) fn links(&self) -> Vec<Link> {
        let link = |(name, place): (&String, &NodePlace)| Link {
            from: name.clone(),
            to: REDIS.to_owned(),
            behaviour: place.link.behaviour(),
        };
        self.nodes.iter().map(link).collect()
    }

    /// The addresses of all nodes, in order.
    pub(super) fn node_addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.nodes.iter().map(|(name, place)| (name.as_str(), loopback(place.port.port())))
    }
}

/// A port of this machine.
pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
