//! A subject over a private Redis and scripted nodes, and what it sees.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use operator_protocols::{
    ActionRequest, Component, Driver, Evaluation, ExecutionToken, Guard, History, Id, InvariantChecker, Locus,
    Observation, Subject, SubjectConfig, Timestamp, Value, Verdict,
};

use crate::fake_node::FakeNode;

pub const SUBJECT: &str = "limiter";

pub struct Scene {
    pub subject: Box<dyn Subject>,
    pub checker: Box<dyn InvariantChecker>,
    history: History,
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("before the end of time"))
}

pub fn settings(redis_port: u16, nodes: &[(&str, String)]) -> BTreeMap<String, Value> {
    let nodes = nodes
        .iter()
        .map(|(id, address)| Value::map([("id", Value::from(*id)), ("address", Value::from(address.clone()))]));
    BTreeMap::from([
        ("redis_url".to_owned(), Value::from(format!("redis://127.0.0.1:{redis_port}"))),
        ("nodes".to_owned(), Value::List(nodes.collect())),
    ])
}

impl Scene {
    pub fn new(redis_port: u16, nodes: &[&FakeNode]) -> Self {
        let nodes: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), node.address())).collect();
        Self::with(settings(redis_port, &nodes), None)
    }

    pub fn with(settings: BTreeMap<String, Value>, driver: Option<Arc<dyn Driver>>) -> Self {
        let config = SubjectConfig { name: SUBJECT.to_owned(), kind: "ratelimiter".to_owned(), settings };
        let (subject, checker) = operator_ratelimiter::factory(&config, driver).expect("right settings");
        Self { subject, checker, history: History::new() }
    }

    /// Looks and judges, within the deadline the subject gives itself.
    pub async fn look(&mut self) -> Seen {
        let deadline = self.subject.descriptor().observe_deadline;
        let looked = tokio::time::timeout(deadline, self.subject.observe(now())).await;
        let observation = looked.expect("an observation within its deadline");
        let evaluations = self.checker.check(&self.history, &observation);
        let observation = Arc::new(observation);
        self.history.push(Arc::clone(&observation), Duration::from_secs(600));
        Seen { observation, evaluations }
    }

    pub async fn guard(&self, request: &ActionRequest) -> Guard {
        self.subject.guard(request, now()).await
    }
}

pub struct Seen {
    pub observation: Arc<Observation>,
    pub evaluations: Vec<Evaluation>,
}

impl Seen {
    pub fn component(&self, name: &str) -> &Component {
        self.observation.component(&Id::new(SUBJECT, name)).unwrap_or_else(|| panic!("no {name} in {self}"))
    }

    pub fn verdict(&self, invariant: &str, on: &Locus) -> &Verdict {
        let found = self.evaluations.iter().find(|e| e.invariant == invariant && &e.on == on);
        &found.unwrap_or_else(|| panic!("{invariant} at {on} is not judged in {self}")).verdict
    }

    pub fn violated(&self) -> Vec<String> {
        let violated = self.evaluations.iter().filter(|e| matches!(e.verdict, Verdict::Violated(_)));
        violated.map(|e| format!("{} at {}", e.invariant, e.on)).collect()
    }

    /// Why `what` could not be read.
    pub fn unavailable(&self, what: &str) -> &str {
        let found = self.observation.unavailable.iter().find(|unavailable| unavailable.what == what);
        &found.unwrap_or_else(|| panic!("{what} is not unavailable in {self}")).why
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}\n{:?}", self.observation, self.evaluations)
    }
}

pub fn key(name: &str) -> Locus {
    Locus::entity(SUBJECT, "key", name)
}

pub fn component(name: &str) -> Locus {
    Locus::component(SUBJECT, name)
}

pub fn request(action: &str, target: Locus, params: &[(&str, Value)]) -> ActionRequest {
    ActionRequest {
        intent: "intent-7".to_owned(),
        action: action.to_owned(),
        target,
        params: params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

pub fn token(attempt: u32) -> ExecutionToken {
    ExecutionToken::new("intent-7", attempt, 1, now().plus(Duration::from_secs(60)), Duration::from_millis(700))
}
