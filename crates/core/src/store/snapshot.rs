//! What a loop that starts needs of what was before.

use std::collections::BTreeMap;

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

use operator_reasoner::Diagnosis;

use crate::engine::Question;
use crate::{Execution, Incident, Mark, PastCase, Ticket, Violation};

/// The right to write and act, fenced by an epoch that grows with every holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Grows by one with every holder.
    pub epoch: u64,
}

/// The last numbers given out within one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Tickets.
    pub tickets: u64,
    /// Incidents.
    pub incidents: u64,
    /// Diagnoses.
    pub diagnoses: u64,
    /// Intents.
    pub intents: u64,
}

/// Everything about one subject that is not over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last numbers given out.
    pub counters: Counters,
    /// Violations, pending ones included.
    pub violations: Vec<Violation>,
    /// Tickets that are not resolved, and those resolved within the last hour (they reopen when they come back).
    pub tickets: Vec<Ticket>,
    /// Incidents that are not closed, and those of the tickets above.
    pub incidents: Vec<Incident>,
    /// The latest diagnosis of each incident above, by its id.
    pub diagnoses: Vec<(String, Diagnosis)>,
    /// Executions that are not terminal, and those of the incidents above.
    pub executions: Vec<Execution>,
    /// What a running loop had asked of an agent. A store does not keep it: after a restart it is asked anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What a running loop compares incidents with. Not loaded with the rest: see
    /// [`Store::past_cases`](crate::store::Store::past_cases).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<PastCase>,
    /// When a running loop explained each incident last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub explained_at: BTreeMap<String, Timestamp>,
    /// What was said last of each incident above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}
