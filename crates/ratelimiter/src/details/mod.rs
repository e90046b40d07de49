//! What only this subject understands of an observation: typed here, free-form on the wire.
//!
//! | key of `details` | type | holds |
//! |---|---|---|
//! | `nodes` | map of [`NodeDetail`] by node | what each expected node said of itself |
//! | `redis` | [`RedisDetail`] | the expected Redis |
//! | `registry` | [`RegistryDetail`] | the last reading of the registry that counted |
//! | `limits` | [`LimitsDetail`] | stored limits that changed lately |
//! | `ledger` | [`Ledger`] | what the nodes admitted against what Redis recorded and what was allowed |

mod ledger;
mod limits;
mod node;
mod redis;
mod registry;
mod wire;

pub(crate) use ledger::{Account, Difference, Excess, Ledger, NodeStanding, OverLimit, UnreadableLog};
pub(crate) use limits::{LimitsDetail, OwnChange, RecentLimit};
pub(crate) use node::NodeDetail;
pub(crate) use redis::RedisDetail;
pub(crate) use registry::{RegisteredDetail, RegistryDetail};

use std::collections::BTreeMap;

use operator_protocols::{Observation, Unavailable, Value};

/// All details of one observation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Details {
    /// The expected nodes by name.
    pub(crate) nodes: BTreeMap<String, NodeDetail>,
    /// The expected Redis.
    pub(crate) redis: RedisDetail,
    /// The registry.
    pub(crate) registry: RegistryDetail,
    /// Stored limits.
    pub(crate) limits: LimitsDetail,
    /// Admitted against recorded against allowed.
    pub(crate) ledger: Ledger,
}

impl Details {
    /// The details of an observation.
    pub(crate) fn of(observation: &Observation) -> Result<Self, Unavailable> {
        Ok(Self {
            nodes: Self::nodes_of(observation)?,
            redis: wire::read(observation, "redis")?,
            registry: wire::read(observation, "registry")?,
            limits: wire::read(observation, "limits")?,
            ledger: wire::read(observation, "ledger")?,
        })
    }

    /// Only what the nodes said.
    pub(crate) fn nodes_of(observation: &Observation) -> Result<BTreeMap<String, NodeDetail>, Unavailable> {
        wire::read(observation, "nodes")
    }

    /// Only the keys that were judged, read in place: the past holds many.
    pub(crate) fn judged_of(observation: &Observation) -> impl Iterator<Item = &str> {
        let judged = observation.details.get("ledger").and_then(|ledger| ledger.get("judged"));
        judged.and_then(Value::as_list).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Only the keys whose limit changed lately, read in place.
    pub(crate) fn changed_limits_of(observation: &Observation) -> impl Iterator<Item = &str> {
        let recent = observation.details.get("limits").and_then(|limits| limits.get("recent"));
        recent.and_then(Value::as_map).into_iter().flat_map(|recent| recent.keys().map(String::as_str))
    }

    /// Only the differing accounts; none, if they are not understood.
    pub(crate) fn differences_of(observation: &Observation) -> Vec<Difference> {
        let differing = observation.details.get("ledger").and_then(|ledger| ledger.get("differing"));
        match differing {
            Some(Value::List(list)) if !list.is_empty() => {
                list.iter().filter_map(|value| wire::typed(value).ok()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Writes them into an observation.
    pub(crate) fn write_to(&self, observation: &mut Observation) {
        wire::write(observation, "nodes", &self.nodes);
        wire::write(observation, "redis", &self.redis);
        wire::write(observation, "registry", &self.registry);
        wire::write(observation, "limits", &self.limits);
        wire::write(observation, "ledger", &self.ledger);
    }
}
