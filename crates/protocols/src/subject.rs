//! One running system, as the operator meets it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::{
    ActionDefinition, ActionRequest, Effect, ExecutionToken, Guard, Observation, ProbeAnswer, ProbeDefinition,
    ProbeRequest, Sent, Timestamp, Unavailable,
};

/// A future of the standard library, boxed: the protocol needs no runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The version of this protocol, written into every recording.
pub const PROTOCOL_VERSION: u32 = 1;

/// One running system. Reading must work on a dead one: what could not be read is said in the answer.
///
/// `at` is the operator's present, handed in so that a recording replays with its own time.
pub trait Subject: Send + Sync {
    /// Who this is.
    fn descriptor(&self) -> Descriptor;

    /// Looks at everything, once. Bounded in time and size; never fails as a whole, never writes to the system.
    fn observe(&self, at: Timestamp) -> BoxFuture<'_, Observation>;

    /// What can be done to it.
    fn actions(&self) -> Vec<ActionDefinition>;

    /// Reads the live facts that an action relies on. Never writes to the system.
    fn guard<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Guard>;

    /// Carries out a claimed action, at most once for each call: no retry by itself, no redirect followed.
    fn execute<'a>(
        &'a self,
        request: &'a ActionRequest,
        guard: &'a Guard,
        token: &'a ExecutionToken,
    ) -> BoxFuture<'a, Sent>;

    /// Whether an action's effect is there. Never writes to the system.
    fn effect<'a>(&'a self, request: &'a ActionRequest, at: Timestamp) -> BoxFuture<'a, Effect>;

    /// The questions it answers.
    fn probes(&self) -> Vec<ProbeDefinition>;

    /// Answers one. Never writes to the system.
    fn probe<'a>(&'a self, request: &'a ProbeRequest, at: Timestamp) -> BoxFuture<'a, ProbeAnswer>;

    /// Signals of the past, so that an operator started a minute ago still has a baseline. Oldest first; empty, if the
    /// subject keeps none.
    fn history(&self, from: Timestamp, to: Timestamp) -> BoxFuture<'_, Result<Vec<Observation>, Unavailable>> {
        let _ = (from, to);
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// Who a subject is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Descriptor {
    /// The version of the protocol it speaks: [`PROTOCOL_VERSION`] as compiled in.
    pub protocol_version: u32,
    /// The instance, for example `prod-eu`.
    pub subject: String,
    /// The kind of system.
    pub kind: String,
    /// What it is, for people.
    pub description: String,
    /// The destinations it may talk to, for the egress list.
    pub destinations: Vec<String>,
    /// How long [`Subject::observe`] may take at most before the operator gives up on it.
    pub observe_deadline: Duration,
}
