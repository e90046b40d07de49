//! What a running compose environment consists of, and how it is broken.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use operator_protocols::SubjectConfig;
use tokio::task::AbortHandle;

use super::broom::Broom;
use super::container::Container;
use super::fault::ComposeFault;
use super::plan::{ComponentNames, LinkOverNetwork, LoadProgram, Service};
use super::project::ComposeProject;
use super::undo::ComposeUndo;
use super::workload::RunningLoad;
use super::{ComposeError, Engine};
use crate::environment::Injected;
use crate::error::LabError;
use crate::journal::Journal;
use crate::process::ReservedPort;

/// How old what is shown of the containers may be.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a running compose environment consists of.
pub(super) struct Inner {
    pub(super) project: Arc<ComposeProject>,
    pub(super) files: Vec<(&'static str, &'static str)>,
    pub(super) variables: Mutex<BTreeMap<String, String>>,
    pub(super) services: Vec<Service>,
    pub(super) networks: Vec<&'static str>,
    pub(super) links: Vec<LinkOverNetwork>,
    pub(super) subject: SubjectConfig,
    pub(super) names: Option<Arc<dyn ComponentNames>>,
    pub(super) load: Option<Box<dyn LoadProgram>>,
    pub(super) running_load: Mutex<Option<RunningLoad>>,
    pub(super) journal: Mutex<Journal<ComposeUndo>>,
    /// Held by whoever starts, stops, breaks or mends something.
    pub(super) operation: Arc<tokio::sync::Mutex<()>>,
    /// The containers as they were seen last.
    pub(super) seen: Mutex<BTreeMap<String, Container>>,
    pub(super) looking: Mutex<Option<AbortHandle>>,
    /// Removes what is left when this ends without being shut down.
    pub(super) broom: Broom,
    pub(super) _ports: Vec<ReservedPort>,
    /// Held as long as the environment lives, so that no other runs in its folder.
    pub(super) _lock: File,
}

/// A poisoned lock only means that a reader panicked: the values are replaced whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal<ComposeUndo>> {
        lock(&self.journal)
    }

    /// Looks at the containers once. What cannot be read stays as it was seen last.
    pub(super) async fn look(&self) {
        match self.project.containers().await {
            Ok(seen) => *lock(&self.seen) = seen,
            Err(error) => tracing::warn!(%error, "cannot look at the containers"),
        }
    }

    /// Looks again and again, as long as the environment lives.
    pub(super) fn keep_looking(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        let looking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let Some(inner) = weak.upgrade() else { return };
                inner.look().await;
            }
        });
        *lock(&self.looking) = Some(looking.abort_handle());
    }

    /// Breaks something: finds out how to take it back, writes that down, and only then acts.
    pub(super) async fn inject(&self, fault: &ComposeFault) -> Result<Injected, LabError> {
        let _operation = self.operation.lock().await;
        let service = fault.component();
        if !self.services.iter().any(|known| known.name == service) {
            let known: Vec<_> = self.services.iter().map(|known| known.name.as_str()).collect();
            return Err(LabError::invalid("component", format!("one of {}, not {service:?}", known.join(", "))));
        }
        let container = self.project.container(service).await?;
        let undo = self.prepare(fault, &container)?;
        let what = match &undo {
            ComposeUndo::Connect { component, network, .. } => {
                format!("C4: take {component} off the network {network}")
            }
            _ => fault.to_string(),
        };
        let number = self.journal().begin(&what, undo.clone())?;
        tracing::info!(fault = %what, "injecting");
        if let Err(error) = self.act(fault, &undo, &container).await {
            // Half a fault is taken back at once; if that fails too, it stays in the journal.
            if self.undo(&undo).await.is_ok() {
                self.journal().done(number)?;
            }
            return Err(error.into());
        }
        self.look().await;
        Ok(Injected { number, what })
    }

    /// How to take a fault back. Changes nothing.
    fn prepare(&self, fault: &ComposeFault, container: &Container) -> Result<ComposeUndo, LabError> {
        let component = fault.component().to_owned();
        let running = container.status.incarnation.clone().filter(|_| container.status.running);
        let incarnation = running.ok_or_else(|| ComposeError::NotRunning { service: component.clone() })?;
        Ok(match fault {
            ComposeFault::StopContainer { .. } | ComposeFault::KillContainer { .. } => ComposeUndo::Start { component },
            ComposeFault::PauseContainer { .. } if container.paused => {
                return Err(LabError::asked(format!("pause {component}"), "it is paused already"));
            }
            ComposeFault::PauseContainer { .. } => ComposeUndo::Unpause { component, incarnation },
            ComposeFault::DisconnectNetwork { network, .. } => {
                let of_it = |network: &&&str| container.networks.contains_key(&self.project.network(network));
                let on: Vec<_> = self.networks.iter().filter(of_it).copied().collect();
                let network = match network {
                    Some(network) => network.clone(),
                    None => self.networks.first().copied().unwrap_or_default().to_owned(),
                };
                let Some(names) = container.networks.get(&self.project.network(&network)) else {
                    let message = format!("one that {component} is on: {}, not {network:?}", on.join(", "));
                    return Err(LabError::invalid("network", message));
                };
                ComposeUndo::Connect { component, network, names: names.clone() }
            }
        })
    }

    /// Does what the fault says.
    async fn act(&self, fault: &ComposeFault, undo: &ComposeUndo, container: &Container) -> Result<(), ComposeError> {
        match (fault, undo) {
            (ComposeFault::StopContainer { .. }, _) => self.project.stop(container).await,
            (ComposeFault::KillContainer { .. }, _) => self.project.kill(container).await,
            (ComposeFault::PauseContainer { .. }, _) => self.project.pause(container).await,
            (ComposeFault::DisconnectNetwork { .. }, ComposeUndo::Connect { network, .. }) => {
                self.project.disconnect(container, network).await
            }
            (ComposeFault::DisconnectNetwork { .. }, _) => Ok(()),
        }
    }

    /// Ends everything of the project.
    pub(super) async fn shut_down(&self) -> Result<(), LabError> {
        let _operation = self.operation.lock().await;
        *lock(&self.running_load) = None;
        if let Some(looking) = lock(&self.looking).take() {
            looking.abort();
        }
        self.project.down().await?;
        self.broom.put_away();
        lock(&self.seen).clear();
        Ok(())
    }

    pub(super) fn engine(&self) -> &Engine {
        self.project.engine()
    }
}
