//! What a model answered, kept and played again: the same inquiry and the same replies give the same answer, without a
//! call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use operator_protocols::BoxFuture;

use crate::canonical;
use crate::provider::{Failure, Provider, ProviderError, Reply, Request};

/// What came of one call.
type Heard = Result<Reply, Failure>;

/// The replies to requests, by the SHA-256 of the request and the model; those to equal requests in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    replies: BTreeMap<String, VecDeque<Heard>>,
}

impl Recording {
    /// How many calls are in it.
    pub fn len(&self) -> usize {
        self.replies.values().map(VecDeque::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A provider that keeps what another one answers.
pub struct RecordingProvider<P> {
    inner: P,
    recording: Mutex<Recording>,
}

impl<P: Provider> RecordingProvider<P> {
    /// Keeps what `inner` answers.
    pub fn new(inner: P) -> Self {
        Self { inner, recording: Mutex::default() }
    }

    /// What was kept so far.
    pub fn recording(&self) -> Recording {
        lock(&self.recording).clone()
    }
}

impl<P: Provider> Provider for RecordingProvider<P> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn uses_tools(&self) -> bool {
        self.inner.uses_tools()
    }

    fn send<'a>(
        &'a self,
        request: &'a Request,
        time_limit: Duration,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Heard> {
        Box::pin(async move {
            let reply = self.inner.send(request, time_limit, heard).await;
            let key = canonical::key(self.model(), request);
            lock(&self.recording).replies.entry(key).or_default().push_back(reply.clone());
            reply
        })
    }
}

/// A provider that plays a recording and calls nobody.
pub struct RecordedProvider {
    name: String,
    model: String,
    uses_tools: bool,
    recording: Mutex<Recording>,
}

impl RecordedProvider {
    /// Plays `recording` in the place of the provider `name` with `model`.
    pub fn new(name: impl Into<String>, model: impl Into<String>, uses_tools: bool, recording: Recording) -> Self {
        Self { name: name.into(), model: model.into(), uses_tools, recording: Mutex::new(recording) }
    }

    /// How many replies were not asked for.
    pub fn left(&self) -> usize {
        lock(&self.recording).len()
    }
}

impl Provider for RecordedProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn uses_tools(&self) -> bool {
        self.uses_tools
    }

    fn send<'a>(
        &'a self,
        request: &'a Request,
        _time_limit: Duration,
        _heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Heard> {
        let key = canonical::key(&self.model, request);
        let reply = lock(&self.recording).replies.get_mut(&key).and_then(VecDeque::pop_front);
        let reply =
            reply.unwrap_or_else(|| Err(ProviderError::Lost { why: format!("no reply is recorded for {key}") }.into()));
        Box::pin(std::future::ready(reply))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
