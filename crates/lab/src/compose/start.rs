//! Bringing a compose environment up, and what an earlier run left to be mended.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ComposeEnvironment;
use super::broom::Broom;
use super::engine::Engine;
use super::error::ComposeError;
use super::image;
use super::inner::Inner;
use super::plan::ComposePlan;
use super::project::{ComposeProject, folder_of};
use crate::environment::Cleared;
use crate::error::LabError;
use crate::folder;
use crate::journal::Journal;

/// Pulling an image may take long, and must end.
const PULL: Duration = Duration::from_secs(600);
/// How often to look whether everything runs.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How many lines of a container that ended an error quotes.
const LAST_WORDS: u32 = 5;
/// How often to try other ports when one was taken between finding and using it.
const PORT_ATTEMPTS: usize = 3;

impl ComposeEnvironment {
    /// Starts what `plan` says for a folder and a project's name; it is asked again, for other ports, if one was taken
    /// meanwhile. What an earlier run in
    /// the same folder left running is ended first, and its faults are taken back; the answer says which.
    ///
    /// # Errors
    /// When a setting is wrong, an image cannot be had, the folder is in use, or a container does not run; whatever was
    /// started is gone then.
    pub async fn start(
        engine: Engine,
        folder: &Path,
        mut plan: impl FnMut(&Path, &str) -> Result<ComposePlan, LabError>,
    ) -> Result<(Self, Cleared), LabError> {
        let folder = folder::private(folder)?;
        let _lock = folder::lock(&folder)?;
        let project = Arc::new(ComposeProject::new(engine, folder_of(&folder)));
        project.sweep().await?;
        let broom = Broom::of(&project);
        let mut attempt = 1;
        let plan = loop {
            let plan = plan(&folder, project.name())?;
            match bring_up(&project, &plan).await {
                Ok(()) => break plan,
                Err(error) => {
                    if attempt == PORT_ATTEMPTS || !error.is_port_taken() {
                        return Err(error.into());
                    }
                    project.sweep().await?;
                    tracing::debug!(%error, "a port was taken");
                    attempt += 1;
                }
            }
        };
        let inner = Arc::new(Inner {
            project,
            files: plan.files,
            variables: Mutex::new(plan.variables),
            services: plan.services,
            networks: plan.networks,
            links: plan.links,
            subject: plan.subject,
            names: plan.names.map(Arc::from),
            load: plan.load,
            running_load: Mutex::default(),
            // Opened last: until here there is nothing that could be broken.
            journal: Mutex::new(Journal::open(folder.join("undo.jsonl"))?),
            operation: Arc::default(),
            seen: Mutex::default(),
            looking: Mutex::default(),
            broom,
            _ports: plan.ports,
            _lock,
        });
        let cleared = inner.undo_all().await?;
        inner.keep_looking();
        Ok((Self { inner }, cleared))
    }
}

async fn bring_up(project: &ComposeProject, plan: &ComposePlan) -> Result<(), ComposeError> {
    project.write(&plan.files, &plan.variables)?;
    project.check().await?;
    match &plan.image {
        Some(recipe) => {
            image::make(project, recipe).await?;
        }
        None => {
            let lacking = project.engine().lacking(&project.images().await?).await?;
            project.pull(&lacking, PULL).await?;
        }
    }
    let services: Vec<_> = plan.services.iter().map(|service| service.name.clone()).collect();
    project.up(&services).await?;
    await_running(project, &services, plan.start_timeout).await
}

/// Waits until every service runs and none says that it is unwell or still starting for longer than that.
async fn await_running(project: &ComposeProject, services: &[String], within: Duration) -> Result<(), ComposeError> {
    let deadline = Instant::now() + within;
    loop {
        let containers = project.containers().await?;
        let of = |service: &String| containers.get(service);
        if let Some(ended) = services.iter().filter_map(of).find(|container| container.status.exit.is_some()) {
            let said = project.last_words(ended, LAST_WORDS).await.unwrap_or_default();
            let how = ended.status.exit.clone().unwrap_or_default();
            return Err(ComposeError::Failed {
                what: format!("starting {}", ended.service),
                said: format!("{how}; it last said: {}", said.trim()),
            });
        }
        if services.iter().all(|service| of(service).is_some_and(|container| container.status.running)) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let lacking =
                services.iter().filter(|service| of(service).is_none_or(|container| !container.status.running));
            let lacking: Vec<_> = lacking.map(String::as_str).collect();
            return Err(ComposeError::TimedOut { what: format!("starting {}", lacking.join(", ")), within });
        }
        sleep(LOOK_EVERY).await;
    }
}
