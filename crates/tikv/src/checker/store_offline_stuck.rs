//! `store_offline_stuck`: a store that is being removed does not get emptier, or is dead while regions are still on it.
//!
//! PD calls such a store neither disconnected nor down, however long it has been silent.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, time, untold};
use super::fold::folded;
use super::invariant::{Invariant, Source};
use crate::details::{DriftDetail, StoreState};
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "store_offline_stuck";

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "A store that is being removed gets emptier", judge).unit("regions").needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let evaluations = case.each_store(NAME, |id, store| {
        case.pd()?;
        if store.state != StoreState::Offline || store.region_count == 0 {
            return Ok(Verdict::Ok);
        }
        let name = names::store(id);
        let regions = store.region_count as f64;
        let no_room = match case.details.cluster.replicas {
            Some(replicas) if targets(case, id) < replicas => {
                format!("; {} other stores can take regions, and each needs {replicas} replicas", targets(case, id))
            }
            _ => no_target(case).map_or_else(String::new, str::to_owned),
        };
        let age = case.pulses.get(&id).and_then(|pulse| pulse.age_s);
        let Some(age) = age else { return Err(untold("the last heartbeat", &name)) };
        if case.lost(id) && age > case.duration(Limit::DeadAge) {
            let message = format!(
                "{name} is being removed and has not been heard of for {}; its {regions:.0} regions can only be copied \
                 from their other replicas{no_room}",
                time(age)
            );
            return Ok(Verdict::Violated(Finding::new(message, regions, 0.0)));
        }
        let drift = case.details.drift.of(&DriftDetail::regions_of(id));
        let Some(drift) = drift else { return Err(untold("the past of the regions", &name)) };
        if drift.not_falling_s < case.duration(Limit::RemovalNotFalling) {
            return Ok(Verdict::Ok);
        }
        let left = case.details.cluster.removing.get(&id).filter(|(part, _)| part.is_finite());
        let progress = left.map_or_else(String::new, |(part, _)| format!(" ({:.0} % done)", part * 100.0));
        let message = format!(
            "{name} is being removed{progress}, and for {} its {regions:.0} regions have not got fewer{no_room}",
            time(drift.not_falling_s)
        );
        Ok(Verdict::Violated(Finding::new(message, regions, 0.0)))
    });
    folded(case, NAME, evaluations)
}

/// How many other stores could take regions.
fn targets(case: &Case<'_>, id: u64) -> u32 {
    let can = |other: &u64| *other != id && case.stores[other].state == StoreState::Up && !case.lost(*other);
    u32::try_from(case.stores.keys().filter(|other| can(other)).count()).unwrap_or(u32::MAX)
}

/// Whether PD looked for a store to take a replica and found none.
pub(super) fn no_target(case: &Case<'_>) -> Option<&'static str> {
    let answer = case.answer("no_target_store").ok()?;
    let sought = answer.leader.values().any(|events| *events > 0.0);
    sought.then_some("; PD finds no store that may take a replica: space, labels or too few stores")
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, store};
    use super::*;

    fn removal(not_falling_s: f64) -> Scene {
        let mut scene = Scene::healthy();
        scene.store(4).state = StoreState::Offline;
        scene.drift(&DriftDetail::regions_of(4), 180.0, not_falling_s);
        scene
    }

    #[test]
    fn a_removal_is_stuck_after_half_an_hour_without_progress() {
        assert_eq!(removal(1799.0).judge().violated(), []);
        assert_eq!(removal(1800.0).judge().violated(), [(NAME, "store-4".to_owned())]);
        let mut scene = removal(1800.0);
        scene.store(4).region_count = 0;
        assert_eq!(scene.judge().violated(), [], "it is empty");
    }

    #[test]
    fn a_dead_store_that_is_being_removed_is_told_here_and_nowhere_else() {
        let mut scene = removal(0.0);
        scene.kill(4, 650.0);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "store-4".to_owned())]);
        assert!(judged.finding(NAME, &store(4)).message.contains("has not been heard of for 11 min"));
    }

    #[test]
    fn the_finding_says_when_there_is_no_room() {
        let mut scene = Scene::three_stores();
        scene.store(3).state = StoreState::Offline;
        scene.drift(&DriftDetail::regions_of(3), 180.0, 2000.0);
        assert!(scene.judge().finding(NAME, &store(3)).message.contains("2 other stores can take regions"));
        let mut scene = removal(2000.0);
        scene.leader_metric("no_target_store", "no_target_store", 3.0);
        assert!(scene.judge().finding(NAME, &store(4)).message.contains("PD finds no store"));
    }

    #[test]
    fn without_earlier_looks_it_is_unknown() {
        let mut scene = removal(1.0);
        scene.details.drift.moved.clear();
        assert!(matches!(scene.judge().verdict(NAME, &store(4)), Verdict::Unknown(_)));
    }
}
