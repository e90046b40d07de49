//! What one cycle changes, written in one transaction: SQLite with full synchrony pays for each commit, not each row.

use operator_protocols::Timestamp;
use operator_reasoner::{Deliberation, Diagnosis, EvidencePack};

use crate::store::Counters;
use crate::{AuditEvent, Execution, Incident, Mark, PastCase, Ticket, Verification, Violation};

/// What one cycle changes.
#[derive(Debug, Clone, Default)]
pub struct CycleCommit {
    /// The subject instance.
    pub subject: String,
    /// The last ids given out; the store keeps the greatest.
    pub counters: Counters,
    /// Violations that are new or changed, pending ones included; by fingerprint.
    pub violations: Vec<Violation>,
    /// Fingerprints of violations that are over.
    pub violations_over: Vec<String>,
    /// Tickets that are new or changed; by id.
    pub tickets: Vec<Ticket>,
    /// Incidents that are new or changed; by id.
    pub incidents: Vec<Incident>,
    /// New diagnoses, with their ids.
    pub diagnoses: Vec<(String, Diagnosis)>,
    /// The evidence that new diagnoses rest on, by their ids.
    pub evidence: Vec<(String, EvidencePack)>,
    /// How answers were reached, by the id of the diagnosis that stood then, and when.
    pub deliberations: Vec<(String, Timestamp, Deliberation)>,
    /// Incidents that ended, or of which something was said since; by incident.
    pub past: Vec<PastCase>,
    /// What people said of diagnoses.
    pub marks: Vec<Mark>,
    /// New executions (version 1) and changed ones (the version is one more than the stored one; else the whole commit
    /// is refused with [`StoreError::Conflict`](crate::store::StoreError::Conflict)). Never to `dispatched`: only
    /// [`Store::claim`](crate::store::Store::claim) does that. Never from a terminal state.
    pub executions: Vec<Execution>,
    /// New verifications.
    pub verifications: Vec<Verification>,
    /// Audit rows, in order.
    pub audit: Vec<AuditEvent>,
}

impl CycleCommit {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.violations.is_empty()
            && self.violations_over.is_empty()
            && self.tickets.is_empty()
            && self.incidents.is_empty()
            && self.diagnoses.is_empty()
            && self.evidence.is_empty()
            && self.deliberations.is_empty()
            && self.past.is_empty()
            && self.marks.is_empty()
            && self.executions.is_empty()
            && self.verifications.is_empty()
            && self.audit.is_empty()
    }
}
