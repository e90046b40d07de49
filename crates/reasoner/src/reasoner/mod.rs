//! The embedded diagnoser: differential diagnosis over an evidence pack, without knowing the system.
//!
//! [`case`] indexes the pack, [`symptom`] says what asks for an explanation, [`rules`] holds the causes that are
//! considered, [`ranking`] weighs them and decides or abstains, [`report`] says it.

mod accounts;
pub(crate) mod case;
mod links;
mod load;
mod own;
mod ranking;
mod reach;
mod report;
pub(crate) mod rules;
mod symptom;
mod terms;
mod wording;

use operator_protocols::{ActionDefinition, BoxFuture};

use self::case::Case;
use crate::{DiagnoseError, Diagnoser, Diagnosis, EvidencePack};

/// The name under which the reasoner's diagnoses are recorded.
const NAME: &str = "reasoner";

/// The embedded diagnoser. It needs no key and no network, and its answer is a pure function of the evidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reasoner {}

impl Reasoner {
    /// The reasoner with its one frozen parameter set.
    pub fn new() -> Self {
        Self {}
    }

    /// Explains an incident. `actions` are those the subject offers; only they are recommended.
    pub fn explain(&self, pack: &EvidencePack, actions: &[ActionDefinition]) -> Diagnosis {
        let case = Case::of(pack);
        let ranking = ranking::rank(&case);
        report::report(&case, &ranking, actions)
    }
}

impl Diagnoser for Reasoner {
    fn name(&self) -> &str {
        NAME
    }

    fn diagnose<'a>(
        &'a self,
        pack: &'a EvidencePack,
        actions: &'a [ActionDefinition],
    ) -> BoxFuture<'a, Result<Diagnosis, DiagnoseError>> {
        Box::pin(std::future::ready(Ok(self.explain(pack, actions))))
    }
}
