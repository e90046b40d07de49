//! A small simulated system: some callers (`api-1` …), perhaps behind a gateway, that all use one `store`. It moves with
//! seeded noise, and a fault acts on its causes (a hop takes longer, a process is gone), never on what is concluded.

pub mod accounts;
mod fault;
pub mod sample;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    ActionClass, ActionDefinition, Change, Event, EventId, EventKind, FaultClass, Finding, History,
    InvariantDefinition, Locus, ParamDefinition, ParamKind, ParamSource, Remedy, RemedyOn, Risk, Severity, TargetKind,
    Timestamp, Value, restart_component, start_component,
};
use operator_reasoner::{Diagnosis, EvidencePack, PackInput, Reasoner, ViolationFact};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use fault::Fault;

pub const SUBJECT: &str = "shop";
const INTERVAL: i64 = 5_000;

/// What is known of the system: not every system measures everything.
#[derive(Debug, Clone)]
pub struct Shape {
    pub callers: usize,
    pub gateway: bool,
    pub store_latency: bool,
    pub loop_lag: bool,
    pub liveness: bool,
    pub hop_latency: bool,
    pub traffic: bool,
    pub hop_traffic: bool,
}

/// One run of the system, up to the moment it is explained.
#[derive(Debug)]
pub struct World {
    pub rng: ChaCha8Rng,
    pub shape: Shape,
    pub history: History,
    pub violations: Vec<ViolationFact>,
    pub now: Timestamp,
    pub onset: Timestamp,
    /// What may be answered: any of these classes, at any of these places.
    pub truth: Vec<(FaultClass, Locus)>,
}

pub fn api(n: usize) -> Locus {
    Locus::component(SUBJECT, format!("api-{n}"))
}

pub fn store() -> Locus {
    Locus::component(SUBJECT, "store")
}

pub fn hop(n: usize) -> Locus {
    Locus::edge(SUBJECT, format!("api-{n}"), "store")
}

pub fn item(n: usize) -> Locus {
    Locus::entity(SUBJECT, "item", format!("item-{n}"))
}

impl World {
    /// A run with `fault`, decided in everything else by `seed`.
    pub fn with(fault: Fault, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(fault as u64));
        let shape = Shape {
            callers: if fault == Fault::Symmetric { 1 } else { rng.random_range(3..=6) },
            gateway: rng.random_bool(0.4),
            store_latency: fault != Fault::Symmetric && rng.random_bool(0.7),
            loop_lag: fault != Fault::Symmetric && rng.random_bool(0.8),
            liveness: rng.random_bool(0.7),
            hop_latency: matches!(fault, Fault::LinkDown | Fault::LinkSlow | Fault::StoreSlowHidden | Fault::Symmetric)
                || rng.random_bool(0.8),
            traffic: fault == Fault::LoadSurge || rng.random_bool(0.8),
            hop_traffic: rng.random_bool(0.5),
        };
        Self::shaped(fault, shape, rng)
    }

    pub fn shaped(fault: Fault, shape: Shape, mut rng: ChaCha8Rng) -> Self {
        let before = rng.random_range(40..140);
        let after = rng.random_range(3..14);
        let mut sampler = sample::Sampler::new(&mut rng, &shape);
        let acting = fault::Acting::of(fault, &mut rng, &shape);
        let mut history = History::new();
        for n in 0..before + after {
            let at = Timestamp::from_millis(1_800_000_000_000 + n * INTERVAL);
            let since = (n >= before).then(|| n - before);
            let observation = sampler.observe(&mut rng, &shape, at, since.map(|_| &acting));
            history.push(Arc::new(observation), Duration::from_secs(86_400));
        }
        let onset = Timestamp::from_millis(1_800_000_000_000 + before * INTERVAL);
        let now = Timestamp::from_millis(1_800_000_000_000 + (before + after - 1) * INTERVAL);
        let mut world = Self { rng, shape, history, violations: Vec::new(), now, onset, truth: acting.truth.clone() };
        acting.report(&mut world);
        world
    }

    pub fn violate(&mut self, invariant: &str, on: Locus, severity: Severity, finding: Finding) {
        // A violation is seen when its cause is there, or a little later.
        let later = self.rng.random_range(0..2) * INTERVAL;
        let first_seen = Timestamp::from_millis(self.onset.as_millis() + later).min(self.now);
        self.violations.push(ViolationFact {
            ticket: None,
            invariant: invariant.into(),
            on,
            severity,
            finding,
            first_seen,
            last_seen: self.now,
        });
    }

    pub fn pack(&self) -> EvidencePack {
        self.pack_of(&self.history)
    }

    pub fn pack_of(&self, history: &History) -> EvidencePack {
        EvidencePack::build(&PackInput {
            subject: SUBJECT,
            incident: "I-1",
            now: self.now,
            history,
            violations: &self.violations,
            invariants: &invariants(),
            actions: &actions(),
            own_actions: &[],
            similar: &[],
        })
    }

    pub fn diagnosis(&self) -> Diagnosis {
        Reasoner::new().explain(&self.pack(), &actions())
    }

    pub fn is_right(&self, diagnosis: &Diagnosis) -> bool {
        self.truth.iter().any(|(class, locus)| *class == diagnosis.primary.class && *locus == diagnosis.primary.locus)
    }

    /// Adds an event to the last observation.
    pub fn happened(&mut self, event: &Event) {
        let mut rebuilt = History::new();
        let last = self.history.last().map(|last| last.at);
        for observation in self.history.iter() {
            let mut observation = (**observation).clone();
            if Some(observation.at) == last {
                observation.events.push(event.clone());
            }
            rebuilt.push(Arc::new(observation), Duration::from_secs(86_400));
        }
        self.history = rebuilt;
    }
}

