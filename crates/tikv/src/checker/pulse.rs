//! Whether a store lives, put together from three witnesses: PD hears its heartbeats, Prometheus scrapes it, and the
//! other stores reach it or not. A store that PD does not hear of may be dead, or cut off from PD alone, or it may be PD
//! that hears nobody: three faults with three places and three cures.

use std::collections::BTreeMap;

use operator_protocols::{ComponentState, DependencyState};

use crate::details::{Details, MetricsDetail, StoreDetail, StoreState};
use crate::thresholds::{Limit, Thresholds};

/// How a store stands with those who should hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// PD hears of it.
    Heard,
    /// PD does not hear of it, and Prometheus does not reach it either.
    Dead,
    /// PD does not hear of it; Prometheus scrapes it, and the other stores reach it: its link to PD is cut.
    CutFromPd,
    /// Neither PD nor the other stores reach it, though its process runs: Prometheus scrapes it.
    CutOff,
    /// PD does not hear of it, and nobody else can say more.
    Unheard,
    /// PD hears of no store at all, and nothing says that they are dead: that is about PD.
    PdHearsNobody,
    /// PD did not say when it heard of it last.
    Untold,
}

/// The signs of life of one store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pulse {
    /// Seconds since PD heard of it.
    pub(crate) age_s: Option<f64>,
    /// Whether Prometheus scrapes it.
    pub(crate) scraped: Option<bool>,
    /// How many other stores fail to send to it; none, if that is not known.
    pub(crate) complaints: Option<usize>,
    /// What follows.
    pub(crate) standing: Standing,
}

impl Pulse {
    /// Whether its process does not run, or nobody can reach it.
    pub(crate) fn lost(self) -> bool {
        match self.standing {
            Standing::Dead | Standing::CutOff | Standing::Unheard => true,
            Standing::Untold => self.scraped == Some(false),
            Standing::Heard | Standing::CutFromPd | Standing::PdHearsNobody => false,
        }
    }

    /// The state of the store as a component. One that only PD has lost serves, and must not be taken for dead.
    pub(crate) fn component(self) -> ComponentState {
        match self.standing {
            Standing::Heard | Standing::CutFromPd | Standing::PdHearsNobody => ComponentState::Up,
            Standing::Dead => ComponentState::Down,
            Standing::CutOff => ComponentState::Degraded,
            Standing::Unheard => ComponentState::Unknown,
            Standing::Untold => match self.scraped {
                Some(true) => ComponentState::Up,
                Some(false) => ComponentState::Down,
                None => ComponentState::Unknown,
            },
        }
    }

    /// The state of its link to PD's leader.
    pub(crate) fn link(self) -> DependencyState {
        match self.standing {
            Standing::Heard => DependencyState::Up,
            Standing::CutFromPd | Standing::CutOff | Standing::PdHearsNobody => DependencyState::Down,
            // A store that does not run has no link.
            Standing::Dead | Standing::Unheard | Standing::Untold => DependencyState::Unknown,
        }
    }
}

/// The pulses of stores, `now_ms` milliseconds since 1970. What PD said of heartbeats when it last answered is no news while
/// it does not.
pub(crate) fn pulses(
    stores: &BTreeMap<u64, StoreDetail>,
    pd_answers: bool,
    metrics: &MetricsDetail,
    thresholds: &Thresholds,
    now_ms: i64,
) -> BTreeMap<u64, Pulse> {
    let limit = thresholds.of(Limit::HeartbeatAge);
    let mut pulses: BTreeMap<u64, Pulse> = stores
        .iter()
        .map(|(&id, store)| {
            let age_s = age(store, now_ms).filter(|_| pd_answers);
            let scraped = metrics.store("store_scraped", id).map(|up| up >= 0.5);
            let complaints = complaints(metrics, id, thresholds.of(Limit::Complaints));
            let standing = match (age_s, scraped, complaints) {
                (None, ..) => Standing::Untold,
                (Some(age), ..) if age <= limit => Standing::Heard,
                (_, Some(false), _) => Standing::Dead,
                (_, Some(true), Some(0)) => Standing::CutFromPd,
                (_, Some(true), Some(_)) => Standing::CutOff,
                _ => Standing::Unheard,
            };
            (id, Pulse { age_s, scraped, complaints, standing })
        })
        .collect();
    let may_live = |id: &u64| stores.get(id).is_some_and(|store| store.state == StoreState::Up);
    let candidates: Vec<u64> = pulses
        .iter()
        .filter(|(id, pulse)| may_live(id) && pulse.standing != Standing::Dead)
        .map(|(&id, _)| id)
        .collect();
    let unheard = |id: &u64| pulses.get(id).and_then(|pulse| pulse.age_s).is_some_and(|age| age > limit);
    if candidates.len() >= 2 && candidates.iter().all(unheard) {
        for id in candidates {
            if let Some(pulse) = pulses.get_mut(&id) {
                pulse.standing = Standing::PdHearsNobody;
            }
        }
    }
    pulses
}

