//! `degraded_mode`: a node decides without Redis.
//!
//! When every node does, three at least, they share one cause: one finding about Redis, with the nodes folded in.

use operator_protocols::{Evaluation, Finding, Verdict};

use super::case::{Case, untold};
use crate::names::signal;

pub(super) const NAME: &str = "degraded_mode";
/// Fewer nodes than this are told one by one.
const FOLD_FROM: usize = 3;

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let told: Vec<_> = case
        .details
        .nodes
        .iter()
        .filter(|(_, node)| node.answers)
        .filter_map(|(name, node)| Some((name, node.degraded()?)))
        .collect();
    let degraded = told.iter().filter(|(_, degraded)| *degraded).count();
    let all = degraded == told.len() && degraded >= FOLD_FROM;
    let mut evaluations = case.each_node(NAME, |name, node| match node.degraded() {
        None => untold(name, "the mode"),
        Some(false) => Verdict::Ok,
        Some(true) if all => Verdict::Suppressed("folded".to_owned()),
        Some(true) => {
            let mode = node.mode.map_or("unknown", crate::api::Mode::name);
            let rate = case.signal(&case.node(name), signal::DEGRADED).unwrap_or(0.0);
            let message = format!("{name} decides without Redis ({mode}), {rate:.1} times a second");
            Verdict::Violated(Finding { involves: vec![case.edge(name)], ..Finding::new(message, 1.0, 0.0) })
        }
    });
    let verdict = if all {
        let message = format!("all {degraded} nodes that answer decide without Redis");
        Verdict::Violated(Finding {
            involves: told.iter().flat_map(|(name, _)| [case.node(name), case.edge(name)]).collect(),
            count: u32::try_from(degraded).unwrap_or(u32::MAX),
            ..Finding::new(message, degraded as f64, 0.0)
        })
    } else if told.is_empty() {
        Verdict::Suppressed("no node answers".to_owned())
    } else {
        Verdict::Ok
    };
    evaluations.push(Evaluation::new(NAME, case.redis(), verdict));
    evaluations
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component, edge};
    use super::*;
    use crate::api::Mode;

    #[test]
    fn a_node_without_redis_is_a_finding() {
        let mut scene = Scene::healthy();
        scene.node("n2").mode = Some(Mode::Open);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n2".to_owned())]);
        assert!(judged.finding(NAME, &component("n2")).message.contains("(open)"));
        assert_eq!(judged.finding(NAME, &component("n2")).involves, [edge("n2")]);
    }

    #[test]
    fn all_nodes_without_redis_are_one_finding_about_it() {
        let mut scene = Scene::healthy();
        for name in ["n1", "n2", "n3"] {
            scene.node(name).mode = Some(Mode::Local);
        }
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "redis".to_owned())]);
        assert_eq!(judged.finding(NAME, &component("redis")).count, 3);
        assert_eq!(judged.suppressed(NAME, &component("n1")), "folded");
        scene.node("n1").mode = Some(Mode::Coordinated);
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n2".to_owned()), (NAME, "n3".to_owned())]);
        assert_eq!(judged.verdict(NAME, &component("redis")), &Verdict::Ok);
    }
}
