//! `pd_partial_hang`: PD's leader lives and leads, but does not do its work: it takes questions and gives no answers, or it
//! hears of no store while the stores are well.
//!
//! That happens when its disk hangs: it keeps its lease through the other members, so nobody takes over.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, Step, time, untold};
use super::invariant::{Invariant, Source};
use super::pulse::Standing;
use crate::thresholds::Limit;

const NAME: &str = "pd_partial_hang";

pub(super) const INVARIANT: Invariant = Invariant::new(NAME, "The member of PD that leads does its work", judge)
    .critical()
    .at("member of PD")
    .limit(Limit::HeartbeatAge)
    .grace(30)
    .needs(&[Source::Leader, Source::Members]);

fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_member(NAME, |name, _| verdict(case, name))
}

/// Whether PD's leader answers that it is there, and nothing else.
pub(super) fn leader_gives_no_answer(case: &Case<'_>) -> bool {
    let cluster = &case.details.cluster;
    let alive = cluster.leader.as_ref().and_then(|leader| case.details.members.get(leader));
    !cluster.answers && cluster.timed_out && alive.is_some_and(|leader| leader.answers)
}

fn verdict(case: &Case<'_>, name: &str) -> Step {
    let leads = case.details.cluster.leader.as_deref() == Some(name);
    let limit = case.limit(Limit::HeartbeatAge);
    if leads && leader_gives_no_answer(case) {
        let message = format!("{name} leads PD and says that it is there, but gives no answer to anything else");
        return Ok(Verdict::Violated(Finding::new(message, limit, limit)));
    }
    case.pd()?;
    if !leads {
        return Ok(Verdict::Ok);
    }
    let ages = case.pulses.values().filter(|pulse| pulse.standing == Standing::PdHearsNobody);
    let youngest = ages.filter_map(|pulse| pulse.age_s).reduce(f64::min);
    if let Some(youngest) = youngest {
        let stores = case.pulses.values().filter(|pulse| pulse.standing == Standing::PdHearsNobody);
        let count = stores.count();
        let well = case.pulses.values().filter(|pulse| pulse.scraped == Some(true)).count();
        let message = format!(
            "{name} leads PD and has heard of none of {count} stores for {}, of which Prometheus reaches {well}: it is PD \
             that does not hear them",
            time(youngest)
        );
        return Ok(Verdict::Violated(Finding {
            involves: case
                .pulses
                .iter()
                .filter(|(_, pulse)| pulse.standing == Standing::PdHearsNobody)
                .map(|(id, _)| case.store(*id))
                .take(20)
                .collect(),
            ..Finding::new(message, youngest, limit)
        }));
    }
    if case.pulses.values().any(|pulse| pulse.standing == Standing::Heard) {
        return Ok(Verdict::Ok);
    }
    match case.pulses.keys().next() {
        None => Err(Verdict::Suppressed("there is no store to hear of".to_owned())),
        Some(_) if case.pulses.values().all(|pulse| pulse.standing == Standing::Untold) => {
            Err(untold("the last heartbeats", name))
        }
        Some(_) => Err(Verdict::Suppressed("no store lives that it could hear of".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, all_members, member};
    use super::*;

    #[test]
    fn a_leader_that_answers_pings_only_hangs_and_does_not_count_as_no_leader() {
        let mut scene = Scene::healthy();
        scene.silence_pd("no answer within 5 s");
        scene.details.cluster.timed_out = true;
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "pd-0".to_owned())]);
        assert!(judged.suppressed("pd_no_leader", &all_members()).contains(NAME));
    }

    #[test]
    fn stores_that_age_together_while_they_are_well_show_a_leader_that_hears_nobody() {
        let mut scene = Scene::healthy();
        for id in 1..=5 {
            scene.store(id).heartbeat_age_s = Some(25.0 + id as f64);
        }
        let judged = scene.judge();
        let finding = judged.finding(NAME, &member("pd-0"));
        assert_eq!((finding.measured, finding.threshold, finding.involves.len()), (26.0, 20.0, 5));
        assert_eq!(judged.verdict(NAME, &member("pd-1")), &Verdict::Ok, "it does not lead");
    }

    #[test]
    fn when_another_member_leads_the_hang_is_over() {
        let mut scene = Scene::healthy();
        scene.details.cluster.leader = Some("pd-1".to_owned());
        assert_eq!(scene.judge().verdict(NAME, &member("pd-0")), &Verdict::Ok);
    }

    #[test]
    fn stores_that_are_all_dead_say_nothing_of_pd() {
        let mut scene = Scene::healthy();
        for id in 1..=5 {
            scene.kill(id, 60.0);
        }
        assert!(scene.judge().suppressed(NAME, &member("pd-0")).contains("no store lives"));
    }
}
