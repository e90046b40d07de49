//! The workshop as the operator meets it: what its status board says, in the protocol's words, and the commands it
//! takes.

use std::collections::BTreeMap;
use std::future::ready;
use std::time::Duration;

use super::actions::{COUNT, OLDEST_JOBS, PER_SECOND, SET_DISPATCH_RATE, actions, probes};
use super::factory::KIND;
use super::status::{Refused, SettingChange, Status, WorkerStatus};
use super::workshop::Workshop;
use crate::{
    ActionDefinition, ActionRequest, BoxFuture, Change, Component, ComponentState, Dependency, DependencyState,
    Descriptor, Effect, Event, EventId, EventKind, ExecutionToken, Guard, Holds, Id, Locus, Observation,
    PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, Receipt, START_COMPONENT, Sent, Signal, SignalKind,
    SignalRole, Subject, Timestamp, Unavailable, Worse,
};

const BOARD: &str = "status board";

pub(super) struct WorkshopSubject {
    name: String,
    /// The declared workers, listed even when nothing answers.
    workers: Vec<String>,
    workshop: Workshop,
}

/// A request that fits its action's definition.
enum Command<'a> {
    Start { worker: &'a str },
    SetRate { per_second: u32 },
}

impl WorkshopSubject {
    pub(super) fn new(name: String, workers: Vec<String>, workshop: Workshop) -> Self {
        Self { name, workers, workshop }
    }

    fn id(&self, local: &str) -> Id {
        Id::new(&*self.name, local)
    }

    fn component(&self, local: &str, kind: &str, state: ComponentState, raw_state: &str) -> Component {
        Component {
            id: self.id(local),
            kind: kind.to_owned(),
            address: None,
            state,
            raw_state: raw_state.to_owned(),
            version: None,
            labels: BTreeMap::new(),
        }
    }

    fn dependency(&self, to: &str, kind: &str, state: DependencyState) -> Dependency {
        Dependency { from: self.id("dispatcher"), to: self.id(to), kind: kind.to_owned(), state }
    }

    /// Nothing answers: everything that should be there is listed, and nothing is known of it.
    fn unseen(&self, at: Timestamp, why: &str) -> Observation {
        let unknown = |local, kind| self.component(local, kind, ComponentState::Unknown, "unreadable");
        let hands = |worker: &String| self.dependency(worker, "hands to", DependencyState::Unknown);
        let mut seen = Observation::new(at);
        seen.components = vec![unknown("queue", "queue"), unknown("dispatcher", "dispatcher")];
        seen.components.extend(self.workers.iter().map(|worker| unknown(worker, "worker")));
        seen.dependencies = vec![self.dependency("queue", "takes from", DependencyState::Unknown)];
        seen.dependencies.extend(self.workers.iter().map(hands));
        seen.unavailable = vec![Unavailable::new(BOARD, why)];
        seen
    }

