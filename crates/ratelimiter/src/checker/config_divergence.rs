//! `config_divergence`: a node runs with other settings than most, or on another Redis, or in a way that the registry
//! does not know of.
//!
//! A setting is what most nodes that answer say it is. Where no majority says anything, the nodes as a group diverge.

use std::collections::BTreeMap;

use operator_protocols::{DependencyState, Discrepancy, DiscrepancyKind, Evaluation, Finding, Locus, Verdict};

use super::case::{Case, untold};
use crate::details::NodeDetail;
use crate::inspector::RegisteredState;
use crate::names::{self, SETTING};

pub(super) const NAME: &str = "config_divergence";

/// A setting of one node: as text for people, as number where it is one.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct Value {
    text: String,
    number: Option<f64>,
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Evaluation> {
    let mut settings: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
    for (name, node) in &case.details.nodes {
        for (setting, value) in told(case, name, node) {
            settings.entry(setting).or_default().insert(name, value);
        }
    }
    let mut of_node: BTreeMap<&str, Vec<(String, Discrepancy)>> = BTreeMap::new();
    let mut of_all: Vec<(String, Discrepancy)> = Vec::new();
    for (setting, values) in &settings {
        divergence(case, setting, values, &mut of_node, &mut of_all);
    }
    for (name, finding) in unregistered(case) {
        of_node.entry(name).or_default().push(finding);
    }
    let mut evaluations = case.each_node(NAME, |name, node| match of_node.get(name) {
        Some(differences) => Verdict::Violated(finding(case, name, differences)),
        None if node.settings.is_none() => untold(name, "the settings"),
        None if !of_all.is_empty() => Verdict::Suppressed("folded".to_owned()),
        None => Verdict::Ok,
    });
    let verdict = if !of_all.is_empty() {
        let mut all = finding(case, "the group of nodes", &of_all);
        all.involves = case.details.nodes.keys().map(|name| case.node(name)).collect();
        Verdict::Violated(all)
    } else if settings.is_empty() {
        Verdict::Suppressed("no node answers".to_owned())
    } else {
        Verdict::Ok
    };
    evaluations.push(Evaluation::new(NAME, names::all_nodes(case.subject), verdict));
    evaluations
}

/// What a node says that must be the same on all.
fn told<'a>(case: &Case<'_>, name: &str, node: &'a NodeDetail) -> Vec<(&'a str, Value)> {
    let Some(settings) = node.settings.as_ref().filter(|_| node.answers) else { return Vec::new() };
    let number = |number: u64| Value { text: number.to_string(), number: Some(number as f64) };
    let text = |text: &str| Value { text: text.to_owned(), number: None };
    let mut told = vec![
        ("default_limit", number(settings.default_limit)),
        ("default_window_ms", number(settings.default_window_ms)),
        ("on_redis_failure", text(settings.on_redis_failure.name())),
        ("redis_timeout_ms", number(settings.redis_timeout_ms)),
    ];
    if let Some((redis, DependencyState::Up)) = case.link(name) {
        told.push(("redis", text(&redis.local)));
    }
    told
}

/// Who differs from the majority in one setting; everybody, if there is none.
fn divergence<'a>(
    case: &Case<'_>,
    setting: &str,
    values: &BTreeMap<&'a str, Value>,
    of_node: &mut BTreeMap<&'a str, Vec<(String, Discrepancy)>>,
    of_all: &mut Vec<(String, Discrepancy)>,
) {
    let mut votes: BTreeMap<&str, (usize, &Value)> = BTreeMap::new();
    for value in values.values() {
        votes.entry(&value.text).or_insert((0, value)).0 += 1;
    }
    if votes.len() < 2 {
        return;
    }
    let majority = votes.values().find(|(count, _)| count * 2 > values.len()).copied();
    for (name, value) in values {
        // The largest set of others that agree with each other.
        let others =
            votes.iter().filter(|(text, _)| **text != value.text).map(|(_, (count, _))| *count).max().unwrap_or(0);
        let held = majority.map(|(_, value)| value);
        let (amount, of) = match (value.number, held.and_then(|held| held.number)) {
            (Some(own), Some(held)) => ((own - held).abs(), held),
            _ => (1.0, 1.0),
        };
        let discrepancy = Discrepancy {
            what: Locus::entity(case.subject, SETTING, setting),
            claimed_by: Some(case.node(name)),
            held_by: names::all_nodes(case.subject),
            kind: DiscrepancyKind::Differs,
            amount,
            of,
            agree: u32::try_from(others).unwrap_or(u32::MAX),
            peers: u32::try_from(values.len()).unwrap_or(u32::MAX),
        };
        match held {
            Some(held) if held.text == value.text => {}
            Some(held) => {
                let message = format!("{setting} is {} where {others} others have {}", value.text, held.text);
                of_node.entry(name).or_default().push((message, discrepancy));
            }
            None => of_all.push((format!("{name} has {setting} {}", value.text), discrepancy)),
        }
    }
}

