//! From the series of an answer to what it says of stores and members.

use std::collections::BTreeSet;

use operator_prometheus::Series;

use super::Targets;
use crate::details::Answer;
use crate::queries::{By, Query};

/// Values of a further label that are told apart: the stores of a large cluster, where the label names a store.
const MAX_LABELS: usize = 2_000;
/// Longer values of a label are not a type or the name of a pool.
const MAX_LABEL_BYTES: usize = 200;

/// Reads an answer. A value that is not finite is as good as none: a quantile of no requests is one.
pub(super) fn read(
    query: &Query,
    series: &[Series],
    instance_label: &str,
    targets: &Targets,
    known_stores: &BTreeSet<u64>,
    leader: Option<&str>,
) -> Answer {
    let mut answer = Answer::default();
    for series in series {
        let Some(value) = series.points.last().map(|point| point.value).filter(|value| value.is_finite()) else {
            continue;
        };
        let instance = series.labels.get(instance_label).map(String::as_str).unwrap_or_default();
        let further = |label: &str| series.labels.get(label).filter(|text| text.len() <= MAX_LABEL_BYTES);
        match query.by {
            By::Store => {
                if let Some(id) = targets.store(instance) {
                    merge(query, answer.stores.entry(id).or_insert(f64::NAN), value);
                }
            }
            By::StoreId(label) => {
                let id = further(label).and_then(|text| text.parse().ok()).filter(|id| known_stores.contains(id));
                if let Some(id) = id {
                    merge(query, answer.stores.entry(id).or_insert(f64::NAN), value);
                }
            }
            By::StoreAnd(label) => {
                let (Some(id), Some(text)) = (targets.store(instance), further(label)) else { continue };
                merge(query, answer.stores.entry(id).or_insert(f64::NAN), value);
                if answer.stores_by.len() < MAX_LABELS || answer.stores_by.contains_key(text) {
                    let of_label = answer.stores_by.entry(text.clone()).or_default();
                    merge(query, of_label.entry(id).or_insert(f64::NAN), value);
                }
            }
            By::Member => {
                if let Some(name) = targets.member(instance) {
                    merge(query, answer.members.entry(name.to_owned()).or_insert(f64::NAN), value);
                }
            }
            By::Leader(label) => {
                let from_leader = targets.member(instance).is_some_and(|name| Some(name) == leader);
                let Some(text) = further(label).filter(|_| from_leader) else { continue };
                if answer.leader.len() < MAX_LABELS {
                    merge(query, answer.leader.entry(text.clone()).or_insert(f64::NAN), value);
                }
            }
        }
    }
    answer
}

/// Puts one more value of a store or member to what is there, NaN at first: their sum counts, or the greatest.
pub(crate) fn merge(query: &Query, into: &mut f64, value: f64) {
    *into = match *into {
        none if none.is_nan() => value,
        before if query.summed => before + value,
        before => before.max(value),
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use operator_prometheus::{Labels, Point};
    use operator_protocols::Timestamp;

    use super::*;
    use crate::details::{MemberDetail, StoreDetail};
    use crate::metrics::{Join, Known};
    use crate::queries::find;

    fn series(labels: &[(&str, &str)], value: f64) -> Series {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Series { labels, points: vec![Point { at: Timestamp::from_millis(0), value }] }
    }

    fn answer(name: &str, series: &[Series]) -> Answer {
        let stores =
            [1, 4].map(|id| (id, StoreDetail { id, status_address: format!("s{id}:20180"), ..StoreDetail::default() }));
        let members = ["pd-0", "pd-1"].map(|name| {
            (name.to_owned(), MemberDetail { urls: vec![format!("http://{name}:2379")], ..MemberDetail::default() })
        });
        let (stores, members) = (BTreeMap::from(stores), BTreeMap::from(members));
        let known = Known { stores: &stores, members: &members, leader: Some("pd-0") };
        let tikv = ["s1:20180", "s4:20180", "s9:20180"].map(str::to_owned).into();
        let pd = ["pd-0:2379", "pd-1:2379"].map(str::to_owned).into();
        let targets = Targets::join(Join::StatusAddress, &known, &tikv, &pd);
        let ids = stores.keys().copied().collect();
        read(find(name).expect("in the catalogue"), series, "instance", &targets, &ids, known.leader)
    }

    #[test]
    fn of_several_series_of_a_store_the_greatest_counts_or_their_sum() {
        let of = |kind, value| series(&[("instance", "s4:20180"), ("type", kind)], value);
        let all = [of("kv_get", 3.0), of("kv_scan", 4.0), of("raw_get", f64::NAN)];
        assert_eq!(answer("request_duration_p99", &all).stores, BTreeMap::from([(4, 4.0)]));
        let rates = answer("request_rate", &all);
        assert_eq!(rates.stores, BTreeMap::from([(4, 7.0)]));
        assert_eq!(rates.stores_by["kv_get"][&4], 3.0);
        assert!(!rates.stores_by.contains_key("raw_get"), "a value that is none");
    }

    #[test]
    fn what_stores_say_of_each_other_stays_in_pairs() {
        let all = [
            series(&[("instance", "s1:20180"), ("store_id", "4")], 12.0),
            series(&[("instance", "s9:20180"), ("store_id", "4")], 50.0),
        ];
        let pairs = answer("unreachable", &all);
        assert_eq!(pairs.stores_by, BTreeMap::from([("4".to_owned(), BTreeMap::from([(1, 12.0)]))]), "s9 is nobody");
    }

    #[test]
    fn only_what_the_leader_says_of_the_cluster_counts() {
        let of = |instance, value| series(&[("instance", instance), ("type", "miss-peer-region-count")], value);
        let regions = answer("pd_regions", &[of("pd-1:2379", 0.0), of("pd-0:2379", 3.0)]);
        assert_eq!(regions.leader, BTreeMap::from([("miss-peer-region-count".to_owned(), 3.0)]));
    }
}
