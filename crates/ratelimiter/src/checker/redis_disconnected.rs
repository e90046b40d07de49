//! `redis_disconnected`: Redis cannot be reached, by the operator or by a node.
//!
//! A node that lost it is a finding about its link. Where the operator does not reach Redis either, or no node does (two at
//! least), they share one cause: one finding about Redis, with the links folded in. That holds on for as long as nodes need
//! to connect again after Redis came back, [`RECONNECT`] at most.
//!
//! A node that has only just started has lost nothing: until it reached Redis once, or [`STARTING`] has passed, it is not
//! told.

use std::time::Duration;

use operator_protocols::{
    ComponentState, DependencyState, Evaluation, Finding, Locus, Observation, SignalKind, Verdict,
};

use super::case::{Case, silent, untold};
use crate::names;

pub(super) const NAME: &str = "redis_disconnected";

/// Nodes try again at least once a second; several tries may fail on a busy machine.
const RECONNECT: Duration = Duration::from_secs(15);

/// A node connects within milliseconds; on a machine that is short of everything, seconds were seen.
const STARTING: Duration = Duration::from_secs(10);

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let answers = case.details.redis.answers;
    let told = case.details.nodes.iter().filter(|(_, node)| node.answers && node.redis_connected.is_some()).count();
    let lost: Vec<&str> = case
        .details
        .nodes
        .iter()
        .filter(|(_, node)| node.answers && node.redis_connected == Some(false))
        .map(|(name, _)| name.as_str())
        .collect();
    let none_reaches_it = told >= 2 && lost.len() == told;
    let folds = !answers || none_reaches_it || (!lost.is_empty() && came_back(case));

    let mut evaluations: Vec<Evaluation> = Vec::new();
    for (name, node) in &case.details.nodes {
        let verdict = match node.redis_connected {
            _ if !node.answers => silent(),
            None => untold(name, "the link to Redis"),
            Some(true) => Verdict::Ok,
            Some(false) if folds => Verdict::Suppressed("folded".to_owned()),
            Some(false) if starting(case, name) => {
                untold(name, "the link to Redis, which it has not reached since it started")
            }
            Some(false) => Verdict::Violated(Finding {
                involves: vec![case.node(name), case.redis()],
                ..Finding::new(format!("{name} does not reach Redis, which answers the operator"), 1.0, 0.0)
            }),
        };
        evaluations.push(Evaluation::new(NAME, case.edge(name), verdict));
    }
    let verdict = if folds { Verdict::Violated(folded(case, &lost, told)) } else { Verdict::Ok };
    evaluations.push(Evaluation::new(NAME, case.redis(), verdict));
    // A node that is no longer expected, or that uses another Redis, leaves a link behind.
    let links = case.past.last().map(|past| past.dependencies.as_slice()).unwrap_or_default();
    for link in links.iter().filter(|link| link.kind == names::REDIS) {
        let edge = Locus::Edge(link.from.clone(), link.to.clone());
        if evaluations.iter().all(|evaluation| evaluation.on != edge) {
            evaluations.push(Evaluation::new(NAME, edge, Verdict::Gone));
        }
    }
    evaluations
}

/// Whether a node started a moment ago and has not reached Redis since.
fn starting(case: &Case<'_>, name: &str) -> bool {
    let node = case.node(name);
    let started = case.now.signals.iter().find_map(|signal| match signal.kind {
        SignalKind::Counter { since } if signal.on == node => Some(since),
        _ => None,
    });
    let Some(started) = started.filter(|&started| case.now.at.since(started) < STARTING) else { return false };
    let reached = |past: &Observation| {
        past.dependencies
            .iter()
            .any(|link| link.from.local == name && link.kind == names::REDIS && link.state == DependencyState::Up)
    };
    !case.past.since(started).any(|past| reached(past))
}

/// Whether Redis was out of reach for the operator a moment ago.
fn came_back(case: &Case<'_>) -> bool {
    let redis = names::redis(case.subject);
    case.past
        .since(case.now.at.minus(RECONNECT))
        .any(|past| past.component(&redis).is_some_and(|redis| matches!(redis.state, ComponentState::Down)))
}