/// Nodes that decide together with the others by their own word, while a registry that counts calls them gone.
fn unregistered<'a>(case: &'a Case<'_>) -> Vec<(&'a str, (String, Discrepancy))> {
    let registry = &case.details.registry;
    if !registry.counts {
        return Vec::new();
    }
    let coordinated: Vec<_> =
        case.details.nodes.iter().filter(|(_, node)| node.answers && node.degraded() == Some(false)).collect();
    let missing =
        |name: &str| registry.nodes.get(name).is_none_or(|registered| registered.state == RegisteredState::Down);
    let agree = coordinated.iter().filter(|(name, _)| !missing(name)).count();
    coordinated
        .iter()
        .filter(|(name, _)| missing(name))
        .map(|(name, _)| {
            let discrepancy = Discrepancy {
                what: case.node(name),
                claimed_by: Some(case.node(name)),
                held_by: case.redis(),
                kind: DiscrepancyKind::Differs,
                amount: 1.0,
                of: 1.0,
                agree: u32::try_from(agree).unwrap_or(u32::MAX),
                peers: u32::try_from(coordinated.len()).unwrap_or(u32::MAX),
            };
            (name.as_str(), ("the registry calls it gone while it answers".to_owned(), discrepancy))
        })
        .collect()
}

fn finding(case: &Case<'_>, who: &str, differences: &[(String, Discrepancy)]) -> Finding {
    let messages: Vec<_> = differences.iter().map(|(message, _)| message.as_str()).collect();
    Finding {
        discrepancies: differences.iter().map(|(_, discrepancy)| discrepancy.clone()).collect(),
        involves: case.details.nodes.contains_key(who).then(|| case.edge(who)).into_iter().collect(),
        ..Finding::new(format!("{who} diverges: {}", messages.join("; ")), differences.len() as f64, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, component};
    use super::*;
    use crate::api::Mode;

    #[test]
    fn a_node_with_other_settings_than_most_differs_from_them() {
        let mut scene = Scene::healthy();
        let settings = scene.node("n3").settings.as_mut().expect("settings");
        settings.default_limit = 1000;
        settings.on_redis_failure = Mode::Open;
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n3".to_owned())]);
        let finding = judged.finding(NAME, &component("n3"));
        assert_eq!(finding.measured, 2.0);
        let first = &finding.discrepancies[0];
        assert_eq!((first.kind, first.amount, first.of), (DiscrepancyKind::Differs, 900.0, 100.0));
        assert_eq!((first.agree, first.peers), (2, 3));
        assert_eq!(first.claimed_by, Some(component("n3")));
        assert_eq!(first.what.to_text(), "entity:setting:default_limit");
    }

    #[test]
    fn without_a_majority_the_group_diverges() {
        let mut scene = Scene::healthy();
        scene.silence("n3");
        scene.node("n2").settings.as_mut().expect("settings").redis_timeout_ms = 100;
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "group nodes".to_owned())]);
        let finding = judged.finding(NAME, &names::all_nodes("limiter"));
        assert_eq!(finding.discrepancies.len(), 2);
        assert_eq!(judged.suppressed(NAME, &component("n1")), "folded");
    }

    #[test]
    fn a_node_on_another_redis_differs() {
        let mut scene = Scene::healthy();
        scene.foreign.push(("n1", "redis@1234"));
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n1".to_owned())]);
        let finding = judged.finding(NAME, &component("n1"));
        assert_eq!(finding.discrepancies[0].what.name(), "redis");
        // A node that lost its Redis says nothing about which one it uses.
        scene.node("n1").redis_connected = Some(false);
        assert!(!scene.judge().violated().contains(&(NAME, "n1".to_owned())));
    }

    #[test]
    fn a_registry_that_calls_an_answering_node_gone_differs_if_it_counts() {
        let mut scene = Scene::healthy();
        scene.details.registry.nodes.get_mut("n2").expect("registered").state = RegisteredState::Down;
        let judged = scene.judge();
        assert_eq!(judged.violated(), [(NAME, "n2".to_owned())]);
        assert_eq!(judged.finding(NAME, &component("n2")).discrepancies[0].held_by, component("redis"));
        scene.details.registry.counts = false;
        assert_eq!(scene.judge().violated(), []);
        scene.details.registry.counts = true;
        scene.node("n2").mode = Some(Mode::Local);
        assert!(!scene.judge().violated().contains(&(NAME, "n2".to_owned())), "it cannot write its heartbeat");
    }
}
