//! An event with the subject it happened to: ids name their subject, but not every event has one.

use operator_core::AuditEvent;

/// What happened, and to which subject.
#[derive(Debug, Clone)]
pub struct Told {
    /// The subject; none where it concerns all, as a kill switch does.
    pub subject: Option<String>,
    /// What happened.
    pub event: AuditEvent,
}
