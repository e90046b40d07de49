//! What a compose environment runs, as a subject's folder says it.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_protocols::{BoxFuture, SubjectConfig};

use super::error::ComposeError;
use super::image::ImageRecipe;
use crate::environment::{WorkloadSample, WorkloadSpec};
use crate::error::LabError;
use crate::process::ReservedPort;

/// What to run, and what is said of it.
pub struct ComposePlan {
    /// The files of the project, `compose.yml` among them, each with its name.
    pub files: Vec<(&'static str, &'static str)>,
    /// The variables of the compose file, ports among them.
    pub variables: BTreeMap<String, String>,
    /// The ports that the variables name, held as long as the environment lives.
    pub ports: Vec<ReservedPort>,
    /// The image to make from programs of this machine, where no other is used.
    pub image: Option<ImageRecipe>,
    /// The services to start, in the order in which they are shown.
    pub services: Vec<Service>,
    /// The project's networks that a container may be taken off; the first unless another is named.
    pub networks: Vec<&'static str>,
    /// Who reaches whom over which of these networks.
    pub links: Vec<LinkOverNetwork>,
    /// What the operator's configuration would say of it.
    pub subject: SubjectConfig,
    /// How the operator's names of components become services, where they are not the same.
    pub names: Option<Box<dyn ComponentNames>>,
    /// How load is put on it.
    pub load: Option<Box<dyn LoadProgram>>,
    /// How long its containers may take to run.
    pub start_timeout: Duration,
}

/// A service that is started with the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name in the compose file.
    pub name: String,
    /// Where it is published on this machine.
    pub address: Option<String>,
    /// Whether it is a component of the subject, on which an operator may act.
    pub component: bool,
}

/// A link between two components that goes over one of the project's networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOverNetwork {
    /// The caller.
    pub from: String,
    /// The called.
    pub to: String,
    /// The network.
    pub network: &'static str,
}

/// How the operator's names of components become services.
pub trait ComponentNames: Send + Sync {
    /// The service that a component runs in, if there is one. Changes nothing.
    fn service_of<'a>(&'a self, component: &'a str) -> BoxFuture<'a, Result<Option<String>, ComposeError>>;
}

/// A load generator that is a service of the project.
pub trait LoadProgram: Send + Sync {
    /// Its service.
    fn service(&self) -> &'static str;

    /// The variable of the compose file that holds its arguments.
    fn variable(&self) -> &'static str;

    /// Its arguments for a load, in one line; words are separated by blanks and hold none.
    ///
    /// # Errors
    /// Names what is wrong with the load and what would be right.
    fn arguments(&self, spec: &WorkloadSpec) -> Result<String, LabError>;

    /// What one line of its output says of one second, if it does.
    fn sample(&self, line: &str) -> Option<WorkloadSample>;
}
