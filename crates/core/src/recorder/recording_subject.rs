//! The real subject, with every answer recorded.

use std::sync::Arc;

use operator_protocols::{
    ActionDefinition, ActionRequest, BoxFuture, Descriptor, Effect, ExecutionToken, Guard, Observation, ProbeAnswer,
    ProbeDefinition, ProbeRequest, Sent, Subject, Timestamp, Unavailable,
};

use crate::recorder::wire_form::WireForm;
use crate::recorder::{Call, Record, Recorder};

/// The real subject, with every answer recorded, in the order in which they came.
///
/// Answers are passed on as they will read back: a reading that is not finite is moved to what is unavailable. A call
/// that the loop stops waiting for is recorded as abandoned.
pub struct RecordingSubject {
    inner: Arc<dyn Subject>,
    recorder: Arc<Recorder>,
}

impl RecordingSubject {
    /// `inner`, recorded by `recorder`.
    pub fn new(inner: impl Into<Arc<dyn Subject>>, recorder: Arc<Recorder>) -> Self {
        Self { inner: inner.into(), recorder }
    }

    fn asking(&self, call: Call) -> Asking<'_> {
        Asking { recorder: &self.recorder, call: Some(call) }
    }
}

/// A call under way: dropped before it is answered, it is recorded as abandoned.
struct Asking<'a> {
    recorder: &'a Recorder,
    call: Option<Call>,
}

impl Asking<'_> {
    fn answered(mut self, record: &Record) {
        self.call = None;
        self.recorder.append(record);
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.recorder.append(&Record::Abandoned { call });
        }
    }
}

impl Subject for RecordingSubject {
    fn descriptor(&self) -> Descriptor {
        self.inner.descriptor()
    }

    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation> {
        Box::pin(async move {
            let asking = self.asking(Call::Observe { at });
            let mut observation = self.inner.observe(at).await;
            observation.settle();
            asking.answered(&Record::Observation { at, observation: observation.clone() });
            observation
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        self.inner.actions()
    }

    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard> {
        Box::pin(async move {
            let asking = self.asking(Call::Guard { at, request: request.clone() });
            let mut guard = self.inner.guard(request, at).await;
            guard.settle();
            asking.answered(&Record::Guard { at, request: request.clone(), guard: guard.clone() });
            guard
        })
    }

    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent> {
        Box::pin(async move {
            let attempt = token.attempt();
            let asking = self.asking(Call::Execute { request: request.clone(), attempt });
            let mut sent = self.inner.execute(request, guard, token).await;
            sent.settle();
            asking.answered(&Record::Sent { request: request.clone(), attempt, sent: sent.clone() });
            sent
        })
    }

    fn effect<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Effect> {
        Box::pin(async move {
            let asking = self.asking(Call::Effect { at, request: request.clone() });
            let mut effect = self.inner.effect(request, at).await;
            effect.settle();
            asking.answered(&Record::Effect { at, request: request.clone(), effect: effect.clone() });
            effect
        })
    }

    fn probes(&self) -> Vec<ProbeDefinition> {
        self.inner.probes()
    }

    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer> {
        Box::pin(async move {
            let asking = self.asking(Call::Probe { at, request: request.clone() });
            let mut answer = self.inner.probe(request, at).await;
            answer.settle();
            asking.answered(&Record::Probe { at, request: request.clone(), answer: answer.clone() });
            answer
        })
    }

    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        Box::pin(async move {
            let asking = self.asking(Call::History { from, to });
            let mut answer = self.inner.history(from, to).await;
            if let Ok(observations) = &mut answer {
                observations.iter_mut().for_each(WireForm::settle);
            }
            asking.answered(&Record::History { from, to, answer: answer.clone() });
            answer
        })
    }
}
