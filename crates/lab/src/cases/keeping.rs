//! A diagnoser that keeps what another one is given.

use std::sync::{Arc, Mutex, PoisonError};

use operator_protocols::{ActionDefinition, BoxFuture};
use operator_reasoner::{Answer, DiagnoseError, Diagnoser, Diagnosis, EvidencePack, Inquiry};

use super::StoredLooks;

/// What was given, and what was answered.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The evidence.
    pub pack: EvidencePack,
    /// What the subject offered to do.
    pub actions: Vec<ActionDefinition>,
    /// What could be looked at beyond the evidence.
    pub looks: StoredLooks,
    /// What was answered.
    pub diagnosis: Diagnosis,
}

/// Asks another diagnoser, in its name, and keeps every inquiry that was answered.
pub struct Keeping {
    inner: Arc<dyn Diagnoser>,
    kept: Mutex<Vec<Kept>>,
}

impl Keeping {
    /// Keeps what `inner` is given.
    pub fn new(inner: Arc<dyn Diagnoser>) -> Self {
        Self { inner, kept: Mutex::new(Vec::new()) }
    }

    /// What was kept since this was asked last, oldest first.
    pub fn take(&self) -> Vec<Kept> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Diagnoser for Keeping {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn diagnose<'a>(&'a self, inquiry: Inquiry<'a>) -> BoxFuture<'a, Result<Answer, DiagnoseError>> {
        Box::pin(async move {
            let answer = self.inner.diagnose(inquiry).await?;
            let kept = Kept {
                pack: inquiry.pack.clone(),
                actions: inquiry.actions.to_vec(),
                looks: StoredLooks::take(&inquiry).await,
                diagnosis: answer.diagnosis.clone(),
            };
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
            Ok(answer)
        })
    }
}
