//! `node_down`: an expected node does not answer.
//!
//! One missed answer may be a lost packet: it is `Unknown`. A node that said it would leave is suppressed for as long as
//! it said, 30 s at most. A node that answers is never down, whatever the registry holds.

use operator_protocols::{Evaluation, Finding, Unavailable, Verdict};

use super::case::Case;
use crate::details::{Details, NodeDetail};

pub(super) const NAME: &str = "node_down";
/// Seconds within which `/livez` must be answered.
pub(super) const LIMIT_S: f64 = crate::client::LIVEZ_TIMEOUT.as_secs() as f64;

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let judged =
        case.details.nodes.iter().map(|(name, node)| Evaluation::new(NAME, case.node(name), verdict(case, name, node)));
    judged.chain(case.gone(NAME)).collect()
}

fn verdict(case: &Case<'_>, name: &str, node: &NodeDetail) -> Verdict {
    if node.answers {
        return Verdict::Ok;
    }
    let why = node.silence.as_deref().unwrap_or("it did not answer");
    if node.address.is_none() {
        return Verdict::Unknown(Unavailable::new(name, why));
    }
    if node.leaving {
        return Verdict::Suppressed("it said that it is leaving".to_owned());
    }
    if case.before.get(name).is_none_or(|before| before.answers) {
        return Verdict::Unknown(Unavailable::new(name, format!("missed once: {why}")));
    }
    let silent_since = case
        .past
        .iter()
        .rev()
        .take_while(|past| {
            Details::nodes_of(past).ok().and_then(|nodes| nodes.get(name).map(|node| !node.answers)).unwrap_or(false)
        })
        .last()
        .map_or(case.now.at, |first| first.at);
    let silent_for = case.now.at.since(silent_since).as_secs_f64().max(LIMIT_S);
    let message = format!("{name} has not answered for {silent_for:.0} s: {why}");
    Verdict::Violated(Finding::new(message, silent_for, LIMIT_S))
}