    fn seen(&self, at: Timestamp, status: &Status) -> Observation {
        let mut seen = Observation::new(at);
        let count = SignalKind::Counter { since: status.opened };
        let queue = Locus::Component(self.id("queue"));
        let longest = status.waits.first().map_or(0.0, Duration::as_secs_f64);
        let mut signal = |on: &Locus, name: &str, role, value: f64, unit: &str, kind, worse| {
            let (name, unit) = (name.to_owned(), unit.to_owned());
            seen.signals.push(Signal { on: on.clone(), name, role, value, unit, observed_at: at, kind, worse });
        };
        signal(
            &queue,
            "backlog",
            SignalRole::Saturation,
            status.backlog as f64,
            "jobs",
            SignalKind::Gauge,
            Worse::Higher,
        );
        signal(&queue, "oldest_wait", SignalRole::Latency, longest, "s", SignalKind::Gauge, Worse::Higher);
        signal(&queue, "arrived_total", SignalRole::Traffic, status.arrived as f64, "1", count, Worse::Neither);
        for worker in &status.workers {
            let on = Locus::Component(self.id(&worker.name));
            let edge = Locus::Edge(self.id("dispatcher"), self.id(&worker.name));
            let since = SignalKind::Counter { since: worker.started };
            signal(&on, "finished_total", SignalRole::Traffic, worker.finished as f64, "1", since, Worse::Lower);
            signal(&edge, "handed_total", SignalRole::Traffic, worker.handed as f64, "1", count, Worse::Neither);
        }
        seen.components = vec![
            self.component("queue", "queue", ComponentState::Up, "open"),
            self.component("dispatcher", "dispatcher", ComponentState::Up, "on duty"),
        ];
        seen.dependencies = vec![self.dependency("queue", "takes from", DependencyState::Up)];
        for worker in &status.workers {
            let (state, raw, link) = match worker.running {
                true => (ComponentState::Up, "running", DependencyState::Up),
                false => (ComponentState::Down, "stopped", DependencyState::Down),
            };
            let mut component = self.component(&worker.name, "worker", state, raw);
            component.labels.insert("incarnation".to_owned(), incarnation(worker));
            seen.components.push(component);
            seen.dependencies.push(self.dependency(&worker.name, "hands to", link));
        }
        let event = |change: &SettingChange| Event {
            id: EventId::new(&*self.name, format!("dispatch-rate-{}", change.number)),
            at: change.at,
            on: Locus::Component(self.id("dispatcher")),
            kind: EventKind::ConfigChange,
            change: Some(Change {
                field: "dispatch_rate".to_owned(),
                before: change.before.into(),
                after: change.after.into(),
            }),
            message: format!("dispatch rate {} → {} jobs/s", change.before, change.after),
        };
        seen.events = status.changes.iter().map(event).collect();
        seen.details.insert("dispatch_rate".to_owned(), status.dispatch_rate.into());
        seen
    }