pub fn invariants() -> Vec<InvariantDefinition> {
    ["down", "degraded", "latency", "drift", "config", "jump"]
        .into_iter()
        .map(|name| InvariantDefinition {
            name: name.into(),
            description: format!("no {name}"),
            severity: Severity::Critical,
            threshold: Some(1.0),
            unit: if name == "latency" { "s" } else { "1" }.into(),
            grace: Duration::ZERO,
            clear_after: None,
            minimum_traffic: None,
        })
        .collect()
}

/// The actions of the system: those that need a driver, and some of its own.
pub fn actions() -> Vec<ActionDefinition> {
    let own = |name: &str, targets: Vec<TargetKind>, risk, remedies: Vec<Remedy>, params: Vec<ParamDefinition>| {
        ActionDefinition {
            name: name.into(),
            description: format!("Do {name}"),
            params,
            targets,
            risk,
            class: ActionClass::Cas,
            reversible_by: (name == "drain").then(|| "undrain".to_owned()),
            remedies,
            expected_effect: String::new(),
            settle_time: Duration::from_secs(30),
            limits: None,
        }
    };
    let apis = || vec![TargetKind::Component { kinds: vec!["api".into()] }];
    vec![
        start_component(&[], Duration::from_secs(20)),
        restart_component(&["api"], Duration::from_secs(20)),
        own(
            "drain",
            apis(),
            Risk::Medium,
            vec![
                Remedy::contains(FaultClass::LinkDown).on(RemedyOn::EdgeFrom),
                Remedy::contains(FaultClass::LinkSlow).on(RemedyOn::EdgeFrom),
                Remedy::contains(FaultClass::ComponentSlow),
                Remedy::contains(FaultClass::StateDivergence),
                Remedy::contains(FaultClass::ConfigDivergence),
            ],
            Vec::new(),
        ),
        own(
            "reset_item",
            vec![TargetKind::Entity { kind: "item".into() }],
            Risk::Medium,
            vec![Remedy::cures(FaultClass::ExternalMutation)],
            Vec::new(),
        ),
        own(
            "set_price",
            vec![TargetKind::Entity { kind: "item".into() }],
            Risk::Medium,
            vec![Remedy::cures(FaultClass::BadChange).on(RemedyOn::ChangeSubject)],
            vec![
                ParamDefinition {
                    name: "item".into(),
                    description: String::new(),
                    kind: ParamKind::Text { max_bytes: 100 },
                    source: ParamSource::Locus,
                    default: None,
                },
                ParamDefinition {
                    name: "price".into(),
                    description: String::new(),
                    kind: ParamKind::Integer { min: 1, max: 1_000_000 },
                    source: ParamSource::ChangeBefore,
                    default: None,
                },
                ParamDefinition {
                    name: "owner".into(),
                    description: String::new(),
                    kind: ParamKind::Text { max_bytes: 100 },
                    source: ParamSource::Policy,
                    default: None,
                },
            ],
        ),
    ]
}

/// A change of a price, tenfold.
pub fn price_change(id: &str, on: Locus, at: Timestamp) -> Event {
    Event {
        id: EventId::new(SUBJECT, id),
        at,
        on,
        kind: EventKind::ConfigChange,
        change: Some(Change { field: "price".into(), before: Value::Int(100), after: Value::Int(1_000) }),
        message: "the price was set".into(),
    }
}

pub fn labels(incarnation: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("incarnation".to_owned(), incarnation.to_owned())])
}
