//! `store_down`: a store has been away for so long that it will not come back by itself: PD replaces its replicas, or would
//! if it could.

use operator_protocols::Evaluation;

use super::case::Case;
use super::invariant::{Invariant, Source};
use super::pulse::Standing;
use super::silence::{self, unheard, witnesses};
use crate::thresholds::Limit;

const NAME: &str = "store_down";

/// PD's `max-store-down-time`, where it does not say (PD, server/config: 30 minutes).
const MAX_STORE_DOWN_S: f64 = 1800.0;

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "No store has been away for as long as PD waits before it replaces it", judge)
        .critical()
        .at("store, all stores, link from a store to PD's leader")
        .unit("s")
        .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let replaced_after = case.details.cluster.max_store_down_s.filter(|s| s.is_finite() && *s > 0.0);
    let replaced_after = replaced_after.unwrap_or(MAX_STORE_DOWN_S);
    let dead_after = case.duration(Limit::DeadAge);
    silence::judge(case, NAME, |id, pulse, age| {
        let threshold = match pulse.standing {
            Standing::Dead => dead_after.min(replaced_after),
            _ => replaced_after,
        };
        if age <= threshold {
            return Ok(None);
        }
        let consequence = match (pulse.standing, case.nothing_to_spare()) {
            (Standing::CutFromPd, _) => "PD replaces its replicas although it serves".to_owned(),
            (_, Some(nothing)) => nothing,
            _ if age > replaced_after => "PD replaces its replicas".to_owned(),
            _ => format!("PD begins to replace its replicas after {:.0} min", replaced_after / 60.0),
        };
        Ok(Some((format!("{}; {}; {consequence}", unheard(id, age), witnesses(pulse)), threshold)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, link, store};
    use super::*;
    use crate::details::{DrainDetail, StoreState};

    #[test]
    fn down_is_after_ten_minutes_for_what_is_surely_dead_and_after_half_an_hour_otherwise() {
        for (age, scraped, violated) in [
            (40.0, Some(0.0), false),
            (600.0, Some(0.0), false),
            (601.0, Some(0.0), true),
            (601.0, None, false),
            (1801.0, None, true),
        ] {
            let mut scene = Scene::healthy();
            scene.kill(4, age);
            match scraped {
                Some(up) => scene.metric("store_scraped", 4, up),
                None => scene.no_metric("store_scraped", 4),
            }
            assert_eq!(scene.judge().is_violated(NAME, &store(4)), violated, "{age} {scraped:?}");
        }
    }

    #[test]
    fn the_time_after_which_pd_replaces_a_store_is_pds_setting() {
        let mut scene = Scene::healthy();
        scene.kill(4, 130.0);
        scene.details.cluster.max_store_down_s = Some(120.0);
        assert!(scene.judge().finding(NAME, &store(4)).message.ends_with("PD replaces its replicas"));
    }

    #[test]
    fn where_nothing_can_be_replaced_the_finding_says_so() {
        let mut scene = Scene::three_stores();
        scene.kill(3, 2000.0);
        let judged = scene.judge();
        assert!(judged.finding(NAME, &store(3)).message.contains("PD can replace nothing"));
    }

    #[test]
    fn a_drain_excuses_no_store_that_stays_away_and_a_removal_does() {
        let mut scene = Scene::healthy();
        scene.kill(4, 2000.0);
        scene.drains().insert(4, DrainDetail::default());
        assert!(scene.judge().is_violated(NAME, &store(4)));
        scene.store(4).state = StoreState::Offline;
        assert!(!scene.judge().is_violated(NAME, &store(4)));
    }

    #[test]
    fn a_store_that_only_pd_has_lost_is_told_at_the_link() {
        let mut scene = Scene::healthy();
        scene.store(4).heartbeat_age_s = Some(2000.0);
        assert!(scene.judge().finding(NAME, &link(4)).message.contains("although it serves"));
    }
}
