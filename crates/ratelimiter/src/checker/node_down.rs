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

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component};
    use super::*;

    #[test]
    fn one_missed_answer_is_unknown_and_two_running_are_down() {
        let mut scene = Scene::healthy();
        scene.judge();
        scene.silence("n2");
        assert!(matches!(scene.judge().verdict(NAME, &component("n2")), Verdict::Unknown(_)));
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n2".to_owned())]);
        assert!(judged.finding(NAME, &component("n2")).message.contains("connection refused"));
        let finding = scene.judge().finding(NAME, &component("n2")).clone();
        assert_eq!((finding.measured, finding.threshold), (10.0, 1.0));
        scene.node("n2").answers = true;
        assert_eq!(scene.judge().verdict(NAME, &component("n2")), &Verdict::Ok);
    }

    #[test]
    fn a_missed_answer_now_and_then_is_never_down() {
        let mut scene = Scene::healthy();
        for round in 0..6 {
            scene.node("n1").answers = round % 2 == 0;
            assert_eq!(scene.judge().violated(), []);
        }
    }

    #[test]
    fn a_node_that_said_it_leaves_is_not_down_until_its_time_is_over() {
        let mut scene = Scene::healthy();
        scene.silence("n1");
        scene.node("n1").leaving = true;
        scene.judge();
        assert_eq!(scene.judge().suppressed(NAME, &component("n1")), "it said that it is leaving");
        scene.node("n1").leaving = false;
        assert_eq!(scene.judge().violated(), [(NAME, "n1".to_owned())]);
    }

    #[test]
    fn a_node_that_answers_is_not_down_whatever_the_registry_says() {
        let mut scene = Scene::healthy();
        for registered in scene.details.registry.nodes.values_mut() {
            registered.state = crate::inspector::RegisteredState::Down;
        }
        scene.judge();
        assert_eq!(scene.judge().verdict(NAME, &component("n1")), &Verdict::Ok);
    }
}
