//! One incident as it is put to a diagnoser.

use operator_protocols::{ActionDefinition, ProbeDefinition, Severity, Timestamp};
use operator_reasoner::{Diagnosis, EvidencePack};
use serde::{Deserialize, Serialize};

/// An incident that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseSummary {
    /// The subject instance.
    pub subject: String,
    /// The incident.
    pub incident: String,
    /// How grave its gravest ticket is.
    pub severity: Severity,
    /// When its first ticket was opened.
    pub opened_at: Timestamp,
    /// Names exactly what is asked about: SHA-256 of the evidence and of the reasoner's explanation, hexadecimal.
    pub question: String,
}

/// One incident with everything that a diagnoser is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFile {
    /// Names exactly what is asked about; an answer names it again.
    pub question: String,
    /// Whether an answer to it is still waited for. One that came late is taken all the same, while nothing has moved.
    pub open: bool,
    /// Everything that bears on it.
    pub pack: EvidencePack,
    /// What the subject offers to do.
    pub actions: Vec<ActionDefinition>,
    /// What the subject can be asked.
    pub probes: Vec<ProbeDefinition>,
    /// What the embedded reasoner makes of the same evidence.
    pub reasoned: Diagnosis,
}
