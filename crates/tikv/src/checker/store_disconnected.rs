//! `store_disconnected`: PD has not heard of a store for a while. That is not yet *down*: a store that is restarted is
//! away for a moment, and PD moves nothing until half an hour has passed.

use operator_protocols::{Evaluation, Verdict};

use super::case::Case;
use super::invariant::{Invariant, Source};
use super::silence::{self, unheard, witnesses};
use crate::thresholds::Limit;

const NAME: &str = "store_disconnected";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "PD hears of every store at least every 20 s", judge)
    .at("store, all stores, link from a store to PD's leader")
    .limit(Limit::HeartbeatAge)
    .grace(30)
    .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    silence::judge(case, NAME, |id, pulse, age| {
        if let Some(why) = case.drained(id) {
            return Err(Verdict::Suppressed(format!("{why}: somebody works on it")));
        }
        Ok(Some((format!("{}; {}", unheard(id, age), witnesses(pulse)), case.limit(Limit::HeartbeatAge))))
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_stores, link, member, store};
    use super::*;
    use crate::details::{DrainDetail, StoreState};

    #[test]
    fn a_store_is_disconnected_after_twenty_seconds_whatever_pd_calls_it() {
        for (age, word, violated) in
            [(0.0, "Up", false), (20.0, "Up", false), (20.5, "Disconnected", true), (700.0, "Up", true)]
        {
            let mut scene = Scene::healthy();
            scene.kill(4, age);
            scene.store(4).state_name = word.to_owned();
            assert_eq!(scene.judge().is_violated(NAME, &store(4)), violated, "{age} {word}");
        }
    }

    #[test]
    fn a_dead_store_a_cut_link_and_an_isolated_store_are_told_at_different_places() {
        let mut dead = Scene::healthy();
        dead.kill(4, 40.0);
        let judged = dead.judge();
        assert_eq!(judged.of(NAME), ["store-4"]);
        assert!(judged.finding(NAME, &store(4)).message.contains("its process or its host does not run"));
        assert_eq!(judged.suppressed(NAME, &link(4)), "the store does not answer");

        let mut cut = Scene::healthy();
        cut.store(4).heartbeat_age_s = Some(40.0);
        let judged = cut.judge();
        assert_eq!(judged.of(NAME), ["store-4→pd-0"]);
        assert_eq!(judged.finding(NAME, &link(4)).involves, [store(4), member("pd-0")]);
        assert!(judged.suppressed(NAME, &store(4)).contains("its link to PD is cut"));

        let mut isolated = Scene::healthy();
        isolated.store(4).heartbeat_age_s = Some(40.0);
        isolated.complain_of(4, 30.0);
        assert!(isolated.judge().finding(NAME, &store(4)).message.contains("cut off from the network"));

        let mut blind = Scene::healthy();
        blind.silence_prometheus();
        blind.store(4).heartbeat_age_s = Some(40.0);
        assert!(blind.judge().finding(NAME, &store(4)).message.contains("whether it runs is not known"));
    }

    #[test]
    fn stores_that_all_fall_silent_at_once_are_pds_fault() {
        let mut scene = Scene::healthy();
        for id in 1..=5 {
            scene.store(id).heartbeat_age_s = Some(30.0 + id as f64);
        }
        let judged = scene.judge();
        assert_eq!(judged.violated(), [("pd_partial_hang", "pd-0".to_owned())]);
        for id in 1..=5 {
            assert!(judged.suppressed(NAME, &store(id)).contains("PD hears of no store"));
            assert!(judged.suppressed(NAME, &link(id)).contains("PD hears of no store"));
        }
    }

    #[test]
    fn planned_work_and_removal_are_not_told_here() {
        let mut scene = Scene::healthy();
        scene.kill(4, 40.0);
        scene.drains().insert(4, DrainDetail::default());
        assert!(scene.judge().suppressed(NAME, &store(4)).ends_with("somebody works on it"));
        scene.drains().clear();
        scene.store(4).state = StoreState::Offline;
        assert!(scene.judge().suppressed(NAME, &store(4)).starts_with("it is being removed"));
    }

    #[test]
    fn nothing_is_said_of_stores_while_pds_leader_is_silent() {
        let mut scene = Scene::healthy();
        scene.judge();
        scene.kill(4, 40.0);
        scene.silence_pd("redirect failed");
        let judged = scene.judge();
        assert_eq!(judged.of(NAME), [""; 0]);
        assert!(judged.suppressed(NAME, &store(4)).contains("redirect failed"));
        scene.details.stores.clear();
        assert!(scene.judge().suppressed(NAME, &store(4)).contains("redirect failed"), "it is remembered");
    }

    #[test]
    fn a_heartbeat_that_is_not_told_is_unknown_and_a_store_that_is_not_there_is_gone() {
        let mut scene = Scene::healthy();
        scene.store(4).heartbeat_age_s = None;
        scene.store(4).last_heartbeat_ms = None;
        assert!(matches!(scene.judge().verdict(NAME, &store(4)), Verdict::Unknown(_)));
        scene.details.stores.remove(&4);
        let judged = scene.judge();
        assert_eq!(judged.verdict(NAME, &store(4)), &Verdict::Gone);
        assert_eq!(judged.verdict(NAME, &link(4)), &Verdict::Gone);
    }

    #[test]
    fn links_to_a_member_that_no_longer_leads_are_gone() {
        let mut scene = Scene::healthy();
        scene.judge();
        scene.silence_pd("no leader");
        scene.details.cluster.leader = None;
        assert!(scene.judge().suppressed(NAME, &link(4)).contains("no leader"));
        scene.restore_pd();
        scene.details.cluster.leader = Some("pd-1".to_owned());
        let judged = scene.judge();
        assert_eq!(judged.verdict(NAME, &link(4)), &Verdict::Gone);
        assert_eq!(judged.verdict(NAME, &super::super::scene::link_to(4, "pd-1")), &Verdict::Ok);
    }

    #[test]
    fn most_stores_dead_at_once_are_one_finding() {
        let mut scene = Scene::healthy();
        for id in [1, 2, 3, 4] {
            scene.kill(id, 40.0);
        }
        assert_eq!(scene.judge().finding(NAME, &all_stores()).count, 4);
    }
}
