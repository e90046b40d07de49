//! Whether there is a container engine on this machine, and which compose goes with it.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::Run;
use super::error::ComposeError;

/// An engine that does not say its version by then is none.
const ANSWER: Duration = Duration::from_secs(15);
/// What one question to the engine may take.
pub(super) const QUESTION: Duration = Duration::from_secs(20);

/// The container engine of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// The docker command.
    pub docker: PathBuf,
    /// The compose command.
    pub compose: Compose,
    /// The engine's version.
    pub version: String,
}

/// Which compose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compose {
    /// `docker compose`, a plugin (version 2 and later).
    Plugin,
    /// `docker-compose`, a program of its own.
    Standalone(PathBuf),
}

/// Containers cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no container engine: {0}")]
pub struct NoEngine(pub String);

impl Engine {
    /// Finds it, and asks it once.
    ///
    /// # Errors
    /// Says what is missing: the command, the engine behind it, or compose.
    pub async fn detect() -> Result<Self, NoEngine> {
        let docker = in_path("docker").ok_or_else(|| NoEngine("there is no docker command".to_owned()))?;
        if let Some(host) = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty() && !host.starts_with("unix:")) {
            return Err(NoEngine(format!(
                "DOCKER_HOST is {host}: ports that are published on another machine's loopback cannot be reached; \
                 use a local engine"
            )));
        }
        let version = Run::new(&docker, ANSWER).args(["version", "--format", "{{.Server.Version}}"]).output().await;
        let version = version.map_err(|error| NoEngine(error.to_string()))?.trim().to_owned();
        let plugin = Run::new(&docker, ANSWER).args(["compose", "version", "--short"]).output().await;
        let compose = match (plugin, in_path("docker-compose")) {
            (Ok(_), _) => Compose::Plugin,
            (Err(_), Some(standalone)) => Compose::Standalone(standalone),
            (Err(_), None) => {
                return Err(NoEngine("neither `docker compose` nor docker-compose is installed".to_owned()));
            }
        };
        Ok(Self { docker, compose, version })
    }

    /// A docker command.
    pub(super) fn docker(&self, within: Duration) -> Run {
        Run::new(&self.docker, within)
    }

    /// A compose command.
    pub(super) fn compose(&self, within: Duration) -> Run {
        match &self.compose {
            Compose::Plugin => Run::new(&self.docker, within).args(["compose"]),
            Compose::Standalone(program) => Run::new(program, within),
        }
    }

    /// Those of these images that are not on this machine.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn lacking(&self, images: &[String]) -> Result<Vec<String>, ComposeError> {
        let mut lacking = Vec::new();
        for image in images {
            match self.docker(QUESTION).args(["image", "inspect", "--format", "{{.Id}}", image]).output().await {
                Ok(_) => {}
                Err(ComposeError::Failed { .. }) => lacking.push(image.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(lacking)
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_absolute() && is_file(program))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file())
}
