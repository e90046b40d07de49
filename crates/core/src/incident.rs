//! Tickets that have one story: they began within one window on loci that depend on each other. An incident gets one
//! diagnosis, not one a ticket.

use operator_protocols::Timestamp;
use serde::{Deserialize, Serialize};

/// Tickets that have one story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id, `SUBJECT-I1`.
    pub id: String,
    /// The subject instance.
    pub subject: String,
    /// When its first ticket was opened.
    pub opened_at: Timestamp,
    /// When its last ticket was resolved.
    pub closed_at: Option<Timestamp>,
    /// Its tickets, in the order they were opened.
    pub tickets: Vec<String>,
    /// The latest diagnosis, by id.
    pub diagnosis: Option<String>,
    /// How many diagnoses running named the same cause.
    pub confirmations: u32,
    /// The actions tried so far, in order: `action@target`. The same is never tried twice in a row.
    pub tried: Vec<String>,
}
