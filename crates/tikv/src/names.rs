//! How things are called in observations, findings and actions.

use operator_protocols::{GroupId, Id, Locus};

/// The kind of subject.
pub const KIND: &str = "tikv";

/// The kind of component that a store is.
pub const STORE: &str = "tikv";
/// The kind of component that a member of PD is.
pub const MEMBER: &str = "pd";
/// The kind of component that Prometheus is.
pub const PROMETHEUS: &str = "prometheus";

/// The kind of entity that a region is; its key is the region's id.
pub const REGION: &str = "region";
/// The kind of entity that an eviction of all leaders from a store is; its key is the store's component name.
pub const DRAIN: &str = "drain";
/// The kind of entity that a scheduler of PD is; its key is the scheduler's name.
pub const SCHEDULER: &str = "scheduler";
/// The kind of entity that a setting of PD is; its key is the setting's name, such as `region-schedule-limit`.
pub const SETTING: &str = "setting";

/// What the name of a store's component begins with; its id follows: `store-4`.
const STORE_PREFIX: &str = "store-";

/// The name of a store's component.
pub fn store(id: u64) -> String {
    format!("{STORE_PREFIX}{id}")
}

/// The id of the store that a component's name stands for.
pub fn store_id(name: &str) -> Option<u64> {
    name.strip_prefix(STORE_PREFIX)?.parse().ok()
}

/// A store as a component of `subject`.
pub fn store_component(subject: &str, id: u64) -> Id {
    Id::new(subject, store(id))
}

/// A store as a locus.
pub fn store_locus(subject: &str, id: u64) -> Locus {
    Locus::Component(store_component(subject, id))
}

/// A member of PD as a locus; its name is the one it was started with.
pub fn member_locus(subject: &str, name: &str) -> Locus {
    Locus::component(subject, name)
}

/// A region as a locus.
pub fn region_locus(subject: &str, id: u64) -> Locus {
    Locus::entity(subject, REGION, id.to_string())
}

/// All stores of `subject`, as one locus.
pub fn all_stores(subject: &str) -> Locus {
    Locus::Group(GroupId::new(subject, STORE))
}

/// All members of PD of `subject`, as one locus.
pub fn all_members(subject: &str) -> Locus {
    Locus::Group(GroupId::new(subject, MEMBER))
}

/// All regions of `subject`, as one locus.
pub fn all_regions(subject: &str) -> Locus {
    Locus::Group(GroupId::new(subject, REGION))
}

/// The Prometheus of `subject`.
pub fn prometheus(subject: &str) -> Locus {
    Locus::component(subject, PROMETHEUS)
}

/// The eviction of leaders from a store, as a locus.
pub fn drain_locus(subject: &str, id: u64) -> Locus {
    Locus::entity(subject, DRAIN, store(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_found_by_its_name() {
        assert_eq!(store_id(&store(u64::MAX)), Some(u64::MAX));
        for name in ["store-", "store-x", "pd-0", "4", "store--1"] {
            assert_eq!(store_id(name), None, "{name}");
        }
    }
}
