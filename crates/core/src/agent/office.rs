//! Where an agent finds its cases and hands its answers in.

use std::sync::Arc;

use operator_protocols::BoxFuture;
use operator_reasoner::{Answer, Investigation};

use super::{CaseFile, CaseSummary};
use crate::CommandError;

/// Where an agent finds its cases and hands its answers in. Everything but handing in changes nothing.
pub trait Office: Send + Sync {
    /// The incidents that wait for an answer.
    fn open_cases(&self) -> BoxFuture<'_, Result<Vec<CaseSummary>, CommandError>>;

    /// One of them, by its whole id or the part after the subject's name (`I1`). Also one that was answered already.
    fn case<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<CaseFile, CommandError>>;

    /// Looks beyond the case: at what is remembered, and at the subject through its probes.
    fn look(&self, case: &CaseFile) -> Arc<dyn Investigation>;

    /// Hands an answer in. Gives what became of it.
    fn submit<'a>(
        &'a self,
        incident: &'a str,
        question: &'a str,
        answer: Answer,
    ) -> BoxFuture<'a, Result<String, CommandError>>;

    /// Returns when there may be something new to do; at the latest after a while.
    fn wait(&self) -> BoxFuture<'_, ()>;
}
