//! The supervisor as an operator meets it.

use std::collections::BTreeSet;
use std::sync::Arc;

use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus};

use super::Supervisor;

/// Acts on those processes of a supervisor that are components of one subject; a component's local name is its
/// process's name.
#[derive(Debug, Clone)]
pub struct SupervisorDriver {
    supervisor: Arc<Supervisor>,
    subject: String,
    components: BTreeSet<String>,
}

impl SupervisorDriver {
    /// A driver for the processes called `components` as components of `subject`.
    pub fn new(
        supervisor: Arc<Supervisor>,
        subject: impl Into<String>,
        components: impl IntoIterator<Item = String>,
    ) -> Self {
        Self { supervisor, subject: subject.into(), components: components.into_iter().collect() }
    }

    fn process(&self, id: &Id) -> Result<String, DriverError> {
        if id.subject == self.subject && self.components.contains(&id.local) {
            Ok(id.local.clone())
        } else {
            Err(DriverError::NoSuchComponent(format!(
                "{} of {}; it acts on {} of {}",
                id.local,
                id.subject,
                self.components.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
                self.subject
            )))
        }
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

impl Driver for SupervisorDriver {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(
            async move { self.supervisor.status(&self.process(id)?).map_err(|error| error.into_driver_error(false)) },
        )
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let (supervisor, name) = (Arc::clone(&self.supervisor), self.process(id)?);
            let last = last.map(str::to_owned);
            Self::to_its_end(async move {
                let started = supervisor.start_if(&name, last.as_deref()).await;
                started.map_err(|error| error.into_driver_error(false))
            })
            .await
        })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let (supervisor, name) = (Arc::clone(&self.supervisor), self.process(id)?);
            Self::to_its_end(
                async move { supervisor.stop(&name).await.map_err(|error| error.into_driver_error(false)) },
            )
            .await
        })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move {
            let (supervisor, name) = (Arc::clone(&self.supervisor), self.process(id)?);
            let incarnation = incarnation.to_owned();
            Self::to_its_end(async move {
                supervisor
                    .restart_if(&name, &incarnation)
                    .await
                    .map_err(|(error, stopped)| error.into_driver_error(stopped))
            })
            .await
        })
    }
}
