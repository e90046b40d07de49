//! A subject that answers as a recorded one did.

use std::future::{pending, ready};

use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, ExecutionToken, Guard, Holds, Observation,
    ProbeAnswer, ProbeDefinition, ProbeRequest, Sent, Subject, Timestamp, Unavailable,
};

use crate::recorder::tape::SharedTape;
use crate::recorder::{Call, Divergence, Header, Record};

/// A subject that answers each call with the next record. A call that is not the recorded one is a [`Divergence`]: it is
/// noted, answered as if nothing could be read and nothing sent, and the record stays for the call it belongs to.
///
/// A call that the recorded loop stopped waiting for is never answered: run such a replay on a runtime whose clock is
/// paused, and it takes no time.
#[derive(Debug)]
pub struct ReplaySubject {
    descriptor: Descriptor,
    actions: Vec<ActionDefinition>,
    probes: Vec<ProbeDefinition>,
    tape: SharedTape,
}

impl ReplaySubject {
    pub(super) fn new(header: &Header, tape: SharedTape) -> Self {
        let Header { descriptor, actions, probes, .. } = header.clone();
        Self { descriptor, actions, probes, tape }
    }

    /// Where the replayed loop went another way, the first hundred.
    pub fn divergences(&self) -> Vec<Divergence> {
        self.tape.lock().divergences().to_vec()
    }

    /// How often the replayed loop went another way.
    pub fn diverged(&self) -> usize {
        self.tape.lock().diverged()
    }

    fn answer<'a, T: Send + 'a>(
        &self,
        call: &Call,
        read: impl FnOnce(Record) -> Option<T>,
        safe: impl FnOnce(Unavailable) -> T,
    ) -> BoxFuture<'a, T> {
        let found = self.tape.lock().answer(call);
        match found {
            Some(Record::Abandoned { .. }) => Box::pin(pending()),
            found => Box::pin(ready(found.and_then(read).unwrap_or_else(|| safe(missing(call))))),
        }
    }
}

fn missing(call: &Call) -> Unavailable {
    Unavailable::new(call.to_string(), "the recording has no answer to it")
}

impl Subject for ReplaySubject {
    fn descriptor(&self) -> Descriptor {
        self.descriptor.clone()
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        let read = |record| if let Record::Observation { observation, .. } = record { Some(observation) } else { None };
        self.answer(&Call::Observe { at }, read, |unavailable| {
            let mut observation = Observation::new(at);
            observation.unavailable.push(unavailable);
            observation
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        self.actions.clone()
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        let read = |record| if let Record::Guard { guard, .. } = record { Some(guard) } else { None };
        self.answer(&Call::Guard { at, request: request.clone() }, read, |unavailable| Guard {
            holds: Holds::Unknown(unavailable),
            incarnation: None,
            facts: Default::default(),
            as_of: at,
        })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        _guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        let read = |record| if let Record::Sent { sent, .. } = record { Some(sent) } else { None };
        let call = Call::Execute { request: request.clone(), attempt: token.attempt() };
        self.answer(&call, read, |unavailable| Sent::NotSent(unavailable.to_string()))
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Effect> {
        let read = |record| if let Record::Effect { effect, .. } = record { Some(effect) } else { None };
        self.answer(&Call::Effect { at, request: request.clone() }, read, Effect::Unknown)
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        self.probes.clone()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        let read = |record| if let Record::Probe { answer, .. } = record { Some(answer) } else { None };
        let call = Call::Probe { at, request: request.clone() };
        self.answer(&call, read, |unavailable| ProbeAnswer { as_of: at, answer: Err(unavailable) })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        if let Some(past) = self.tape.lock().remembered() {
            return Box::pin(ready(Ok(past.iter().map(|observation| (**observation).clone()).collect())));
        }
        let read = |record| if let Record::History { answer, .. } = record { Some(answer) } else { None };
        self.answer(&Call::History { from, to }, read, Err)
    }
}
