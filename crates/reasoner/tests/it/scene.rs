//! A scene written by hand: three callers of a store, calm until the last few looks, in which exactly what a test says
//! is different.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::{
    Component, ComponentState, Dependency, DependencyState, Discrepancy, Event, Finding, History, Id, Locus,
    Observation, Severity, Signal, SignalRole, Timestamp,
};
use operator_reasoner::{Diagnosis, EvidencePack, PackInput, PastTicket, Reasoner, ViolationFact};

use crate::world::{SUBJECT, actions, api, hop, invariants, labels, sample::gauge, store};

const LOOKS: i64 = 40;
/// How many of the last looks are trouble.
const TROUBLE: i64 = 6;
pub const ONSET: Timestamp = Timestamp::from_millis(1_800_000_000_000 + (LOOKS - TROUBLE) * 5_000);

#[derive(Debug, Clone)]
pub struct Scene {
    pub looks: Vec<Observation>,
    pub violations: Vec<ViolationFact>,
    pub own_actions: Vec<Event>,
    pub similar: Vec<PastTicket>,
}

impl Scene {
    pub fn new() -> Self {
        let looks = (0..LOOKS).map(|n| calm(Timestamp::from_millis(1_800_000_000_000 + n * 5_000), n)).collect();
        Self { looks, violations: Vec::new(), own_actions: Vec::new(), similar: Vec::new() }
    }

    /// Changes every look since the onset.
    pub fn since_onset(mut self, change: impl Fn(&mut Observation)) -> Self {
        for look in self.looks.iter_mut().filter(|look| look.at >= ONSET) {
            change(look);
        }
        self
    }

    /// Changes every look.
    pub fn always(mut self, change: impl Fn(&mut Observation)) -> Self {
        self.looks.iter_mut().for_each(change);
        self
    }

    pub fn violated(self, invariant: &str, on: Locus) -> Self {
        self.found(invariant, on, Finding::new("it does not hold", 1.0, 0.0))
    }

    pub fn found(mut self, invariant: &str, on: Locus, finding: Finding) -> Self {
        self.violations.push(ViolationFact {
            ticket: None,
            invariant: invariant.into(),
            on,
            severity: Severity::Critical,
            finding,
            first_seen: ONSET,
            last_seen: self.now(),
        });
        self
    }

    /// A violation that consists of accounts that do not agree.
    pub fn drift(self, on: Locus, discrepancies: Vec<Discrepancy>) -> Self {
        let mut finding = Finding::new("the accounts differ", 50.0, 5.0);
        finding.discrepancies = discrepancies;
        self.found("drift", on, finding)
    }

    pub fn event(self, event: &Event) -> Self {
        self.since_onset(|look| look.events.push(event.clone()))
    }

    pub fn own(mut self, event: Event) -> Self {
        self.own_actions.push(event);
        self
    }

    pub fn past(mut self, ticket: PastTicket) -> Self {
        self.similar.push(ticket);
        self
    }

    pub fn now(&self) -> Timestamp {
        self.looks.last().map_or(ONSET, |last| last.at)
    }

    pub fn history(&self) -> History {
        let mut history = History::new();
        for look in &self.looks {
            history.push(Arc::new(look.clone()), Duration::from_secs(86_400));
        }
        history
    }

    pub fn pack(&self) -> EvidencePack {
        EvidencePack::build(&PackInput {
            subject: SUBJECT,
            incident: "I-1",
            now: self.now(),
            history: &self.history(),
            violations: &self.violations,
            invariants: &invariants(),
            actions: &actions(),
            own_actions: &self.own_actions,
            similar: &self.similar,
        })
    }

    /// The diagnosis of an incident that consists of one ticket.
    pub fn diagnosis_of(&self, ticket: &str) -> Diagnosis {
        let pack = EvidencePack::build_for(
            &PackInput {
                subject: SUBJECT,
                incident: "I-1",
                now: self.now(),
                history: &self.history(),
                violations: &self.violations,
                invariants: &invariants(),
                actions: &actions(),
                own_actions: &self.own_actions,
                similar: &self.similar,
            },
            &[ticket.to_owned()],
        );
        Reasoner::new().explain(&pack, &actions())
    }

    /// Gives the last violation a ticket.
    pub fn ticket(mut self, ticket: &str) -> Self {
        if let Some(last) = self.violations.last_mut() {
            last.ticket = Some(ticket.to_owned());
        }
        self
    }

    pub fn diagnosis(&self) -> Diagnosis {
        Reasoner::new().explain(&self.pack(), &actions())
    }
}

/// A small movement that is the same in every run.
fn wobble(n: i64) -> f64 {
    1.0 + 0.02 * ((n * 7) % 5) as f64
}

fn calm(at: Timestamp, n: i64) -> Observation {
    let mut look = Observation::new(at);
    for i in 1..=3 {
        look.components.push(part(&format!("api-{i}"), "api"));
        look.dependencies.push(Dependency {
            from: Id::new(SUBJECT, format!("api-{i}")),
            to: Id::new(SUBJECT, "store"),
            kind: "uses".into(),
            state: DependencyState::Up,
        });
        look.signals.push(time(&api(i), "request_seconds", 0.005 * wobble(n), at));
        look.signals.push(time(&api(i), "loop_lag_seconds", 0.000_2 * wobble(n), at));
        look.signals.push(time(&hop(i), "hop_seconds", 0.002 * wobble(n), at));
    }
    look.components.push(part("store", "store"));
    look.signals.push(time(&store(), "operation_seconds", 0.000_3 * wobble(n), at));
    look.signals.push(gauge(&store(), "memory_used_ratio", SignalRole::Saturation, 0.4, "1", at));
    look
}

pub fn part(name: &str, kind: &str) -> Component {
    Component {
        id: Id::new(SUBJECT, name),
        kind: kind.into(),
        address: None,
        state: ComponentState::Up,
        raw_state: "up".into(),
        version: None,
        labels: labels("1"),
    }
}

pub fn time(on: &Locus, name: &str, value: f64, at: Timestamp) -> Signal {
    gauge(on, name, SignalRole::Latency, value, "s", at)
}

/// Sets the state of a component.
pub fn set(look: &mut Observation, on: &Locus, state: ComponentState) {
    for component in look.components.iter_mut().filter(|one| Locus::Component(one.id.clone()) == *on) {
        component.state = state;
    }
    if state == ComponentState::Down {
        // Who does not answer measures nothing.
        let gone = |locus: &Locus| match (locus, on) {
            (Locus::Edge(from, _), Locus::Component(id)) => from == id,
            _ => locus == on,
        };
        look.signals.retain(|signal| !gone(&signal.on));
        for dependency in &mut look.dependencies {
            if Locus::Component(dependency.from.clone()) == *on {
                dependency.state = DependencyState::Unknown;
            }
        }
    }
}

/// Cuts a link.
pub fn cut(look: &mut Observation, link: &Locus) {
    for dependency in &mut look.dependencies {
        if Locus::Edge(dependency.from.clone(), dependency.to.clone()) == *link {
            dependency.state = DependencyState::Down;
        }
    }
    look.signals.retain(|signal| signal.on != *link);
}

/// Makes a signal larger by so much.
pub fn add(look: &mut Observation, on: &Locus, name: &str, by: f64) {
    for signal in look.signals.iter_mut().filter(|signal| signal.on == *on && signal.name == name) {
        signal.value += by;
    }
}

/// Names another start of a component.
pub fn started_again(look: &mut Observation, on: &Locus) {
    for component in look.components.iter_mut().filter(|one| Locus::Component(one.id.clone()) == *on) {
        component.labels = labels("2");
    }
}
