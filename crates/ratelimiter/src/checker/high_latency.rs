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
