//! `low_space`: a store's disk is so full that PD brings nothing more to it.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, bytes};
use super::disk;
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "low_space";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "A fifth of a store's disk is free", judge)
    .limit(Limit::SpaceLeft)
    .grace(60)
    .needs(&[Source::Metrics, Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let limit = case.limit(Limit::SpaceLeft);
    let evaluations = case.each_living_store(NAME, |id, _| {
        let disk = disk::of(case, id)?;
        let left = disk.left();
        if left >= limit {
            return Ok(Verdict::Ok);
        }
        let foreign = disk.foreign().map_or_else(String::new, |foreign| format!("; {foreign}"));
        let message = format!(
            "{} has {} of {} left on its disk, {:.0} %{foreign}",
            names::store(id),
            bytes(disk.available),
            bytes(disk.capacity),
            left * 100.0
        );
        Ok(Verdict::Violated(Finding::new(message, left, limit)))
    });
    folded(case, NAME, evaluations)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_stores, store};
    use super::*;

    #[test]
    fn less_than_a_fifth_left_is_a_finding_that_tells_foreign_files_from_data() {
        let mut scene = Scene::healthy();
        scene.metric("disk_available", 1, 0.2e12);
        assert_eq!(scene.judge().violated(), []);
        scene.metric("disk_available", 1, 0.18e12);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-1".to_owned())]);
        assert!(judged.finding(NAME, &store(1)).message.contains("something that is not the store's data"));
        scene.metric("disk_used", 1, 0.8e12);
        assert!(!scene.judge().finding(NAME, &store(1)).message.contains("something"));
    }

    #[test]
    fn what_pd_says_is_taken_where_the_store_says_nothing() {
        let mut scene = Scene::healthy();
        scene.silence_prometheus();
        assert_eq!(scene.judge().verdict(NAME, &store(1)), &Verdict::Ok);
        scene.store(1).available = Some(1e11);
        assert!(scene.judge().is_violated(NAME, &store(1)));
        scene.store(1).available = None;
        assert!(scene.judge().suppressed(NAME, &store(1)).starts_with("disk_capacity was not read"));
    }

    #[test]
    fn a_cluster_that_is_full_is_one_finding() {
        let mut scene = Scene::healthy();
        for id in 1..=4 {
            scene.metric("disk_available", id, 1e11);
        }
        assert_eq!(scene.judge().finding(NAME, &all_stores()).count, 4);
    }
}