    /// Checks a request as if nobody had checked it before.
    fn command<'a>(&self, request: &'a ActionRequest) -> Result<Command<'a>, String> {
        let definition = actions().into_iter().find(|definition| definition.name == request.action);
        let definition = definition.ok_or_else(|| format!("no action {:?}", request.action))?;
        definition.validate(&request.params).map_err(|error| error.to_string())?;
        match (&*request.action, &request.target) {
            (START_COMPONENT, Locus::Component(id)) if id.subject == self.name && self.workers.contains(&id.local) => {
                Ok(Command::Start { worker: &id.local })
            }
            (SET_DISPATCH_RATE, Locus::Component(id)) if *id == self.id("dispatcher") => {
                let per_second = request.params.get(PER_SECOND).and_then(|value| u32::try_from(value.as_u64()?).ok());
                per_second.map(|per_second| Command::SetRate { per_second }).ok_or_else(|| PER_SECOND.to_owned())
            }
            (_, target) => Err(format!("target: {} cannot be aimed at {target}", request.action)),
        }
    }

    fn guard_now(&self, request: &ActionRequest, at: Timestamp) -> Guard {
        let mut guard = Guard { holds: Holds::Yes, incarnation: None, facts: BTreeMap::new(), as_of: at };
        guard.holds = match (self.command(request), self.workshop.look()) {
            (Err(why), _) => Holds::No(why),
            (_, Err(unplugged)) => Holds::Unknown(Unavailable::new(BOARD, unplugged.to_string())),
            (Ok(Command::Start { worker }), Ok(status)) => match find(&status, worker) {
                Some(worker) => {
                    guard.incarnation = Some(incarnation(worker));
                    if worker.running { Holds::No(format!("{} runs", worker.name)) } else { Holds::Yes }
                }
                None => Holds::No(format!("the board lists no {worker}")),
            },
            (Ok(Command::SetRate { .. }), Ok(status)) => {
                guard.facts.insert("dispatch_rate".to_owned(), status.dispatch_rate.into());
                Holds::Yes
            }
        };
        guard
    }

    fn send(&self, request: &ActionRequest, guard: &Guard, attempt: u32) -> Sent {
        let (outcome, done) = match self.command(request) {
            Err(why) => return Sent::NotSent(why),
            Ok(Command::Start { worker }) => {
                let starts = guard.incarnation.as_deref().and_then(|text| text.strip_prefix("start-")?.parse().ok());
                let Some(starts) = starts else { return Sent::NotSent("the guard names no incarnation".to_owned()) };
                (self.workshop.start_worker(worker, starts), format!("started {worker}"))
            }
            Ok(Command::SetRate { per_second }) => {
                let before = guard.facts.get("dispatch_rate").and_then(|value| u32::try_from(value.as_u64()?).ok());
                let Some(before) = before else { return Sent::NotSent("the guard names no rate".to_owned()) };
                let done = format!("dispatch rate {before} → {per_second} jobs/s");
                (self.workshop.change_dispatch_rate(before, per_second), done)
            }
        };
        match outcome {
            Ok(()) => Sent::Done(Receipt::new(done)),
            Err(Refused::Unplugged) => Sent::NotSent("the workshop does not answer".to_owned()),
            // It may be what an earlier attempt did that stands in the way.
            Err(Refused::Precondition(why)) if attempt > 1 => Sent::Unknown(why),
            Err(Refused::Precondition(why)) => Sent::NoEffect(why),
        }
    }

    fn effect_now(&self, request: &ActionRequest) -> Effect {
        let happened = match (self.command(request), self.workshop.look()) {
            (Err(_), _) => false,
            (_, Err(unplugged)) => return Effect::Unknown(Unavailable::new(BOARD, unplugged.to_string())),
            (Ok(Command::Start { worker }), Ok(status)) => find(&status, worker).is_some_and(|worker| worker.running),
            (Ok(Command::SetRate { per_second }), Ok(status)) => status.dispatch_rate == per_second,
        };
        if happened { Effect::Happened(Receipt::new("the board shows it")) } else { Effect::Absent }
    }

    fn answer(&self, request: &ProbeRequest) -> Result<crate::Value, Unavailable> {
        let refuse = |why: String| Unavailable::new(format!("probe {}", request.probe), why);
        let definition = probes().into_iter().find(|definition| definition.name == request.probe);
        let definition = definition.ok_or_else(|| refuse(format!("there is only {OLDEST_JOBS}")))?;
        definition.validate(&request.params).map_err(|error| refuse(error.to_string()))?;
        let count = request.params.get(COUNT).or(definition.params[0].default.as_ref()).and_then(crate::Value::as_u64);
        let status = self.workshop.look().map_err(|unplugged| refuse(unplugged.to_string()))?;
        let count = usize::try_from(count.unwrap_or(0)).unwrap_or(0);
        Ok(status.waits.iter().take(count).map(Duration::as_secs_f64).collect::<Vec<_>>().into())
    }
}

impl Subject for WorkshopSubject {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: self.name.clone(),
            kind: KIND.to_owned(),
            description: "a workshop in memory: a queue, a dispatcher and workers".to_owned(),
            destinations: Vec::new(),
            observe_deadline: Duration::from_secs(1),
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        self.workshop.step(at);
        Box::pin(ready(match self.workshop.look() {
            Ok(status) => self.seen(at, &status),
            Err(unplugged) => self.unseen(at, &unplugged.to_string()),
        }))
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        actions()
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(ready(self.guard_now(request, at)))
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(ready(self.send(request, guard, token.attempt())))
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, _at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(ready(self.effect_now(request)))
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        probes()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(ready(ProbeAnswer { as_of: at, answer: self.answer(request) }))
    }
}

fn find<'a>(status: &'a Status, name: &str) -> Option<&'a WorkerStatus> {
    status.workers.iter().find(|worker| worker.name == name)
}

fn incarnation(worker: &WorkerStatus) -> String {
    format!("start-{}", worker.starts)
}
