//! The containers of a project as an operator acts on them.

use std::collections::BTreeSet;
use std::sync::Arc;

use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus};
use tokio::sync::Mutex;

use super::error::ComposeError;
use super::plan::ComponentNames;
use super::project::ComposeProject;

/// Acts on those containers of a project that are components of one subject. A component's local name is its service,
/// unless [`ComponentNames`] say otherwise.
///
/// A start is named by the container's id and the time of its start. Between looking and starting nobody who goes
/// through this environment comes in between; a person with a docker command of their own could.
#[derive(Clone)]
pub struct ComposeDriver {
    project: Arc<ComposeProject>,
    operation: Arc<Mutex<()>>,
    subject: String,
    components: BTreeSet<String>,
    names: Option<Arc<dyn ComponentNames>>,
}

impl ComposeDriver {
    /// A driver for the services `components` as components of `subject`. Whoever else changes these containers holds
    /// `operation` meanwhile.
    pub fn new(
        project: Arc<ComposeProject>,
        operation: Arc<Mutex<()>>,
        subject: impl Into<String>,
        components: impl IntoIterator<Item = String>,
    ) -> Self {
        Self { project, operation, subject: subject.into(), components: components.into_iter().collect(), names: None }
    }

    /// The same, for a subject that calls its components otherwise than their services.
    #[must_use]
    pub fn with_names(self, names: Arc<dyn ComponentNames>) -> Self {
        Self { names: Some(names), ..self }
    }

    async fn service(&self, id: &Id) -> Result<String, DriverError> {
        if id.subject == self.subject {
            let service = match &self.names {
                // Nothing was changed, whatever came of it.
                Some(names) => {
                    names.service_of(&id.local).await.map_err(|error| DriverError::Refused(error.to_string()))?
                }
                None => Some(id.local.clone()),
            };
            if let Some(service) = service.filter(|service| self.components.contains(service)) {
                return Ok(service);
            }
        }
        let known = self.components.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let what = format!("{} of {}; it acts on {known} of {}", id.local, id.subject, self.subject);
        Err(DriverError::NoSuchComponent(what))
    }

    /// Runs `operation` to its end even if whoever asked gives up waiting: a restart is never left half done.
    async fn to_its_end<F>(operation: F) -> Result<ProcessStatus, DriverError>
    where
        F: Future<Output = Result<ProcessStatus, DriverError>> + Send + 'static,
    {
        match tokio::spawn(operation).await {
            Ok(result) => result,
            Err(error) => Err(DriverError::Unknown(format!("the operation broke off: {error}"))),
        }
    }
}

/// How a service is; one that has no container was never started.
async fn look(project: &ComposeProject, service: &str) -> Result<ProcessStatus, DriverError> {
    match project.container(service).await {
        Ok(container) => Ok(container.status),
        Err(ComposeError::NoContainer { .. }) => Ok(ProcessStatus { running: false, incarnation: None, exit: None }),
        // Looking changes nothing, whatever came of it.
        Err(error) => Err(DriverError::Refused(error.to_string())),
    }
}

async fn start(project: &ComposeProject, service: &str, changed: bool) -> Result<ProcessStatus, DriverError> {
    project.start(service).await.map_err(|error| error.into_driver_error(changed))?;
    look(project, service).await.map_err(|error| DriverError::Unknown(format!("it was started, then: {error}")))
}

impl Driver for ComposeDriver {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { look(&self.project, &self.service(id).await?).await })
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let (this, service) = (self.clone(), self.service(id).await?);
            let last = last.map(str::to_owned);
            Self::to_its_end(async move {
                let _operation = this.operation.lock().await;
                let status = look(&this.project, &service).await?;
                if status.running {
                    return Ok(status);
                }
                if status.incarnation != last {
                    return Err(DriverError::StartedSince { expected: last, actual: status.incarnation });
                }
                start(&this.project, &service, false).await
            })
            .await
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let (this, service) = (self.clone(), self.service(id).await?);
            Self::to_its_end(async move {
                let _operation = this.operation.lock().await;
                let failed = |error: ComposeError| error.into_driver_error(false);
                let container = this.project.container(&service).await.map_err(failed)?;
                if container.status.running {
                    end(&this.project, &container).await.map_err(failed)?;
                }
                look(&this.project, &service).await
            })
            .await
        })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let (this, service) = (self.clone(), self.service(id).await?);
            let expected = incarnation.to_owned();
            Self::to_its_end(async move {
                let _operation = this.operation.lock().await;
                let gone = |actual| DriverError::Incarnation { expected: expected.clone(), actual };
                let container = match this.project.container(&service).await {
                    Ok(container) => container,
                    Err(ComposeError::NoContainer { .. }) => return Err(gone(None)),
                    Err(error) => return Err(DriverError::Refused(error.to_string())),
                };
                let actual = container.status.incarnation.clone().filter(|_| container.status.running);
                if actual.as_ref() != Some(&expected) {
                    return Err(gone(actual));
                }
                end(&this.project, &container).await.map_err(|error| error.into_driver_error(false))?;
                start(&this.project, &service, true).await
            })
            .await
        })
    }
}

/// Ends a container that runs: one that is frozen cannot end by itself.
async fn end(project: &ComposeProject, container: &super::Container) -> Result<(), ComposeError> {
    if container.paused { project.kill(container).await } else { project.stop(container).await }
}
