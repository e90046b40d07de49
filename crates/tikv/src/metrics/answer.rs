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

/// The finite value of `series` at each of its points is what counts; of two series for one thing, both or the greater.
fn merge(query: &Query, into: &mut f64, value: f64) {
    *into = match *into {
        none if none.is_nan() => value,
        before if query.summed => before + value,
        before => before.max(value),
    };
}

/// What counts of several values for one store: their sum or the greatest.
pub(crate) fn value_of(query: &Query, values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut merged = f64::NAN;
    values.into_iter().filter(|value| value.is_finite()).for_each(|value| merge(query, &mut merged, value));
    (!merged.is_nan()).then_some(merged)
}
