//! What can act on processes: a local supervisor, a container engine, an init system. Implemented outside the subjects,
//! offered to them at construction. The two actions that need one are defined here, once for every subject.

use std::fmt;
use std::time::Duration;

use crate::{ActionClass, ActionDefinition, BoxFuture, FaultClass, Id, Remedy, Risk, TargetKind};

/// What can act on the processes of a subject's components.
///
/// It starts the *declared* specification, whatever a fault or a person did to the running process.
pub trait Driver: Send + Sync {
    /// Whether the component's process runs, and which start of it.
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>>;

    /// Starts it as declared, if it does not run and its last start was `last`: the incarnation that
    /// [`Driver::status`] gave, none if it was never started. One that runs is left alone, and its status returned. A
    /// repeat with the old `last` is refused once it was started, even if it has ended again, so it cannot start twice.
    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>>;

    /// Stops it.
    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>>;

    /// Stops it and starts it as declared, if it is still the start named `incarnation`. A repeat with the old
    /// incarnation is refused, so it cannot restart twice.
    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>>;
}

/// How a component's process is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProcessStatus {
    /// Whether it runs (a stopped or hung process runs).
    pub running: bool,
    /// Names this start of it, or the last one if it does not run: differs from every other start's. None if the
    /// driver never saw a start of it.
    pub incarnation: Option<String>,
    /// How it ended, if it did.
    pub exit: Option<String>,
}

/// Why a driver did not do what was asked. Except for [`DriverError::Unknown`], nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverError {
    /// The driver knows no such component.
    NoSuchComponent(String),
    /// The process is another start than the one named.
    Incarnation {
        /// The one that was named.
        expected: String,
        /// The one that runs, if any.
        actual: Option<String>,
    },
    /// The process does not run, and its last start is another than the one named: it was started since, and has ended
    /// again.
    StartedSince {
        /// The one that was named, if any.
        expected: Option<String>,
        /// The last one, if any is known.
        actual: Option<String>,
    },
    /// It refused or could not, and changed nothing.
    Refused(String),
    /// It may have been done or not.
    Unknown(String),
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchComponent(id) => write!(f, "the driver knows no component {id}"),
            Self::Incarnation { expected, actual: Some(actual) } => {
                write!(f, "the process is incarnation {actual}, not {expected}")
            }
            Self::Incarnation { expected, actual: None } => {
                write!(f, "no process runs, incarnation {expected} is gone")
            }
            Self::StartedSince { expected, actual } => {
                let name = |start: &Option<String>| start.clone().unwrap_or_else(|| "none".to_owned());
                write!(f, "the process does not run, and its last start is {}, not {}", name(actual), name(expected))
            }
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Unknown(why) => write!(f, "outcome unknown: {why}"),
        }
    }
}

impl std::error::Error for DriverError {}

/// The name of [`start_component`].
pub const START_COMPONENT: &str = "start_component";
/// The name of [`restart_component`].
pub const RESTART_COMPONENT: &str = "restart_component";

/// Starting a component whose process does not run. `kinds` are the kinds of component it may be aimed at; none means
/// any. The subject's guard holds only while the process does not run, and carries the incarnation of its last start, so
/// that one intent starts it at most once: see [`Driver::start_if`].
pub fn start_component(kinds: &[&str], settle_time: Duration) -> ActionDefinition {
    ActionDefinition {
        name: START_COMPONENT.to_owned(),
        description: "Start the component's process as declared; it must not be running".to_owned(),
        params: Vec::new(),
        targets: vec![TargetKind::Component { kinds: kinds.iter().map(|&kind| kind.to_owned()).collect() }],
        risk: Risk::Low,
        class: ActionClass::Cas,
        reversible_by: None,
        remedies: vec![Remedy::cures(FaultClass::ComponentDown)],
        expected_effect: "the component answers again".to_owned(),
        settle_time,
        limits: None,
    }
}

/// Restarting a component whose process runs. `kinds` are the kinds of component it may be aimed at; none means any.
/// The subject's guard holds only while the process runs, and carries its incarnation.
pub fn restart_component(kinds: &[&str], settle_time: Duration) -> ActionDefinition {
    ActionDefinition {
        name: RESTART_COMPONENT.to_owned(),
        description: "Stop the component's process and start it as declared; it must be running".to_owned(),
        params: Vec::new(),
        targets: vec![TargetKind::Component { kinds: kinds.iter().map(|&kind| kind.to_owned()).collect() }],
        risk: Risk::Medium,
        class: ActionClass::Cas,
        reversible_by: None,
        remedies: vec![
            Remedy::cures(FaultClass::ComponentDown),
            Remedy::cures(FaultClass::ConfigDivergence),
            Remedy::cures(FaultClass::StateDivergence),
        ],
        expected_effect: "the component answers again, with its declared settings".to_owned(),
        settle_time,
        limits: None,
    }
}
