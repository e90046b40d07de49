//! A subject over servers of a test, what it sees, and which tickets would follow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use operator_protocols::{
    Component, ComponentState, Evaluation, History, Id, InvariantChecker, Locus, Observation, Subject, SubjectConfig,
    Timestamp, Value, Verdict,
};

pub const SUBJECT: &str = "prod";

pub struct Scene {
    pub subject: Box<dyn Subject>,
    pub checker: Box<dyn InvariantChecker>,
    history: History,
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("before the end of time"))
}

pub fn config(settings: &[(&str, Value)]) -> SubjectConfig {
    let settings: BTreeMap<_, _> = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    SubjectConfig { name: SUBJECT.to_owned(), kind: "tikv".to_owned(), settings }
}

impl Scene {
    pub fn over<'a>(pd: impl IntoIterator<Item = &'a String>) -> Self {
        Self::with(&[("pd", Value::from(pd.into_iter().cloned().collect::<Vec<_>>()))])
    }

    pub fn with(settings: &[(&str, Value)]) -> Self {
        let (subject, checker) = operator_tikv::factory(&config(settings), None).expect("right settings");
        Self { subject, checker, history: History::new() }
    }

    /// Looks and judges, within the deadline the subject gives itself.
    pub async fn look(&mut self, at: Timestamp) -> Seen {
        let deadline = self.subject.descriptor().observe_deadline;
        let begun = Instant::now();
        let looked = tokio::time::timeout(deadline, self.subject.observe(at)).await;
        let observation = looked.expect("an observation within its deadline");
        let took = begun.elapsed();
        let evaluations = self.checker.check(&self.history, &observation);
        let observation = Arc::new(observation);
        self.history.push(Arc::clone(&observation), self.checker.lookback());
        Seen { observation, evaluations, took }
    }

    /// Of each invariant, for how long it must be violated before there is a ticket.
    pub fn graces(&self) -> BTreeMap<String, Duration> {
        self.checker.invariants().iter().map(|one| (one.name.clone(), one.grace)).collect()
    }
}

pub struct Seen {
    pub observation: Arc<Observation>,
    pub evaluations: Vec<Evaluation>,
    pub took: Duration,
}

impl Seen {
    pub fn component(&self, name: &str) -> &Component {
        let found = self.observation.component(&Id::new(SUBJECT, name));
        found.unwrap_or_else(|| panic!("no {name} in {:?}", self.observation.components))
    }

    pub fn state(&self, name: &str) -> ComponentState {
        self.component(name).state
    }

    /// The state of every store, by PD's word and by the protocol's.
    pub fn stores(&self) -> Vec<(String, ComponentState, String)> {
        let stores = self.observation.components.iter().filter(|component| component.kind == "tikv");
        stores.map(|store| (store.id.local.clone(), store.state, store.raw_state.clone())).collect()
    }

    pub fn verdict(&self, invariant: &str, on: &Locus) -> &Verdict {
        let found = self.evaluations.iter().find(|e| e.invariant == invariant && &e.on == on);
        &found.unwrap_or_else(|| panic!("{invariant} at {on} is not judged in {:?}", self.evaluations)).verdict
    }

    pub fn violated(&self) -> Vec<String> {
        let violated = self.evaluations.iter().filter(|e| matches!(e.verdict, Verdict::Violated(_)));
        violated.map(|e| format!("{} at {}", e.invariant, e.on)).collect()
    }

    pub fn detail(&self, path: &str) -> Value {
        let mut parts = path.split('.');
        let mut value = self.observation.details.get(parts.next().expect("a key")).cloned();
        for part in parts {
            value = value.and_then(|value| value.get(part).cloned());
        }
        value.unwrap_or_default()
    }

    /// Why `what` could not be read.
    pub fn unavailable(&self, what: &str) -> &str {
        let found = self.observation.unavailable.iter().find(|unavailable| unavailable.what == what);
        &found.unwrap_or_else(|| panic!("{what} is not unavailable in {:?}", self.observation.unavailable)).why
    }

    pub fn events(&self) -> Vec<&str> {
        self.observation.events.iter().map(|event| event.message.as_str()).collect()
    }
}
