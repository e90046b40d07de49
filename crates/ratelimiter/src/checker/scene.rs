//! A healthy limiter of three nodes as it was observed, for tests to break in one place.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Evaluation, Finding, History, Id, InvariantChecker, Locus,
    Observation, Signal, SignalKind, SignalRole, Timestamp, Verdict, Worse,
};

use super::RateLimiterChecker;
use crate::Address;
use crate::api::{Mode, NodeSettings};
use crate::details::{Details, NodeDetail, NodeStanding, RegisteredDetail};
use crate::inspector::RegisteredState;
use crate::names;

pub(super) const SUBJECT: &str = "limiter";

/// Observations so far, and the next one in the making.
pub(super) struct Scene {
    pub(super) details: Details,
    pub(super) signals: Vec<(Locus, &'static str, f64)>,
    /// Nodes and when they started, as their counters say.
    pub(super) started: Vec<(&'static str, Timestamp)>,
    /// The Redis each node uses, where it is another one.
    pub(super) foreign: Vec<(&'static str, &'static str)>,
    history: History,
    pub(super) at: Timestamp,
}

impl Scene {
    pub(super) fn healthy() -> Self {
        let mut details = Details::default();
        for name in ["n1", "n2", "n3"] {
            details.nodes.insert(name.to_owned(), node(&format!("boot-{name}")));
            let registered =
                RegisteredDetail { state: RegisteredState::Up, fresh: true, boot_id: Some(format!("boot-{name}")) };
            details.registry.nodes.insert(name.to_owned(), registered);
            let standing = NodeStanding { boot_id: format!("boot-{name}"), agreeing: 9, differing: 0 };
            details.ledger.nodes.insert(name.to_owned(), standing);
        }
        details.registry.counts = true;
        details.redis.answers = true;
        details.redis.run_id = Some("abc".to_owned());
        details.ledger.as_of_us = Some(1);
        details.ledger.judged = vec!["k".to_owned()];
        details.limits.as_of_us = Some(1);
        Self {
            details,
            signals: Vec::new(),
            started: Vec::new(),
            foreign: Vec::new(),
            history: History::new(),
            at: Timestamp::from_millis(1_000_000),
        }
    }

    pub(super) fn node(&mut self, name: &str) -> &mut NodeDetail {
        self.details.nodes.get_mut(name).expect("a node of the scene")
    }

    /// Makes a node silent.
    pub(super) fn silence(&mut self, name: &str) {
        let address = self.node(name).address.clone();
        *self.node(name) = NodeDetail::silent(address, "connection refused");
    }

    /// Lets Redis be out of reach for everybody.
    pub(super) fn lose_redis(&mut self) {
        self.details.redis.answers = false;
        self.details.redis.silence = Some("connection refused".to_owned());
        self.details.ledger.why_not = Some("Redis does not answer".to_owned());
        self.details.limits.why_not = self.details.ledger.why_not.clone();
        for node in self.details.nodes.values_mut() {
            node.redis_connected = Some(false);
            node.mode = Some(Mode::Local);
        }
    }

    fn observation(&self) -> Observation {
        let mut observation = Observation::new(self.at);
        for (name, node) in &self.details.nodes {
            let foreign = self.foreign.iter().find(|(of, _)| of == name).map(|(_, redis)| *redis);
            observation.dependencies.push(Dependency {
                from: Id::new(SUBJECT, name),
                to: Id::new(SUBJECT, foreign.unwrap_or(names::REDIS_ID)),
                kind: names::REDIS.to_owned(),
                state: match node.redis_connected {
                    Some(true) => DependencyState::Up,
                    Some(false) => DependencyState::Down,
                    None => DependencyState::Unknown,
                },
            });
        }
        let state = if self.details.redis.answers { ComponentState::Up } else { ComponentState::Down };
        observation.components.push(Component {
            id: names::redis(SUBJECT),
            kind: names::REDIS.to_owned(),
            address: None,
            state,
            raw_state: String::new(),
            version: None,
            labels: std::collections::BTreeMap::new(),
        });
        for (on, name, value) in &self.signals {
            observation.signals.push(Signal {
                on: on.clone(),
                name: (*name).to_owned(),
                role: SignalRole::Other,
                value: *value,
                unit: "1".to_owned(),
                observed_at: self.at,
                kind: SignalKind::Gauge,
                worse: Worse::Neither,
            });
        }
        for (name, since) in &self.started {
            observation.signals.push(Signal {
                on: component(name),
                name: "count".to_owned(),
                role: SignalRole::Other,
                value: 1.0,
                unit: "1".to_owned(),
                observed_at: self.at,
                kind: SignalKind::Counter { since: *since },
                worse: Worse::Neither,
            });
        }
        self.details.write_to(&mut observation);
        observation
    }

    /// Judges the scene as it is, and moves on by five seconds.
    pub(super) fn judge(&mut self) -> Judged {
        let checker = RateLimiterChecker::new(SUBJECT, 1.0);
        let observation = self.observation();
        let evaluations = checker.check(&self.history, &observation);
        for evaluation in &evaluations {
            assert!(
                checker.invariants().iter().any(|definition| definition.name == evaluation.invariant),
                "{} is not declared",
                evaluation.invariant
            );
        }
        self.history.push(Arc::new(observation), checker.lookback());
        self.at = self.at.plus(Duration::from_secs(5));
        Judged(evaluations)
    }
}

fn node(boot: &str) -> NodeDetail {
    NodeDetail {
        answers: true,
        silence: None,
        boot_id: Some(boot.to_owned()),
        mode: Some(Mode::Coordinated),
        redis_connected: Some(true),
        redis_run_id: Some("abc".to_owned()),
        settings: Some(NodeSettings {
            default_limit: 100,
            default_window_ms: 60_000,
            on_redis_failure: Mode::Local,
            redis_timeout_ms: 250,
        }),
        ..NodeDetail::silent(Address::parse("127.0.0.1:8000").ok(), "")
    }
}

/// What came of it.
pub(super) struct Judged(pub(super) Vec<Evaluation>);

impl Judged {
    pub(super) fn verdict(&self, invariant: &str, on: &Locus) -> &Verdict {
        let found: Vec<_> = self.0.iter().filter(|e| e.invariant == invariant && &e.on == on).collect();
        assert_eq!(found.len(), 1, "{invariant} at {on} in {:?}", self.0);
        &found[0].verdict
    }

    pub(super) fn finding(&self, invariant: &str, on: &Locus) -> &Finding {
        match self.verdict(invariant, on) {
            Verdict::Violated(finding) => finding,
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }

    /// Which loci are violated, by invariant.
    pub(super) fn violated(&self) -> Vec<(&str, String)> {
        let violated = self.0.iter().filter(|e| matches!(e.verdict, Verdict::Violated(_)));
        violated.map(|e| (e.invariant.as_str(), e.on.to_string())).collect()
    }

    pub(super) fn suppressed(&self, invariant: &str, on: &Locus) -> &str {
        match self.verdict(invariant, on) {
            Verdict::Suppressed(why) => why,
            other => panic!("{invariant} at {on}: {other:?}"),
        }
    }
}

pub(super) fn component(name: &str) -> Locus {
    Locus::component(SUBJECT, name)
}

pub(super) fn key(name: &str) -> Locus {
    names::key(SUBJECT, name)
}

pub(super) fn edge(from: &str) -> Locus {
    Locus::edge(SUBJECT, from, names::REDIS_ID)
}
