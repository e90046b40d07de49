//! What can be broken in any system of containers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::environment::{FaultDescription, FaultRequest};
use crate::error::LabError;

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ComposeFault {
    /// C1: a container is stopped (`docker stop`: `SIGTERM` first).
    #[serde(alias = "C1")]
    StopContainer {
        /// Which.
        component: String,
    },
    /// C2: a container is killed (`docker kill`: `SIGKILL`).
    #[serde(alias = "C2")]
    KillContainer {
        /// Which.
        component: String,
    },
    /// C3: a container is frozen (`docker pause`).
    #[serde(alias = "C3")]
    PauseContainer {
        /// Which.
        component: String,
    },
    /// C4: a container is taken off a network (`docker network disconnect`).
    #[serde(alias = "C4")]
    DisconnectNetwork {
        /// Which.
        component: String,
        /// Off which network; the environment's first, unless it is given.
        #[serde(default)]
        network: Option<String>,
    },
}

impl ComposeFault {
    /// Every fault, with its parameters, in an environment with these networks.
    pub fn descriptions(networks: &[&str]) -> Vec<FaultDescription> {
        let component = ("component", "which, as its service is called".to_owned());
        let which = networks.join(" or ");
        let network = networks.first().map(|first| ("network", format!("off which network, {which} ({first})")));
        let mut faults = vec![
            ("C1", "stop_container", "a container is stopped (docker stop)", vec![component.clone()]),
            ("C2", "kill_container", "a container is killed (docker kill, SIGKILL)", vec![component.clone()]),
            ("C3", "pause_container", "a container is frozen (docker pause)", vec![component.clone()]),
        ];
        if let Some(network) = network {
            let what = "a container is taken off a network (docker network disconnect)";
            faults.push(("C4", "disconnect_network", what, vec![component, network]));
        }
        let describe = |(id, kind, description, params): (&str, &str, &str, Vec<(&str, String)>)| FaultDescription {
            id: id.to_owned(),
            kind: kind.to_owned(),
            description: description.to_owned(),
            params: params.into_iter().map(|(name, about)| (name.to_owned(), about)).collect::<BTreeMap<_, _>>(),
        };
        faults.into_iter().map(describe).collect()
    }

    /// Reads a request, by name (`kill_container`) or number (`C2`).
    ///
    /// # Errors
    /// Says which parameter is missing or unknown.
    pub fn parse(request: &FaultRequest) -> Result<Self, LabError> {
        let mut request = request.clone();
        if request.kind.starts_with('c') && request.kind.len() == 2 {
            request.kind.make_ascii_uppercase();
        }
        serde_json::to_value(&request)
            .and_then(serde_json::from_value)
            .map_err(|error| LabError::invalid(format!("fault {}", request.kind), error.to_string()))
    }

    /// What it is about.
    pub fn component(&self) -> &str {
        match self {
            Self::StopContainer { component }
            | Self::KillContainer { component }
            | Self::PauseContainer { component }
            | Self::DisconnectNetwork { component, .. } => component,
        }
    }
}

/// What is done, for people and for the journal.
impl fmt::Display for ComposeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StopContainer { component } => write!(f, "C1: stop {component}"),
            Self::KillContainer { component } => write!(f, "C2: kill {component}"),
            Self::PauseContainer { component } => write!(f, "C3: pause {component}"),
            Self::DisconnectNetwork { component, network: Some(network) } => {
                write!(f, "C4: take {component} off the network {network}")
            }
            Self::DisconnectNetwork { component, network: None } => write!(f, "C4: take {component} off its network"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_by_its_name_and_by_its_number_and_a_wrong_one_says_what_is_wrong() {
        let expected = ComposeFault::KillContainer { component: "node-2".to_owned() };
        for kind in ["kill_container", "C2", "c2"] {
            assert_eq!(
                ComposeFault::parse(&FaultRequest::new(kind).with("component", "node-2")).expect(kind),
                expected
            );
        }
        for (request, wrong) in [
            (FaultRequest::new("C9"), "unknown variant `C9`"),
            (FaultRequest::new("stop_container"), "missing field `component`"),
            (FaultRequest::new("C1").with("component", "a").with("network", "b"), "unknown field `network`"),
        ] {
            let error = ComposeFault::parse(&request).expect_err(wrong).to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn every_described_fault_is_one_and_none_needs_a_network_that_is_not_there() {
        assert_eq!(ComposeFault::descriptions(&[]).len(), 3);
        for description in ComposeFault::descriptions(&["store", "clients"]) {
            let request = FaultRequest::new(&description.id).with("component", "a");
            let fault = ComposeFault::parse(&request).expect(&description.id);
            assert_eq!(serde_json::to_value(&fault).expect("serializes")["kind"], description.kind.as_str());
            assert!(fault.to_string().starts_with(&description.id));
        }
    }
}