fn folded(case: &Case<'_>, lost: &[&str], told: usize) -> Finding {
    let nodes = format!("{} of {told} nodes", lost.len());
    let message = match &case.details.redis.silence {
        Some(why) => format!("Redis does not answer the operator, and {nodes} lost it: {why}"),
        None => format!("Redis answers the operator, but {nodes} do not reach it"),
    };
    let unreached = lost.len() + usize::from(!case.details.redis.answers);
    Finding {
        involves: lost.iter().map(|name| case.edge(name)).collect(),
        count: u32::try_from(unreached).unwrap_or(u32::MAX),
        ..Finding::new(message, unreached as f64, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component, edge};
    use super::*;

    #[test]
    fn one_node_that_lost_redis_is_a_finding_about_its_link() {
        let mut scene = Scene::healthy();
        scene.node("n2").redis_connected = Some(false);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n2→redis".to_owned())]);
        assert_eq!(judged.verdict(NAME, &component("redis")), &Verdict::Ok);
    }

    #[test]
    fn a_node_that_has_only_just_started_has_lost_nothing_yet() {
        let mut scene = Scene::healthy();
        scene.started.push(("n2", scene.at));
        scene.node("n2").redis_connected = Some(false);
        assert!(matches!(scene.judge().verdict(NAME, &edge("n2")), Verdict::Unknown(_)));
        assert!(matches!(scene.judge().verdict(NAME, &edge("n2")), Verdict::Unknown(_)));
        assert_eq!(scene.judge().violated(), [(NAME, "n2→redis".to_owned())], "ten seconds are enough");
    }

    #[test]
    fn a_node_that_started_and_reached_redis_can_lose_it_at_once() {
        let mut scene = Scene::healthy();
        scene.started.push(("n2", scene.at));
        scene.judge();
        scene.node("n2").redis_connected = Some(false);
        assert_eq!(scene.judge().violated(), [(NAME, "n2→redis".to_owned())]);
    }

    #[test]
    fn a_redis_that_nobody_reaches_is_one_finding_with_the_links_folded_in() {
        let mut scene = Scene::healthy();
        scene.lose_redis();
        let judged = scene.judge();
        let finding = judged.finding(NAME, &component("redis"));
        assert_eq!((finding.count, finding.measured), (4, 4.0));
        assert_eq!(finding.involves, [edge("n1"), edge("n2"), edge("n3")]);
        assert_eq!(judged.suppressed(NAME, &edge("n1")), "folded");
    }

    #[test]
    fn a_redis_that_only_the_operator_does_not_reach_is_told_too() {
        let mut scene = Scene::healthy();
        scene.details.redis.answers = false;
        let judged = scene.judge();
        assert_eq!(judged.finding(NAME, &component("redis")).count, 1);
        assert_eq!(judged.verdict(NAME, &edge("n1")), &Verdict::Ok);
    }

    #[test]
    fn a_redis_that_no_node_reaches_is_folded_although_the_operator_does() {
        let mut scene = Scene::healthy();
        for name in ["n1", "n2", "n3"] {
            scene.node(name).redis_connected = Some(false);
        }
        assert_eq!(scene.judge().violated(), [(NAME, "redis".to_owned())]);
    }

    #[test]
    fn nodes_that_still_connect_after_redis_came_back_are_no_new_findings_for_a_while() {
        let mut scene = Scene::healthy();
        scene.lose_redis();
        scene.judge();
        scene.details = Scene::healthy().details;
        scene.node("n3").redis_connected = Some(false);
        for _ in 0..3 {
            let judged = scene.judge();
            assert_eq!(judged.violated(), [(NAME, "redis".to_owned())]);
            assert_eq!(judged.verdict(NAME, &edge("n1")), &Verdict::Ok);
        }
        assert_eq!(scene.judge().violated(), [(NAME, "n3→redis".to_owned())]);
        scene.node("n3").redis_connected = Some(true);
        assert_eq!(scene.judge().violated(), []);
    }
}
