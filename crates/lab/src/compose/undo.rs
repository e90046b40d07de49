//! How each fault is taken back. Taking back what is mended already changes nothing.

use serde::{Deserialize, Serialize};

use super::error::ComposeError;
use super::inner::Inner;
use crate::environment::Cleared;
use crate::error::LabError;

/// How to take a fault back. Kept in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum ComposeUndo {
    /// Start a service, if its container does not run.
    Start {
        /// Which.
        component: String,
    },
    /// Let a frozen container go on, if it is still this start of it.
    Unpause {
        /// Which.
        component: String,
        /// The frozen start.
        incarnation: String,
    },
    /// Put a container on a network, if it is not on it.
    Connect {
        /// Which.
        component: String,
        /// The network, as the compose file calls it.
        network: String,
        /// The names it had there.
        names: Vec<String>,
    },
}

impl Inner {
    /// Takes one fault back.
    pub(super) async fn undo(&self, undo: &ComposeUndo) -> Result<(), LabError> {
        match undo {
            ComposeUndo::Start { component } => {
                let running = match self.project.container(component).await {
                    Ok(container) => container.status.running,
                    Err(ComposeError::NoContainer { .. }) => false,
                    Err(error) => return Err(error.into()),
                };
                if !running {
                    self.project.start(component).await?;
                }
            }
            ComposeUndo::Unpause { component, incarnation } => match self.project.container(component).await {
                Ok(container) if container.paused && container.status.incarnation.as_ref() == Some(incarnation) => {
                    self.project.unpause(&container).await?;
                }
                // Whatever was frozen is gone.
                Ok(_) | Err(ComposeError::NoContainer { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            ComposeUndo::Connect { component, network, names } => match self.project.container(component).await {
                Ok(container) if !container.networks.contains_key(&self.project.network(network)) => {
                    self.project.connect(&container, network, names).await?;
                }
                // A container that is made anew is on all its networks.
                Ok(_) | Err(ComposeError::NoContainer { .. }) => {}
                Err(error) => return Err(error.into()),
            },
        }
        Ok(())
    }

    /// Takes back everything in the journal, newest first.
    pub(super) async fn undo_all(&self) -> Result<Cleared, LabError> {
        let _operation = self.operation.lock().await;
        let open = self.journal().open_entries().to_vec();
        let mut cleared = Cleared::default();
        for entry in open.into_iter().rev() {
            match self.undo(&entry.undo).await {
                Ok(()) => {
                    self.journal().done(entry.number)?;
                    cleared.undone.push(entry.what);
                }
                Err(error) => cleared.left.push(format!("{}: {error}", entry.what)),
            }
        }
        self.look().await;
        Ok(cleared)
    }
}
