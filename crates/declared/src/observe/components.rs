//! The typed facets of who is there, and who needs whom.

use std::collections::BTreeMap;

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Event, EventId, EventKind, Id, Locus, Observation,
    Timestamp, Unavailable,
};

use super::memory::{Memory, Start};
use crate::check::{Checked, Said};
use crate::file::{self, Failing, SystemFile};
use crate::scrape::{Fact, Scrape, told};

/// The label that tells one start of a component from the next.
const INCARNATION: &str = "incarnation";
/// A start time is computed from a clock that may be set: a start within so many seconds of another is the same.
const SAME_START_S: f64 = 2.0;

/// Writes the components, in the order of the file.
pub(super) fn write(
    subject: &str,
    file: &SystemFile,
    checked: &[Checked],
    scrapes: &BTreeMap<String, Scrape>,
    memory: &mut Memory,
    observation: &mut Observation,
) {
    for (component, checked) in file.components.iter().zip(checked) {
        let (state, raw_state) = state(checked);
        for (_, said) in &checked.said {
            if let Said::Untold(why) = said {
                observation.unavailable.push(Unavailable::new(format!("a check of {}", component.name), why));
            }
        }
        let metrics = scrapes.get(&component.name).and_then(|scrape| scrape.read.as_ref().ok());
        let mut labels = component.labels.clone();
        if let (Some(exposition), Some(by)) = (metrics, &component.incarnation)
            && let Some(fact) = told(exposition, by)
        {
            let start = started(subject, component, fact, memory, observation.at);
            labels.insert(INCARNATION.to_owned(), start);
        }
        let version = metrics.zip(component.version.as_ref()).and_then(|(exposition, by)| told(exposition, by));
        observation.components.push(Component {
            id: Id::new(subject, &component.name),
            kind: component.kind.clone(),
            address: component.address.clone(),
            state,
            raw_state,
            version: match version {
                Some(Fact::Text(version)) => Some(version),
                Some(Fact::Number(_)) | None => None,
            },
            labels,
        });
    }
}

/// How a component is, by what its checks said.
fn state(checked: &Checked) -> (ComponentState, String) {
    let failures = |of: Failing| -> Vec<&str> {
        let failing = checked.said.iter().filter(|(failing, _)| *failing == of);
        failing
            .filter_map(|(_, said)| match said {
                Said::Fails(why) => Some(why.as_str()),
                Said::Well(_) | Said::Untold(_) => None,
            })
            .collect()
    };
    let (down, degraded) = (failures(Failing::Down), failures(Failing::Degraded));
    if !down.is_empty() {
        return (ComponentState::Down, down.join("; "));
    }
    let untold = checked.said.iter().find_map(|(failing, said)| match said {
        Said::Untold(why) if *failing == Failing::Down => Some(why),
        _ => None,
    });
    if let Some(why) = untold {
        return (ComponentState::Unknown, format!("could not be told: {why}"));
    }
    if checked.said.is_empty() {
        return (ComponentState::Unknown, "was not asked".to_owned());
    }
    if degraded.is_empty() {
        (ComponentState::Up, "answers".to_owned())
    } else {
        (ComponentState::Degraded, degraded.join("; "))
    }
}

/// The name of the start that runs; one that is another than before is an event.
fn started(subject: &str, component: &file::Component, fact: Fact, memory: &mut Memory, at: Timestamp) -> String {
    let start = match fact {
        Fact::Text(incarnation) => Start { incarnation, began_s: None },
        Fact::Number(began) => Start { incarnation: began.to_string(), began_s: Some(began) },
    };
    let before = memory.starts.get(&component.name);
    let same = before.is_some_and(|before| match (before.began_s, start.began_s) {
        (Some(before), Some(now)) => (now - before).abs() <= SAME_START_S,
        _ => before.incarnation == start.incarnation,
    });
    if let (true, Some(before)) = (same, before) {
        return before.incarnation.clone();
    }
    let again = before.is_some();
    memory.starts.insert(component.name.clone(), start.clone());
    if again {
        // Its own clock may be ahead.
        let began = start.began_s.map(|began| Timestamp::from_millis((began * 1000.0) as i64));
        memory.note(Event {
            id: EventId::new(subject, format!("restart:{}:{}", component.name, start.incarnation)),
            at: began.filter(|began| *began <= at).unwrap_or(at),
            on: Locus::component(subject, &component.name),
            kind: EventKind::Restart,
            change: None,
            message: format!("{} started again", component.name),
        });
    }
    start.incarnation
}

/// Writes the dependencies: one is up or down by its signal, where it has one.
pub(super) fn write_dependencies(subject: &str, file: &SystemFile, observation: &mut Observation) {
    for link in &file.dependencies {
        let (from, to) = (Id::new(subject, &link.from), Id::new(subject, &link.to));
        let on = Locus::Edge(from.clone(), to.clone());
        let reading = link.up.as_ref().and_then(|name| observation.signal(&on, name));
        let state = match reading.map(|signal| signal.value) {
            Some(0.0) => DependencyState::Down,
            Some(_) => DependencyState::Up,
            None => DependencyState::Unknown,
        };
        observation.dependencies.push(Dependency { from, to, kind: link.kind.clone(), state });
    }
}
