//! What PD says is hot: which regions are written or read far more than others, and by how much.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What is hot, of writes or of reads. All rates are in keys a second, so that they can be compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HotDetail {
    /// The hottest regions, the hottest first: a few.
    pub(crate) regions: Vec<HotRegionDetail>,
    /// Every store, by id: what is written to it by all its replicas, or read from it.
    pub(crate) stores: BTreeMap<u64, f64>,
}

/// A hot region.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HotRegionDetail {
    /// Its id.
    pub(crate) region: u64,
    /// Keys a second.
    pub(crate) keys: f64,
    /// The stores that bear it: those of all replicas for writes.
    pub(crate) stores: BTreeSet<u64>,
}

impl HotDetail {
    /// The regions that are this part of what a store bears, or more; the hottest first.
    pub(crate) fn weighing_on(&self, store: u64, part: f64) -> impl Iterator<Item = u64> {
        let all = self.stores.get(&store).copied().filter(|all| *all > 0.0);
        self.regions
            .iter()
            .filter(move |hot| hot.stores.contains(&store) && all.is_some_and(|all| hot.keys >= part * all))
            .map(|hot| hot.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_weighs_on_the_stores_that_hold_it_by_its_part_of_what_they_bear() {
        let hot = HotDetail {
            regions: vec![
                HotRegionDetail { region: 7, keys: 600.0, stores: [1, 2].into() },
                HotRegionDetail { region: 9, keys: 100.0, stores: [1].into() },
            ],
            stores: [(1, 1000.0), (2, 9000.0), (3, 0.0)].into(),
        };
        assert_eq!(hot.weighing_on(1, 0.2).collect::<Vec<_>>(), [7]);
        assert_eq!(hot.weighing_on(1, 0.05).collect::<Vec<_>>(), [7, 9]);
        assert_eq!(hot.weighing_on(2, 0.2).count(), 0, "it is little of what that store bears");
        assert_eq!(hot.weighing_on(3, 0.0).count() + hot.weighing_on(4, 0.0).count(), 0);
    }
}
