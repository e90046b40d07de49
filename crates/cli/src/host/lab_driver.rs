//! The driver of an environment that another process runs, under the name that this operator knows its subject by.

use std::path::PathBuf;

use operator_lab::control::ControlClient;
use operator_protocols::{BoxFuture, Driver, DriverError, Id, ProcessStatus, SubjectConfig};
use tokio::sync::OnceCell;

/// Acts on the processes of the environment in one folder. Two environments may call their subject the same; here each
/// has the name its configuration gives it.
pub(super) struct LabDriver {
    client: ControlClient,
    /// What the environment calls its subject, once it has said so.
    theirs: OnceCell<String>,
}

impl LabDriver {
    pub(super) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { client: ControlClient::new(folder), theirs: OnceCell::new() }
    }

    /// What the environment says of itself.
    pub(super) async fn subject_config(&self) -> Result<SubjectConfig, operator_lab::control::ControlError> {
        let config = self.client.subject_config().await?;
        // Another task may have been first, with the same.
        let _ = self.theirs.set(config.name.clone());
        Ok(config)
    }

    async fn their(&self, id: &Id) -> Result<Id, DriverError> {
        let ask = || async { self.client.subject_config().await.map(|config| config.name) };
        let name = self.theirs.get_or_try_init(ask).await;
        let name = name.map_err(|error| DriverError::Refused(error.to_string()))?;
        Ok(Id::new(name.clone(), id.local.clone()))
    }
}

impl Driver for LabDriver {
    fn status<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { Driver::status(&self.client, &self.their(id).await?).await })
    }

    fn start_if<'a>(&'a self, id: &'a Id, last: Option<&'a str>) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { Driver::start_if(&self.client, &self.their(id).await?, last).await })
    }

    fn stop<'a>(&'a self, id: &'a Id) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { Driver::stop(&self.client, &self.their(id).await?).await })
    }

    fn restart_if<'a>(&'a self, id: &'a Id, incarnation: &'a str) -> BoxFuture<'a, Result<ProcessStatus, DriverError>> {
        Box::pin(async move { Driver::restart_if(&self.client, &self.their(id).await?, incarnation).await })
    }
}
