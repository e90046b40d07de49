//! `high_latency`: the slowest 1 % of a node's decisions since the last observation took too long.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, untold};
use crate::names::signal;

pub(super) const NAME: &str = "high_latency";
/// Seconds.
pub(super) const LIMIT_S: f64 = 0.1;
/// Requests a second below which the slowest 1 % are single requests.
pub(super) const MINIMUM_TRAFFIC: f64 = 1.0;

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    case.each_node(NAME, |name, _| {
        let on = case.node(name);
        let Some(traffic) = case.signal(&on, signal::REQUESTS) else { return untold(name, "the request rate") };
        if traffic < MINIMUM_TRAFFIC {
            return Verdict::Suppressed("idle".to_owned());
        }
        match case.signal(&on, signal::CHECK_P99) {
            None => untold(name, "the duration of decisions"),
            Some(p99) if p99 <= LIMIT_S => Verdict::Ok,
            Some(p99) => {
                let (p99_ms, limit_ms) = (p99 * 1000.0, LIMIT_S * 1000.0);
                let message =
                    format!("99 % of {name}'s decisions take up to {p99_ms:.0} ms, more than {limit_ms:.0} ms");
                Verdict::Violated(Finding { involves: vec![case.edge(name)], ..Finding::new(message, p99, LIMIT_S) })
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component};
    use super::*;

    fn scene(traffic: f64, p99: Option<f64>) -> Scene {
        let mut scene = Scene::healthy();
        scene.signals.push((component("n1"), signal::REQUESTS, traffic));
        scene.signals.extend(p99.map(|p99| (component("n1"), signal::CHECK_P99, p99)));
        scene
    }

    #[test]
    fn slow_decisions_are_a_finding_from_the_threshold_on() {
        assert_eq!(scene(1.0, Some(0.1)).judge().verdict(NAME, &component("n1")), &Verdict::Ok);
        let judged = scene(1.0, Some(0.101)).judge();
        assert_eq!(judged.violated(), [(NAME, "n1".to_owned())]);
        assert_eq!(judged.finding(NAME, &component("n1")).measured, 0.101);
    }

    #[test]
    fn without_traffic_it_is_not_judged_and_without_a_reading_it_is_unknown() {
        assert_eq!(scene(0.9, Some(9.0)).judge().suppressed(NAME, &component("n1")), "idle");
        let judged = scene(5.0, None).judge();
        assert!(matches!(judged.verdict(NAME, &component("n1")), Verdict::Unknown(_)));
        assert!(matches!(judged.verdict(NAME, &component("n2")), Verdict::Unknown(_)));
    }

    #[test]
    fn a_silent_node_is_left_to_another_invariant() {
        let mut scene = scene(5.0, Some(9.0));
        scene.silence("n1");
        assert_eq!(scene.judge().suppressed(NAME, &component("n1")), "the node does not answer");
    }
}
