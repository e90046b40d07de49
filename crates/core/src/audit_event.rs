//! What is written into the audit chain: one row an event, in the transaction of the change it describes.

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Principal;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The loop, by itself.
    Operator,
    /// Somebody.
    Principal(Principal),
}

/// An event to be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What kind of event, dotted: `ticket.opened`, `action.claimed`.
    pub kind: String,
    /// The id of what it is about.
    pub reference: String,
    /// Everything else. Free of secrets.
    pub body: serde_json::Value,
}

impl AuditEvent {
    /// An event by the loop itself.
    pub fn by_operator(at: Timestamp, kind: &str, reference: impl Into<String>, body: serde_json::Value) -> Self {
        Self { at, actor: Actor::Operator, kind: kind.to_owned(), reference: reference.into(), body }
    }
}

/// An event as it stands in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// The event.
    pub event: AuditEvent,
    /// The hash of the row before it, hexadecimal; of the genesis for the first.
    pub prev: String,
    /// SHA-256(0x00 ‖ prev ‖ u64 seq big-endian ‖ canonical JSON of the event), hexadecimal.
    pub hash: String,
}
