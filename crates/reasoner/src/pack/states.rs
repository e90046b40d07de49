//! What was seen of a component or link over time, as runs of the same state: when the present state began and what
//! was before it.

use std::collections::BTreeMap;

use operator_protocols::{Component, ComponentState, Dependency, DependencyState, History, Id, Timestamp};

/// One state and since when it lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run<T> {
    pub since: Timestamp,
    pub state: T,
}

/// The runs of one thing, oldest first, never two of the same state in a row.
#[derive(Debug, Clone)]
pub(crate) struct Runs<T>(Vec<Run<T>>);

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq + Copy> Runs<T> {
    fn push(&mut self, since: Timestamp, state: T) {
        if self.0.last().is_none_or(|last| last.state != state) {
            self.0.push(Run { since, state });
        }
    }

    /// The present run and the state before it.
    pub fn now(&self) -> Option<(Run<T>, Option<T>)> {
        let (now, past) = self.0.split_last()?;
        Some((*now, past.last().map(|run| run.state)))
    }

    /// Whether another state was seen at or after `since`, and which was the last such.
    pub fn other_since(&self, since: Timestamp) -> Option<T> {
        let (now, past) = self.0.split_last()?;
        (now.since >= since).then(|| past.last().map(|run| run.state)).flatten()
    }
}

/// The states of everything in a history.
#[derive(Debug, Default)]
pub(crate) struct States<'a> {
    /// The components as last seen, by id.
    pub components: BTreeMap<&'a Id, &'a Component>,
    /// The dependencies as last seen, by (from, to, kind).
    pub dependencies: BTreeMap<(&'a Id, &'a Id, &'a str), &'a Dependency>,
    pub component_runs: BTreeMap<&'a Id, Runs<ComponentState>>,
    pub incarnations: BTreeMap<&'a Id, Runs<&'a str>>,
    pub dependency_runs: BTreeMap<(&'a Id, &'a Id, &'a str), Runs<DependencyState>>,
}

/// The label whose value tells one start of a component from the next.
const INCARNATION: &str = "incarnation";

impl<'a> States<'a> {
    /// Reads a history once.
    pub fn of(history: &'a History) -> Self {
        let mut states = Self::default();
        for observation in history.iter() {
            // A look that saw no component at all was blind; it does not say that they are gone.
            if !observation.components.is_empty() {
                states.components.clear();
            }
            for component in &observation.components {
                states.components.insert(&component.id, component);
                states.component_runs.entry(&component.id).or_default().push(observation.at, component.state);
                if let Some(incarnation) = component.labels.get(INCARNATION) {
                    states.incarnations.entry(&component.id).or_default().push(observation.at, incarnation);
                }
            }
            if !observation.dependencies.is_empty() {
                states.dependencies.clear();
            }
            for dependency in &observation.dependencies {
                let key = (&dependency.from, &dependency.to, dependency.kind.as_str());
                states.dependencies.insert(key, dependency);
                states.dependency_runs.entry(key).or_default().push(observation.at, dependency.state);
            }
        }
        states
    }
}
