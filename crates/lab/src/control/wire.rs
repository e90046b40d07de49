//! What is said over the control socket.

use operator_protocols::{DriverError, Id};
use serde::{Deserialize, Serialize};

use crate::environment::{FaultRequest, WorkloadSpec};

/// The longest line: a status with every process is some kilobytes.
pub(super) const MAX_LINE: u64 = 1 << 20;

/// One request, one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// How the environment is.
    Status,
    /// What the operator's configuration would say of it.
    SubjectConfig,
    /// What can be broken.
    Faults,
    /// Break something.
    Inject {
        /// What.
        fault: FaultRequest,
    },
    /// Take back everything that was broken.
    Clear,
    /// Put it under load.
    StartWorkload {
        /// Which.
        workload: WorkloadSpec,
    },
    /// End the load.
    StopWorkload,
    /// What the load met.
    WorkloadSamples,
    /// How a component's process is.
    ProcessStatus {
        /// The component.
        id: Id,
    },
    /// Start a component's process as declared, if it does not run and this was its last start.
    ProcessStartIf {
        /// The component.
        id: Id,
        /// Its last start, if there was one.
        last: Option<String>,
    },
    /// Stop a component's process.
    ProcessStop {
        /// The component.
        id: Id,
    },
    /// Restart a component's process, if it is this start of it.
    ProcessRestartIf {
        /// The component.
        id: Id,
        /// The start.
        incarnation: String,
    },
    /// End the environment.
    ShutDown,
}

/// One answer, one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer<T> {
    Ok(T),
    Error(Failure),
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What to tell a person.
    pub message: String,
    /// What it means to whoever asked through a driver, for requests about processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverFailure>,
}

/// [`DriverError`] on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DriverFailure {
    /// The driver knows no such component.
    NoSuchComponent {
        /// The component.
        id: String,
    },
    /// The process is another start than the one named.
    Incarnation {
        /// The one that was named.
        expected: String,
        /// The one that runs, if any.
        actual: Option<String>,
    },
    /// The process was started since the start that was named, and has ended again.
    StartedSince {
        /// The one that was named, if any.
        expected: Option<String>,
        /// The last one, if any is known.
        actual: Option<String>,
    },
    /// It refused or could not, and changed nothing.
    Refused {
        /// Why.
        why: String,
    },
    /// It may have been done or not.
    Unknown {
        /// Why.
        why: String,
    },
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        let message = error.to_string();
        let driver = match error {
            DriverError::NoSuchComponent(id) => DriverFailure::NoSuchComponent { id },
            DriverError::Incarnation { expected, actual } => DriverFailure::Incarnation { expected, actual },
            DriverError::StartedSince { expected, actual } => DriverFailure::StartedSince { expected, actual },
            DriverError::Refused(why) => DriverFailure::Refused { why },
            DriverError::Unknown(why) => DriverFailure::Unknown { why },
        };
        Self { message, driver: Some(driver) }
    }
}

impl From<Failure> for DriverError {
    fn from(failure: Failure) -> Self {
        match failure.driver {
            Some(DriverFailure::NoSuchComponent { id }) => Self::NoSuchComponent(id),
            Some(DriverFailure::Incarnation { expected, actual }) => Self::Incarnation { expected, actual },
            Some(DriverFailure::StartedSince { expected, actual }) => Self::StartedSince { expected, actual },
            Some(DriverFailure::Refused { why }) => Self::Refused(why),
            Some(DriverFailure::Unknown { why }) => Self::Unknown(why),
            None => Self::Refused(failure.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_driver_error_comes_through_as_it_is() {
        for error in [
            DriverError::NoSuchComponent("a".to_owned()),
            DriverError::Incarnation { expected: "1-2".to_owned(), actual: None },
            DriverError::StartedSince { expected: None, actual: Some("1-2".to_owned()) },
            DriverError::Refused("busy".to_owned()),
            DriverError::Unknown("half".to_owned()),
        ] {
            let text = serde_json::to_string(&Failure::from(error.clone())).expect("serializes");
            let failure: Failure = serde_json::from_str(&text).expect("parses");
            assert_eq!(DriverError::from(failure), error);
        }
    }

    #[test]
    fn a_request_is_one_plain_object() {
        let request: Request =
            serde_json::from_str(r#"{"op":"inject","fault":{"kind":"kill_node","node":"node-2"}}"#).expect("parses");
        assert_eq!(request, Request::Inject { fault: FaultRequest::new("kill_node").with("node", "node-2") });
    }
}
