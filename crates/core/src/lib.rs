//! The loop that watches a subject, explains what breaks, acts under a policy and verifies. It knows no system.
//!
//! The nouns, in the order in which one follows from the other (Observation, Evaluation and Diagnosis live in
//! `operator-protocols` and `operator-reasoner`): [`Violation`], [`Ticket`], [`Proposal`], [`Approval`],
//! [`Execution`], [`Verification`].

pub mod agent;
mod approval;
pub mod audit;
mod audit_event;
mod canonical;
mod clock;
mod command;
pub mod control;
pub mod engine;
mod execution;
mod incident;
mod mark;
mod past_case;
pub mod policy;
mod principal;
mod proposal;
pub mod recorder;
pub mod store;
mod ticket;
mod verification;
mod view;
mod violation;

pub use approval::{Approval, Decision};
pub use audit_event::{Actor, AuditEvent, AuditRow};
pub use canonical::{canonical_json, sha256_hex};
pub use clock::{ManualClock, SystemClock};
pub use command::{Command, CommandError};
pub use execution::{Attempt, Execution, ExecutionState};
pub use incident::Incident;
pub use mark::{Mark, MarkCounts, MarkReport, MarkVerdict};
pub use past_case::{PastCase, Signature};
pub use principal::{Identity, Principal, Role};
pub use proposal::{Proposal, RuleOutcome, RuleVerdict};
pub use ticket::{MetricSnapshot, Ticket, TicketState};
pub use verification::{Verification, VerificationOutcome};
pub use view::SubjectView;
pub use violation::Violation;
