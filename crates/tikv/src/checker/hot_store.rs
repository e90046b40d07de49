//! `hot_store_write`, `hot_store_read`: one store is asked far more than its peers, and a good part of all.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, idle};
use super::fold::folded;
use super::invariant::Invariant;
use super::measured::RATE_WINDOW;
use crate::details::HotDetail;
use crate::names;
use crate::thresholds::Limit;

pub(super) const WRITE: Invariant =
    Invariant::new("hot_store_write", "No store is asked to write far more than its peers", |case| {
        judge(case, "hot_store_write", &WRITES, "writes", case.details.cluster.hot_writes.as_ref())
    })
    .limit(Limit::HotFactor)
    .grace(300);
pub(super) const READ: Invariant =
    Invariant::new("hot_store_read", "No store is asked to read far more than its peers", |case| {
        judge(case, "hot_store_read", &READS, "reads", case.details.cluster.hot_reads.as_ref())
    })
    .limit(Limit::HotFactor)
    .grace(300);

const WRITES: [&str; 4] = ["kv_prewrite", "kv_commit", "raw_put", "raw_batch_put"];
const READS: [&str; 6] = ["kv_get", "kv_batch_get", "kv_scan", "coprocessor", "raw_get", "raw_scan"];

/// Fewer stores than this have no usual load to compare with.
const PEERS: usize = 3;

fn judge(case: &Case<'_>, invariant: &str, types: &[&str], words: &str, hot: Option<&HotDetail>) -> Vec<Evaluation> {
    let loads: Vec<(u64, f64)> = case
        .stores
        .keys()
        .filter(|id| comparable(case, **id).is_ok())
        .filter_map(|&id| Some((id, load(case, id, types).ok()?)))
        .collect();
    let evaluations = case.each_living_store(invariant, |id, _| {
        let load = load(case, id, types)?;
        comparable(case, id)?;
        let total: f64 = loads.iter().map(|(_, load)| load).sum();
        if loads.len() < PEERS {
            return Err(Verdict::Suppressed("there are too few stores to compare with".to_owned()));
        }
        if total < case.limit(Limit::HotTraffic) {
            return Err(idle());
        }
        let median = median(loads.iter().map(|(_, load)| *load).collect());
        let factor = case.limit(Limit::HotFactor);
        if load <= factor * median || load <= case.limit(Limit::HotShare) * total {
            return Ok(Verdict::Ok);
        }
        let times = if median > 0.0 { load / median } else { load };
        let message = format!(
            "{} is asked {load:.0} {words} a second, {:.0} % of all, where half the stores are asked {median:.0} or less",
            names::store(id),
            100.0 * load / total
        );
        Ok(Verdict::Violated(Finding {
            persists: Some(RATE_WINDOW),
            involves: case.hot_regions(id, hot),
            ..Finding::new(message, times, factor)
        }))
    });
    folded(case, invariant, evaluations)
}

/// Whether what a store is asked can be compared with its peers.
fn comparable(case: &Case<'_>, id: u64) -> Step<()> {
    if let Some(why) = case.drained(id) {
        return Err(Verdict::Suppressed(why.to_owned()));
    }
    case.warm(id)
}

fn load(case: &Case<'_>, id: u64, types: &[&str]) -> Step<f64> {
    // Whether anything is known of the store at all; a type that nobody uses has no series.
    case.traffic(id)?;
    let mut sum = 0.0;
    for name in types {
        sum += case.metric_by("request_rate", name, id)?.unwrap_or(0.0).max(0.0);
    }
    Ok(sum)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, region, store};
    use crate::details::DrainDetail;

    fn scene(rates: [f64; 5], name: &str) -> Scene {
        let mut scene = Scene::healthy();
        for (id, rate) in (1..).zip(rates) {
            scene.metric_by("request_rate", name, id, rate);
        }
        scene
    }

    #[test]
    fn a_store_is_hot_by_its_share_and_by_its_peers() {
        for (rates, hot) in [
            ([500.0, 500.0, 500.0, 500.0, 500.0], false),
            ([990.0, 500.0, 500.0, 500.0, 500.0], false),
            ([3000.0, 500.0, 500.0, 500.0, 500.0], true),
            ([40.0, 1.0, 1.0, 1.0, 1.0], false),
        ] {
            let mut writes = scene(rates, "kv_prewrite");
            for id in 1..=5 {
                writes.metric_by("request_rate", "kv_commit", id, 0.0);
            }
            assert_eq!(writes.judge().is_violated("hot_store_write", &store(1)), hot, "{rates:?}");
        }
        assert!(scene([9000.0, 9.0, 9.0, 9.0, 9.0], "kv_get").judge().is_violated("hot_store_read", &store(1)));
    }

    #[test]
    fn the_finding_names_the_regions_that_make_the_store_hot() {
        let mut scene = scene([3000.0, 500.0, 500.0, 500.0, 500.0], "kv_prewrite");
        assert_eq!(scene.judge().finding("hot_store_write", &store(1)).involves, [], "nobody said what is hot");
        scene.hot_writes(&[(7, 2500.0, &[1, 2]), (8, 100.0, &[1]), (9, 2000.0, &[3])], 3000.0);
        assert_eq!(scene.judge().finding("hot_store_write", &store(1)).involves, [region(7)]);
    }

    #[test]
    fn a_drained_store_is_no_peer_and_a_cold_one_is_not_judged() {
        let mut scene = scene([900.0, 900.0, 0.0, 0.0, 900.0], "kv_prewrite");
        for id in [3, 4] {
            scene.drains().insert(id, DrainDetail::default());
            scene.metric_by("request_rate", "kv_commit", id, 0.0);
        }
        let judged = scene.judge();
        assert_eq!(judged.of("hot_store_write"), [""; 0]);
        assert_eq!(judged.suppressed("hot_store_write", &store(3)), "its leaders are evicted by request");
        scene.started(1, 100);
        assert_eq!(scene.judge().suppressed("hot_store_write", &store(1)), "it started 100 s ago");
    }
}
