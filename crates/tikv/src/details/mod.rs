//! What only this subject understands of an observation: typed here, free-form on the wire.
//!
//! | key of `details` | type | holds |
//! |---|---|---|
//! | `cluster` | [`ClusterDetail`] | what PD says of the whole: leader, settings, placement rules |
//! | `members` | map of [`MemberDetail`] by name | every member of PD, asked one by one |
//! | `stores` | map of [`StoreDetail`] by id | every store that PD knows, tombstones left out |
//! | `metrics` | [`MetricsDetail`] as one text | what Prometheus answered, joined to stores and members |
//! | `unreachable` | map by store of map by the store that complains | what of `metrics` is read of the past |
//! | `drift` | [`DriftDetail`] | how numbers moved since earlier looks |

mod cluster;
mod drift;
mod hot;
mod member;
mod metrics;
mod store;
mod wire;

pub(crate) use cluster::{ClusterDetail, DrainDetail, LimitDetail, OperatorDetail, RuleDetail, SchedulerDetail};
pub(crate) use drift::{DriftDetail, Moved};
pub(crate) use hot::{HotDetail, HotRegionDetail};
pub(crate) use member::MemberDetail;
pub(crate) use metrics::{Answer, MetricsDetail};
pub(crate) use store::{NodeState, StoreDetail, StoreState};

use std::collections::BTreeMap;

use operator_protocols::{Observation, Unavailable};

/// All details of one observation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Details {
    /// The whole.
    pub(crate) cluster: ClusterDetail,
    /// The members of PD by name.
    pub(crate) members: BTreeMap<String, MemberDetail>,
    /// The stores by id.
    pub(crate) stores: BTreeMap<u64, StoreDetail>,
    /// What Prometheus answered.
    pub(crate) metrics: MetricsDetail,
    /// How numbers moved.
    pub(crate) drift: DriftDetail,
}

impl Details {
    /// The details of an observation.
    pub(crate) fn of(observation: &Observation) -> Result<Self, Unavailable> {
        Ok(Self {
            cluster: wire::read(observation, "cluster")?,
            members: wire::read(observation, "members")?,
            stores: Self::stores_of(observation)?,
            metrics: wire::read_text(observation, "metrics")?,
            drift: wire::read(observation, "drift")?,
        })
    }

    /// Only the stores.
    pub(crate) fn stores_of(observation: &Observation) -> Result<BTreeMap<u64, StoreDetail>, Unavailable> {
        wire::read(observation, "stores")
    }

    /// Writes them into an observation.
    pub(crate) fn write_to(&self, observation: &mut Observation) {
        wire::write(observation, "cluster", &self.cluster);
        wire::write(observation, "members", &self.members);
        wire::write_lean(observation, "stores", &self.stores);
        wire::write_text(observation, "metrics", &self.metrics);
        let unreachable = self.metrics.answers_by_query.get("unreachable");
        wire::write(observation, "unreachable", &unreachable.map(|answer| &answer.stores_by));
        wire::write(observation, "drift", &self.drift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_read_back_from_an_observation() {
        let mut details = Details::default();
        details.stores.insert(u64::MAX, StoreDetail { id: u64::MAX, ..StoreDetail::default() });
        details
            .members
            .insert("pd-0".into(), MemberDetail { member_id: 7_711_473_329_502_372_226, ..MemberDetail::default() });
        let mut observation = Observation::default();
        details.write_to(&mut observation);
        assert_eq!(Details::of(&observation).expect("they read back"), details);
        assert_eq!(observation.unavailable, []);
    }
}
