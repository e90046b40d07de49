//! `quorum_risk`: so many stores are lost that regions may be left without a majority of their replicas.
//!
//! Replicas are kept apart by the outermost location label, so stores that share its value count once. Where one loss less
//! would do, replicas that stay behind for long on the stores that are left count as lost too.

use std::collections::BTreeSet;

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, untold};
use super::invariant::{Invariant, Source};
use super::pulse::Standing;
use crate::names;
use crate::thresholds::Limit;

const NAME: &str = "quorum_risk";

/// PD's default for `max-replicas`.
const REPLICAS: u32 = 3;

pub(super) const INVARIANT: Invariant =
    Invariant::new(NAME, "No region can have lost a majority of its replicas", judge)
        .critical()
        .at("all regions")
        .unit("stores")
        .needs(&[Source::Leader]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.one(NAME, names::all_regions(case.subject), verdict(case))
}

fn verdict(case: &Case<'_>) -> Step {
    case.pd()?;
    let lost = case.lost_stores();
    let replicas = case.details.cluster.replicas.unwrap_or(REPLICAS).max(1);
    let majority = replicas as usize / 2 + 1;
    let domains: BTreeSet<String> = lost.iter().map(|id| domain(case, *id)).collect();
    let behind = behind(case);
    let risk = domains.len() >= majority || (majority > 1 && domains.len() + 1 == majority && behind.is_some());
    if risk && !lost.is_empty() {
        let lagging = behind.map_or_else(String::new, |behind| format!("; {behind:.0} regions have replicas that lag"));
        let message = format!(
            "{} stores do not answer, and a region of {replicas} replicas needs {majority}: {}{lagging}",
            lost.len(),
            consequence(case)
        );
        return Ok(Verdict::Violated(Finding {
            involves: lost.iter().take(20).map(|id| case.store(*id)).collect(),
            count: u32::try_from(lost.len()).unwrap_or(u32::MAX),
            ..Finding::new(message, lost.len() as f64, majority as f64)
        }));
    }
    match case.pulses.iter().find(|(_, pulse)| pulse.standing == Standing::Untold) {
        Some((id, _)) => Err(untold("the last heartbeat", &names::store(*id))),
        None if case.stores.is_empty() => Err(Verdict::Suppressed("there is no store".to_owned())),
        None if case.pulses.values().any(|pulse| pulse.standing == Standing::PdHearsNobody) => {
            Err(Verdict::Suppressed("PD hears of no store, which pd_partial_hang tells".to_owned()))
        }
        None => Ok(Verdict::Ok),
    }
}

/// Where a store is, as far as replicas are kept apart by it.
fn domain(case: &Case<'_>, id: u64) -> String {
    let outermost = case.details.cluster.location_labels.first();
    let value = outermost.and_then(|label| case.stores.get(&id)?.labels.get(label));
    value.map_or_else(|| names::store(id), |value| format!("label {value}"))
}

/// How many regions have had replicas that lag, for so long that those may be missing when they are needed.
fn behind(case: &Case<'_>) -> Option<f64> {
    case.regions_are_known().ok()?;
    let moved = case.details.drift.of("pending-peer")?;
    let regions = *case.details.cluster.abnormal.get("pending-peer")? as f64;
    (regions > 0.0 && moved.not_falling_s >= case.duration(Limit::NotFalling)).then_some(regions)
}

fn consequence(case: &Case<'_>) -> String {
    let cluster = &case.details.cluster;
    match (cluster.without_quorum.len(), cluster.looked_at) {
        (0, _) => "regions whose replicas are there have no leader; start those stores, and touch no other".to_owned(),
        (without, looked_at) => {
            let of = looked_at.map_or_else(String::new, |looked_at| format!(" of {looked_at} that were looked at"));
            format!("{without} regions{of} have no majority; start those stores, and touch no other")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_regions, store};
    use super::*;

    #[test]
    fn two_lost_stores_put_regions_of_three_replicas_at_risk_and_one_does_not() {
        let mut scene = Scene::healthy();
        scene.kill(1, 40.0);
        assert_eq!(scene.judge().verdict(NAME, &all_regions()), &Verdict::Ok);
        scene.kill(2, 30.0);
        let judged = scene.judge();
        assert_eq!(judged.finding(NAME, &all_regions()).involves, [store(1), store(2)]);
        scene.details.cluster.replicas = Some(5);
        assert_eq!(scene.judge().verdict(NAME, &all_regions()), &Verdict::Ok);
    }

    #[test]
    fn stores_of_one_zone_count_once() {
        let mut scene = Scene::healthy();
        scene.kill(1, 40.0);
        scene.kill(2, 40.0);
        scene.details.cluster.location_labels = vec!["zone".to_owned(), "host".to_owned()];
        for id in [1, 2] {
            scene.store(id).labels.insert("zone".to_owned(), "z1".to_owned());
        }
        assert_eq!(scene.judge().verdict(NAME, &all_regions()), &Verdict::Ok);
    }

    #[test]
    fn a_store_that_only_pd_has_lost_still_holds_its_replicas() {
        let mut scene = Scene::healthy();
        scene.kill(1, 40.0);
        scene.store(2).heartbeat_age_s = Some(60.0);
        assert_eq!(scene.judge().verdict(NAME, &all_regions()), &Verdict::Ok);
    }

    #[test]
    fn with_one_store_lost_replicas_that_lag_for_long_are_a_risk_and_a_moments_are_not() {
        let mut scene = Scene::healthy();
        scene.kill(1, 700.0);
        scene.abnormal("pending-peer", 30);
        scene.drift("pending-peer", 30.0, 100.0);
        assert_eq!(scene.judge().verdict(NAME, &all_regions()), &Verdict::Ok);
        scene.drift("pending-peer", 30.0, 700.0);
        assert!(scene.judge().finding(NAME, &all_regions()).message.contains("30 regions have replicas that lag"));
    }

    #[test]
    fn without_heartbeats_or_pd_nothing_is_said() {
        let mut scene = Scene::healthy();
        scene.store(1).heartbeat_age_s = None;
        scene.store(1).last_heartbeat_ms = None;
        assert!(matches!(scene.judge().verdict(NAME, &all_regions()), Verdict::Unknown(_)));
        scene.silence_pd("no leader");
        assert!(scene.judge().suppressed(NAME, &all_regions()).contains("no leader"));
    }
}