/// The pulses in details.
pub(crate) fn of(details: &Details, thresholds: &Thresholds, now_ms: i64) -> BTreeMap<u64, Pulse> {
    pulses(&details.stores, details.cluster.answers, &details.metrics, thresholds, now_ms)
}

fn age(store: &StoreDetail, now_ms: i64) -> Option<f64> {
    let told = store.heartbeat_age_s.filter(|age| age.is_finite());
    let counted = || store.last_heartbeat_ms.map(|at| now_ms.saturating_sub(at) as f64 / 1000.0);
    told.or_else(counted).map(|age| age.max(0.0))
}

fn complaints(metrics: &MetricsDetail, id: u64, limit: f64) -> Option<usize> {
    let answer = metrics.answers_by_query.get("unreachable")?;
    if answer.why_not.is_some() {
        return None;
    }
    let of_it = answer.stores_by.get(&id.to_string());
    Some(of_it.map_or(0, |by| by.iter().filter(|(from, rate)| **from != id && **rate >= limit).count()))
}

#[cfg(test)]
mod tests {
    use super::super::scene::Scene;
    use super::*;

    fn standings(scene: &Scene) -> Vec<Standing> {
        of(&scene.details, &Thresholds::default(), scene.at.as_millis()).values().map(|pulse| pulse.standing).collect()
    }

    #[test]
    fn three_faults_that_look_alike_to_pd_are_told_apart_by_the_other_witnesses() {
        use Standing::{CutFromPd, CutOff, Dead, Heard, PdHearsNobody, Unheard};
        let mut dead = Scene::healthy();
        dead.kill(4, 40.0);
        assert_eq!(standings(&dead), [Heard, Heard, Heard, Dead, Heard]);

        let mut link = Scene::healthy();
        link.store(4).heartbeat_age_s = Some(40.0);
        assert_eq!(standings(&link), [Heard, Heard, Heard, CutFromPd, Heard]);

        let mut alone = Scene::healthy();
        alone.store(4).heartbeat_age_s = Some(40.0);
        alone.complain_of(4, 20.0);
        assert_eq!(standings(&alone), [Heard, Heard, Heard, CutOff, Heard]);

        let mut blind = Scene::healthy();
        blind.silence_prometheus();
        blind.store(4).heartbeat_age_s = Some(40.0);
        assert_eq!(standings(&blind), [Heard, Heard, Heard, Unheard, Heard]);

        let mut pd = Scene::healthy();
        for id in 1..=5 {
            pd.store(id).heartbeat_age_s = Some(40.0);
        }
        assert_eq!(standings(&pd), [PdHearsNobody; 5]);
        pd.kill(1, 9000.0);
        assert_eq!(standings(&pd), [Dead, PdHearsNobody, PdHearsNobody, PdHearsNobody, PdHearsNobody]);
    }

    #[test]
    fn a_store_that_only_pd_has_lost_is_up_and_its_link_is_down() {
        let pulse = |scene: &Scene| of(&scene.details, &Thresholds::default(), scene.at.as_millis())[&4];
        let mut link = Scene::healthy();
        link.store(4).heartbeat_age_s = Some(40.0);
        assert_eq!((pulse(&link).component(), pulse(&link).link()), (ComponentState::Up, DependencyState::Down));
        let mut dead = Scene::healthy();
        dead.kill(4, 40.0);
        assert_eq!((pulse(&dead).component(), pulse(&dead).link()), (ComponentState::Down, DependencyState::Unknown));
    }

    #[test]
    fn while_pd_is_silent_only_prometheus_tells_who_lives() {
        let mut scene = Scene::healthy();
        scene.kill(4, 40.0);
        scene.silence_pd("no leader");
        let pulses = of(&scene.details, &Thresholds::default(), scene.at.as_millis());
        assert_eq!((pulses[&1].component(), pulses[&4].component()), (ComponentState::Up, ComponentState::Down));
        assert!(pulses[&4].lost() && !pulses[&1].lost());
        assert_eq!(pulses[&1].link(), DependencyState::Unknown);
    }

    #[test]
    fn all_stores_dead_at_once_are_dead_and_not_a_deaf_pd() {
        let mut scene = Scene::healthy();
        for id in 1..=5 {
            scene.kill(id, 40.0);
        }
        assert_eq!(standings(&scene), [Standing::Dead; 5]);
    }
}
