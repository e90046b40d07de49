//! The shop as the operator meets it.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::actions::{LANE, OLDEST_JOBS, actions, probes};
use super::commands::Refused;
use super::factory::KIND;
use super::handle::Shop;
use super::lanes::LANES;
use super::node::{ORDERS, QUEUE};
use super::request::Command;
use super::view;
use crate::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, ExecutionToken, Guard, Holds, Observation,
    PROTOCOL_VERSION, ProbeAnswer, ProbeDefinition, ProbeRequest, Receipt, Sent, Subject, Timestamp, Unavailable,
    Value,
};

/// Under which name a guard carries how things were.
const STATE: &str = "state";
const UNPLUGGED: &str = "nothing answers";
const UNREADABLE: &str = "its status page does not answer";

pub(super) struct ShopSubject {
    name: String,
    shop: Shop,
    /// The last line of the logs that was read.
    read: AtomicU64,
}

impl ShopSubject {
    pub(super) fn new(name: String, shop: Shop) -> Self {
        Self { name, shop, read: AtomicU64::new(0) }
    }

    fn guard_now(&self, request: &ActionRequest, at: Timestamp) -> Guard {
        let mut guard = Guard { holds: Holds::Yes, incarnation: None, facts: BTreeMap::new(), as_of: at };
        let command = match Command::read(&self.name, request) {
            Ok(command) => command,
            Err(why) => return Guard { holds: Holds::No(why), ..guard },
        };
        match self.shop.expected(&command) {
            Err(Refused::Unplugged) => guard.holds = Holds::Unknown(Unavailable::new("the shop", UNPLUGGED)),
            Err(Refused::Unreadable(what)) => guard.holds = Holds::Unknown(Unavailable::new(what, UNREADABLE)),
            Err(Refused::Precondition(why)) => guard.holds = Holds::No(why),
            Ok(expected) => {
                if matches!(command, Command::Start(_) | Command::Restart(_)) {
                    guard.incarnation = Some(expected.state);
                } else {
                    guard.facts.insert(STATE.to_owned(), expected.state.into());
                }
                if let Some(why) = expected.against {
                    guard.holds = Holds::No(why);
                }
            }
        }
        guard
    }

    fn send(&self, request: &ActionRequest, guard: &Guard, attempt: u32) -> Sent {
        let command = match Command::read(&self.name, request) {
            Ok(command) => command,
            Err(why) => return Sent::NotSent(why),
        };
        let state = guard.incarnation.as_deref().or_else(|| guard.facts.get(STATE).and_then(Value::as_str));
        let Some(state) = state else { return Sent::NotSent("the guard does not say how it was".to_owned()) };
        match self.shop.obey(&command, state) {
            Ok(()) => Sent::Done(Receipt::new(format!("{} at {}", request.action, request.target))),
            Err(Refused::Unplugged) => Sent::NotSent(UNPLUGGED.to_owned()),
            Err(Refused::Unreadable(what)) => Sent::NotSent(format!("{what}: {UNREADABLE}")),
            // It may be what an earlier attempt did that stands in the way.
            Err(Refused::Precondition(why)) if attempt > 1 => Sent::Unknown(why),
            Err(Refused::Precondition(why)) => Sent::NoEffect(why),
        }
    }

    fn effect_now(&self, request: &ActionRequest) -> Effect {
        let Ok(command) = Command::read(&self.name, request) else { return Effect::Absent };
        match self.shop.is_done(&command) {
            Ok(true) => Effect::Happened(Receipt::new("it is so")),
            Ok(false) => Effect::Absent,
            Err(Refused::Unreadable(what)) => Effect::Unknown(Unavailable::new(what, UNREADABLE)),
            Err(_) => Effect::Unknown(Unavailable::new("the shop", UNPLUGGED)),
        }
    }

    fn answer(&self, request: &ProbeRequest) -> Result<Value, Unavailable> {
        let refuse = |why: String| Unavailable::new(format!("probe {}", request.probe), why);
        let definition = probes().into_iter().find(|definition| definition.name == request.probe);
        let definition = definition.ok_or_else(|| refuse(format!("there is only {OLDEST_JOBS}")))?;
        definition.validate(&request.params).map_err(|error| refuse(error.to_string()))?;
        let lane = request.params.get(LANE).or(definition.params[0].default.as_ref()).and_then(Value::as_str);
        let lane = LANES.iter().position(|known| Some(*known) == lane).unwrap_or_default();
        let model = self.shop.lock();
        if !model.plugged_in || !model.nodes[QUEUE].running {
            return Err(refuse("the queue does not answer".to_owned()));
        }
        let now = model.now + model.nodes[QUEUE].clock_ahead;
        let job = |job: &super::lanes::Job| {
            let by = job.producer.and_then(|replica| ORDERS.get(replica)).copied().unwrap_or("nobody known");
            Value::map([("waited_s", Value::from((now - job.put_at) as f64 / 1e6)), ("put_by", by.into())])
        };
        Ok(model.lanes.waiting[lane].iter().take(10).map(job).collect::<Vec<_>>().into())
    }
}

impl Subject for ShopSubject {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            protocol_version: PROTOCOL_VERSION,
            subject: self.name.clone(),
            kind: KIND.to_owned(),
            description: "a simulated web shop: fronts, orders, packers, a queue and a catalog".to_owned(),
            destinations: Vec::new(),
            observe_deadline: Duration::from_secs(5),
        }
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        self.shop.step(at);
        let read = self.read.load(Ordering::Relaxed);
        let (seen, last) = view::observe(&self.name, &self.shop.lock(), at, read);
        self.read.store(last, Ordering::Relaxed);
        Box::pin(ready(seen))
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
