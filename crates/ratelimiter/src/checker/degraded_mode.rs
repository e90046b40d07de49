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
