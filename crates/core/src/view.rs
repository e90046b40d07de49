//! What a screen, a transcript or an API shows of one subject: published after every cycle.

use std::collections::BTreeMap;
use std::sync::Arc;

use operator_protocols::{Descriptor, Evaluation, InvariantDefinition, Observation, Timestamp};
use operator_reasoner::{Deliberation, Diagnosis};
use serde::Serialize;

use crate::policy::Autonomy;
use crate::{Execution, Incident, Ticket, Verification, Violation};

/// One subject as the loop sees it after a cycle.
#[derive(Debug, Clone, Serialize)]
pub struct SubjectView {
    /// Who it is.
    pub descriptor: Descriptor,
    /// How many cycles there were.
    pub cycle: u64,
    /// When the last one began.
    pub at: Timestamp,
    /// What was seen last.
    #[serde(serialize_with = "shared")]
    pub observation: Option<Arc<Observation>>,
    /// What must hold.
    pub invariants: Vec<InvariantDefinition>,
    /// How each was judged last.
    pub evaluations: Vec<Evaluation>,
    /// Violations under way, pending ones included.
    pub violations: Vec<Violation>,
    /// Tickets that are not resolved, and the lately resolved, in the order they were opened.
    pub tickets: Vec<Ticket>,
    /// Their incidents.
    pub incidents: Vec<Incident>,
    /// The latest diagnosis of each incident.
    pub diagnoses: BTreeMap<String, Diagnosis>,
    /// How the latest answer about an incident was reached, where a model took part. Without the bodies of its calls:
    /// those are in the store and the audit.
    pub deliberations: BTreeMap<String, Deliberation>,
    /// Their executions, in the order they were proposed.
    pub executions: Vec<Execution>,
    /// The latest verification of each execution.
    pub verifications: BTreeMap<String, Verification>,
    /// The least that is done without asking, and the most: the autonomy for low, medium and high risk.
    pub autonomy: [Autonomy; 3],
    /// Whether the kill switch stops actions here.
    pub killed: bool,
    /// What keeps the loop from working as it should, if anything: a store that fails, an observation that hangs.
    pub trouble: Vec<String>,
}

fn shared<S: serde::Serializer>(observation: &Option<Arc<Observation>>, serializer: S) -> Result<S::Ok, S::Error> {
    observation.as_deref().serialize(serializer)
}
