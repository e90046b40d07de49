//! Of a large cluster, the stores whose signals are worth keeping: those that are out of the ordinary, and enough others
//! to compare them with. The rest is in the details of the observation, which nobody keeps for an hour.

use std::collections::{BTreeMap, BTreeSet};

use operator_protocols::Worse;

/// Up to so many stores, every one has its signals.
const MANY_STORES: usize = 200;
/// Stores that always have their signals, so that there is always something to compare with.
const PEERS: usize = 20;
/// Stores out of the ordinary that have theirs besides.
const MAX_UNUSUAL: usize = 60;
/// So many interquartile ranges beyond the quartile is far out, as Tukey has it.
const FAR_OUT: f64 = 3.0;

/// A few stores, spread over all ids and the same each time.
pub(crate) fn peers(ids: &[u64], how_many: usize) -> BTreeSet<u64> {
    let how_many = how_many.min(ids.len());
    (0..how_many).map(|index| ids[index * ids.len() / how_many]).collect()
}

/// The stores whose signals are kept: all of a cluster of ordinary size; else a few peers, those in `always`, and those
/// with a reading far out, the furthest first.
pub(super) fn chosen(ids: &[u64], always: &BTreeSet<u64>, readings: &[(Worse, BTreeMap<u64, f64>)]) -> BTreeSet<u64> {
    if ids.len() <= MANY_STORES {
        return ids.iter().copied().collect();
    }
    let mut unusual: BTreeMap<u64, f64> = always.iter().map(|id| (*id, f64::INFINITY)).collect();
    for (worse, values) in readings {
        for (id, excess) in far_out(*worse, values) {
            let greatest = unusual.entry(id).or_insert(0.0);
            *greatest = greatest.max(excess);
        }
    }
    let mut unusual: Vec<_> = unusual.into_iter().collect();
    unusual.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut chosen = peers(ids, PEERS);
    chosen.extend(unusual.into_iter().take(MAX_UNUSUAL).map(|(id, _)| id));
    chosen
}

/// The stores whose value is far out in a direction that is bad, and by how much in parts of what is ordinary.
fn far_out(worse: Worse, values: &BTreeMap<u64, f64>) -> Vec<(u64, f64)> {
    let mut sorted: Vec<f64> = values.values().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    let (lower, upper) = (sorted[last / 4], sorted[last - last / 4]);
    let spread = upper - lower;
    let scale = (spread + upper.abs().max(lower.abs())).max(f64::MIN_POSITIVE);
    let excess = |value: f64| {
        let above = value - upper - FAR_OUT * spread;
        let below = lower - FAR_OUT * spread - value;
        match worse {
            Worse::Higher => above,
            Worse::Lower => below,
            Worse::Neither => above.max(below),
        }
    };
    values.iter().map(|(id, value)| (*id, excess(*value) / scale)).filter(|(_, excess)| *excess > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_stores_the_unusual_and_some_peers_are_kept() {
        let ids: Vec<u64> = (1..=1000).collect();
        let mut latency: BTreeMap<u64, f64> = ids.iter().map(|id| (*id, 0.001 + (*id % 7) as f64 * 1e-4)).collect();
        latency.insert(777, 0.5);
        let space: BTreeMap<u64, f64> = ids.iter().map(|id| (*id, if *id == 42 { 1.0 } else { 9.0 })).collect();
        let readings = [(Worse::Higher, latency), (Worse::Lower, space)];
        let chosen = chosen(&ids, &BTreeSet::from([5]), &readings);
        assert!([5, 42, 777].iter().all(|id| chosen.contains(id)), "{chosen:?}");
        assert!(chosen.len() <= PEERS + 3, "{}", chosen.len());
    }

    #[test]
    fn a_store_that_does_better_than_others_is_not_unusual() {
        let values: BTreeMap<u64, f64> = (1..=9).map(|id| (id, if id == 3 { 0.0 } else { 5.0 })).collect();
        assert_eq!(far_out(Worse::Higher, &values), []);
        assert_eq!(far_out(Worse::Neither, &values).len(), 1);
    }

    #[test]
    fn a_failure_of_everybody_does_not_make_everybodys_signals_kept() {
        let ids: Vec<u64> = (1..=500).collect();
        let always: BTreeSet<u64> = ids.iter().copied().collect();
        assert!(chosen(&ids, &always, &[]).len() <= PEERS + MAX_UNUSUAL);
    }

    #[test]
    fn of_few_stores_all_are_peers() {
        assert_eq!(peers(&[4, 5, 6], 20).len(), 3);
        assert_eq!(peers(&[], 20).len(), 0);
    }
}
