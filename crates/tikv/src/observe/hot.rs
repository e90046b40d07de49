//! The hottest regions, out of what PD says of hot ones: a few, and only those that are a good part of what a store bears.
//! PD keeps this list itself; no region is read for it.

use std::collections::BTreeMap;

use operator_protocols::{Signal, SignalKind, SignalRole, Timestamp, Worse};

use crate::details::{ClusterDetail, HotDetail, HotRegionDetail};
use crate::names;
use crate::pd::api;

/// So many regions are kept of the writes, and of the reads.
const MAX_REGIONS: usize = 8;
/// A region that is less than this part of what each of its stores bears makes none of them hot.
const LEAST_PART: f64 = 0.05;
/// Below so many keys a second nothing is hot.
const LEAST_KEYS: f64 = 100.0;

/// What is hot, of an answer; nothing, if this PD does not know the question.
pub(super) fn detail(told: &Option<api::HotRegions>) -> Option<HotDetail> {
    let told = told.as_ref()?;
    let usable = |keys: f64| keys.is_finite() && keys > 0.0;
    let stores: BTreeMap<u64, f64> =
        told.as_peer.iter().map(|(id, peers)| (*id, peers.store_keys)).filter(|(_, keys)| usable(*keys)).collect();
    let mut regions = BTreeMap::<u64, HotRegionDetail>::new();
    for (store, peers) in &told.as_peer {
        for hot in peers.statistics.iter().filter(|hot| hot.region_id > 0 && usable(hot.flow_keys)) {
            let region = regions
                .entry(hot.region_id)
                .or_insert_with(|| HotRegionDetail { region: hot.region_id, ..HotRegionDetail::default() });
            region.keys = region.keys.max(hot.flow_keys);
            region.stores.insert(*store);
        }
    }
    let weighs = |hot: &HotRegionDetail| {
        let borne = hot.stores.iter().filter_map(|store| stores.get(store));
        hot.keys >= LEAST_KEYS && borne.into_iter().any(|all| hot.keys >= LEAST_PART * all)
    };
    let mut regions: Vec<HotRegionDetail> = regions.into_values().filter(weighs).collect();
    regions.sort_by(|a, b| b.keys.total_cmp(&a.keys).then(a.region.cmp(&b.region)));
    regions.truncate(MAX_REGIONS);
    Some(HotDetail { regions, stores })
}

/// The traffic of the hottest regions, and in the same measure that of the stores that bear them, so that it can be told
/// how much of it each region is.
pub(super) fn signals(subject: &str, at: Timestamp, cluster: &ClusterDetail) -> Vec<Signal> {
    let mut signals = Vec::new();
    for (name, hot) in [("written_keys", &cluster.hot_writes), ("read_keys", &cluster.hot_reads)] {
        let Some(hot) = hot else { continue };
        let regions = hot.regions.iter().map(|hot| (names::region_locus(subject, hot.region), hot.keys));
        let bearing = |id: u64| hot.regions.iter().any(|region| region.stores.contains(&id));
        let stores = hot.stores.iter().filter(|(id, _)| bearing(**id));
        let stores = stores.map(|(id, keys)| (names::store_locus(subject, *id), *keys));
        signals.extend(regions.chain(stores).map(|(on, value)| Signal {
            on,
            name: name.to_owned(),
            role: SignalRole::Traffic,
            value,
            unit: "1/s".to_owned(),
            observed_at: at,
            kind: SignalKind::Gauge,
            worse: Worse::Neither,
        }));
    }
    signals
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(regions: &[(u64, f64)], store_keys: f64) -> Option<api::HotRegions> {
        let statistics: Vec<_> =
            regions.iter().map(|(region, keys)| json!({ "region_id": region, "flow_keys": keys })).collect();
        let of_store = json!({ "store_keys": store_keys, "statistics": statistics });
        let quiet = json!({ "store_keys": 90.0, "statistics": null });
        let answer = json!({ "as_peer": { "1": of_store, "4": of_store, "9": quiet }, "as_leader": {} });
        Some(serde_json::from_value(answer).expect("an answer of PD"))
    }

    #[test]
    fn a_few_of_the_hottest_that_are_a_good_part_are_kept() {
        let many: Vec<(u64, f64)> = (1..=40).map(|region| (region, 1000.0 + region as f64)).collect();
        let hot = detail(&told(&many, 9000.0)).expect("it was told");
        assert_eq!(hot.regions.iter().map(|one| one.region).collect::<Vec<_>>(), [40, 39, 38, 37, 36, 35, 34, 33]);
        assert_eq!(hot.regions[0].stores, [1, 4].into());
        assert_eq!(detail(&told(&[(7, 400.0)], 9000.0)).expect("it was told").regions, [], "4 % of all");
        assert_eq!(detail(&told(&[(7, 90.0)], 100.0)).expect("it was told").regions, [], "hardly anything");
        assert_eq!(detail(&told(&[(7, -1.0), (0, 900.0)], 900.0)).expect("it was told").regions, [], "nonsense");
        assert_eq!(detail(&None), None, "what nobody told is not nothing");
    }

    #[test]
    fn its_traffic_is_told_beside_that_of_the_stores_that_bear_it() {
        let cluster = ClusterDetail { hot_writes: detail(&told(&[(7, 600.0)], 1000.0)), ..ClusterDetail::default() };
        let signals = signals("cluster", Timestamp::from_millis(5), &cluster);
        let told: Vec<_> = signals.iter().map(|one| (one.on.name().to_owned(), one.name.as_str(), one.value)).collect();
        let expected = [("7", 600.0), ("store-1", 1000.0), ("store-4", 1000.0)];
        assert_eq!(told, expected.map(|(on, value)| (on.to_owned(), "written_keys", value)));
    }
}
