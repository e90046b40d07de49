//! The vocabulary that a *subject* (one running system) and the operator share.
//!
//! A subject crate depends on this crate and on nothing else of the operator. Read in this order:
//!
//! 1. What is seen: [`Observation`] and its facets [`Component`], [`Dependency`], [`Signal`], [`Event`], [`LogLine`],
//!    with [`Unavailable`] for what could not be read, and [`Value`] for what only the subject understands.
//! 2. What a statement is about: [`Id`], [`Locus`].
//! 3. What must hold: [`InvariantDefinition`], judged by an [`InvariantChecker`] over a [`History`] into an
//!    [`Evaluation`] whose [`Verdict`] may carry a [`Finding`] with [`Discrepancy`]s.
//! 4. What can be done: [`ActionDefinition`] with its [`Remedy`]s for a [`FaultClass`]; an [`ActionRequest`] is sent
//!    under a [`Guard`] and an [`ExecutionToken`] and answered by [`Sent`] and later [`Effect`].
//! 5. Who does it: [`Subject`], and the [`Driver`] that acts on processes.
//!
//! The crate has no dependency; `serde` is behind a feature. So are the checks that a subject keeps its obligations
//! (`compliance`) and two examples of one (`example`): a tiny one to read, and a simulated shop to be broken and diagnosed.

mod action;
mod checker;
#[cfg(feature = "compliance")]
pub mod compliance;
mod component;
mod dependency;
mod driver;
mod evaluation;
mod event;
#[cfg(feature = "example")]
pub mod example;
mod execution;
mod fault_class;
mod finding;
mod history;
mod id;
mod invariant;
mod locus;
mod log_line;
mod observation;
mod probe;
mod registry;
#[cfg(feature = "example")]
pub mod shop;
mod signal;
mod subject;
mod time;
mod unavailable;
mod value;

pub use action::{
    ActionClass, ActionDefinition, ActionLimits, Does, ParamDefinition, ParamError, ParamKind, ParamSource, Remedy,
    RemedyOn, Risk, TargetKind,
};
pub use checker::InvariantChecker;
pub use component::{Component, ComponentState};
pub use dependency::{Dependency, DependencyState};
pub use driver::{
    Driver, DriverError, ProcessStatus, RESTART_COMPONENT, START_COMPONENT, restart_component, start_component,
};
pub use evaluation::{Evaluation, Verdict};
pub use event::{Change, Event, EventKind};
pub use execution::{ActionRequest, Effect, ExecutionToken, Guard, Holds, Receipt, Sent};
pub use fault_class::FaultClass;
pub use finding::{Discrepancy, DiscrepancyKind, Finding};
pub use history::History;
pub use id::{EntityRef, EventId, GroupId, Id};
pub use invariant::{InvariantDefinition, Severity};
pub use locus::{Locus, LocusParseError};
pub use log_line::{LogLevel, LogLine};
pub use observation::Observation;
pub use probe::{ProbeAnswer, ProbeDefinition, ProbeRequest};
pub use registry::{SubjectConfig, SubjectError, SubjectFactory};
pub use signal::{Signal, SignalKind, SignalRole, Worse};
pub use subject::{BoxFuture, Descriptor, PROTOCOL_VERSION, Subject};
pub use time::{Clock, Timestamp};
pub use unavailable::Unavailable;
pub use value::Value;
