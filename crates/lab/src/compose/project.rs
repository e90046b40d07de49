//! One compose project: its folder, its containers, and what can be done to them. Its name follows from its folder, so
//! that two of them never meet and one is found again after a crash.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::Run;
use super::container::{self, Container};
use super::engine::{Engine, QUESTION};
use super::error::ComposeError;

/// The compose file in the project's folder.
const FILE: &str = "compose.yml";
/// The variables of the compose file.
const VARIABLES: &str = ".env";
/// What stopping, killing, connecting … one container may take, its own grace included.
const ONE: Duration = Duration::from_secs(60);
/// What bringing up or taking down everything may take, images already being there.
const ALL: Duration = Duration::from_secs(180);
/// How long a container may take to end by itself when all is taken down, in seconds.
const DOWN_GRACE: &str = "2";
/// The label on everything of a project that docker itself does not label.
pub(super) const LABEL: &str = "operator.lab";

/// One compose project in a folder of its own.
#[derive(Debug, Clone)]
pub struct ComposeProject {
    engine: Engine,
    name: String,
    folder: PathBuf,
}

/// Where the project of an environment's folder is.
pub(super) fn folder_of(environment: &Path) -> PathBuf {
    environment.join("compose")
}

/// Whether a folder holds a compose project that may still have containers.
pub fn remains(environment: &Path) -> bool {
    folder_of(environment).join(FILE).is_file()
}

/// Takes down what is left of an environment in `folder` whose process is gone; the answer names the project.
///
/// # Errors
/// When docker does not do it.
pub async fn take_down_remains(engine: Engine, folder: &Path) -> Result<String, ComposeError> {
    let folder = fs::canonicalize(folder).map_err(|source| ComposeError::File { path: folder.to_owned(), source })?;
    let project = ComposeProject::new(engine, folder_of(&folder));
    project.down().await?;
    Ok(project.name)
}

impl ComposeProject {
    /// The project in `folder`, an absolute path.
    pub fn new(engine: Engine, folder: PathBuf) -> Self {
        let name = format!("operator-lab-{:016x}", fnv1a(folder.as_os_str().as_encoded_bytes()));
        Self { engine, name, folder }
    }

    /// Its name, which all its containers, networks, volumes and images carry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The engine it runs on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The full name of one of its networks.
    pub(super) fn network(&self, short: &str) -> String {
        format!("{}_{short}", self.name)
    }

    /// Writes its files and, readable for its owner only, its variables.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, files: &[(&str, &str)], variables: &BTreeMap<String, String>) -> Result<(), ComposeError> {
        let write = |name: &str, text: &str, mode: u32| {
            let path = self.folder.join(name);
            let failed = |source| ComposeError::File { path: path.clone(), source };
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed)?;
            }
            // Made anew, so that the mode holds for one that was there.
            let _ = fs::remove_file(&path);
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
            file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
        };
        for (name, text) in files {
            write(name, text, 0o644)?;
        }
        let own = [("COMPOSE_PROJECT_NAME", &self.name), ("OPERATOR_LAB_PROJECT", &self.name)];
        let own = own.into_iter().map(|(name, value)| format!("{name}={value}\n"));
        let given = variables.iter().map(|(name, value)| format!("{name}={value}\n"));
        write(VARIABLES, &own.chain(given).collect::<String>(), 0o600)
    }

    /// Checks the compose file as compose reads it.
    ///
    /// # Errors
    /// With what compose says is wrong.
    pub async fn check(&self) -> Result<(), ComposeError> {
        self.compose(ONE).args(["config", "--quiet"]).output().await.map(|_| ())
    }

    /// The images that the compose file names.
    ///
    /// # Errors
    /// When compose cannot read it.
    pub async fn images(&self) -> Result<Vec<String>, ComposeError> {
        let config = self.compose(ONE).args(["config"]).output().await?;
        let named = config.lines().filter_map(|line| line.trim().strip_prefix("image:"));
        let mut images: Vec<_> = named.map(|image| image.trim().trim_matches(['"', '\'']).to_owned()).collect();
        images.sort();
        images.dedup();
        Ok(images)
    }

    /// Pulls images one after the other, each for so long at most.
    ///
    /// # Errors
    /// Names the first that could not be pulled, and with it those that were not tried any more.
    pub async fn pull(&self, images: &[String], within: Duration) -> Result<(), ComposeError> {
        for (number, image) in images.iter().enumerate() {
            if let Err(error) = self.docker(within).args(["pull", "--quiet", image]).output().await {
                return Err(ComposeError::MissingImages { images: images[number..].to_vec(), why: error.to_string() });
            }
        }
        Ok(())
    }

    /// Makes and starts the containers of these services as declared.
    ///
    /// # Errors
    /// When one cannot be started; others may run then.
    pub async fn up(&self, services: &[String]) -> Result<(), ComposeError> {
        let services = services.iter().map(String::as_str);
        self.compose(ALL).args(["up", "--detach", "--no-build"].into_iter().chain(services)).output().await.map(|_| ())
    }

    /// Starts one service as declared; its container is made anew if there is none, or it is not as declared.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(&self, service: &str) -> Result<(), ComposeError> {
        let args = ["up", "--detach", "--no-build", "--no-deps", service];
        self.compose(ONE).args(args).output().await.map(|_| ())
    }

    /// Starts one service in a new container.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn recreate(&self, service: &str) -> Result<(), ComposeError> {
        let args = ["up", "--detach", "--no-build", "--no-deps", "--force-recreate", service];
        self.compose(ONE).args(args).output().await.map(|_| ())
    }

    /// Its containers, by service.
    ///
    /// # Errors
    /// When docker does not answer.
    pub async fn containers(&self) -> Result<BTreeMap<String, Container>, ComposeError> {
        let ids = self.listed(&["ps", "--all", "--quiet", "--no-trunc"]).await?;
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let inspect = self.docker(QUESTION).args(["container", "inspect"]).args(ids);
        let said = match inspect.output().await {
            Ok(said) => said,
            // One was removed in between: look again.
            Err(ComposeError::Failed { .. }) => {
                let ids = self.listed(&["ps", "--all", "--quiet", "--no-trunc"]).await?;
                self.docker(QUESTION).args(["container", "inspect"]).args(ids).output().await?
            }
            Err(error) => return Err(error),
        };
        container::read(&said).map_err(|error| ComposeError::Answer { what: inspect.words(), why: error.to_string() })
    }

    /// The container of one service.
    ///
    /// # Errors
    /// When there is none, or docker does not answer.
    pub async fn container(&self, service: &str) -> Result<Container, ComposeError> {
        let mut containers = self.containers().await?;
        containers.remove(service).ok_or_else(|| ComposeError::NoContainer {
            service: service.to_owned(),
            known: containers.into_keys().collect::<Vec<_>>().join(", "),
        })
    }

    /// Stops it: `SIGTERM`, and `SIGKILL` after its own grace.
    ///
    /// # Errors
    /// When docker does not do it.
    pub async fn stop(&self, container: &Container) -> Result<(), ComposeError> {
        self.on(&["stop"], container).await
    }

    /// Kills it (`SIGKILL`).
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self, container: &Container) -> Result<(), ComposeError> {
        self.on(&["kill"], container).await
    }

    /// Freezes it: it keeps its memory and connections, and does nothing.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn pause(&self, container: &Container) -> Result<(), ComposeError> {
        self.on(&["pause"], container).await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it is not frozen.
    pub async fn unpause(&self, container: &Container) -> Result<(), ComposeError> {
        self.on(&["unpause"], container).await
    }

    /// Takes it off one of the project's networks.
    ///
    /// # Errors
    /// When it is not on it.
    pub async fn disconnect(&self, container: &Container, network: &str) -> Result<(), ComposeError> {
        self.on(&["network", "disconnect", &self.network(network)], container).await
    }

    /// Puts it on one of the project's networks, under these names.
    ///
    /// # Errors
    /// When it is on it already.
    pub async fn connect(&self, container: &Container, network: &str, names: &[String]) -> Result<(), ComposeError> {
        let mut args = vec!["network", "connect"];
        for name in names {
            args.extend(["--alias", name]);
        }
        let network = self.network(network);
        args.push(&network);
        self.on(&args, container).await
    }

    /// A command that follows what a container says from now on.
    pub(super) fn follow(&self, container: &Container) -> tokio::process::Command {
        self.docker(ONE).args(["logs", "--follow", &container.id]).command()
    }

    /// The last lines that a service said.
    ///
    /// # Errors
    /// When docker does not answer.
    pub async fn last_words(&self, container: &Container, lines: u32) -> Result<String, ComposeError> {
        // A container's two outputs come as docker's two outputs; what went wrong is on either.
        let logs = self.docker(QUESTION).args(["logs", "--tail", &lines.to_string(), &container.id]);
        logs.both().await
    }

    /// Ends everything: containers, networks, volumes, and the image that was made for it.
    ///
    /// # Errors
    /// When something is left that docker does not remove.
    pub async fn down(&self) -> Result<(), ComposeError> {
        let down = ["down", "--volumes", "--remove-orphans", "--timeout", DOWN_GRACE];
        if let Err(error) = self.compose(ALL).args(down).output().await {
            // A file of an earlier version may not be readable any more; what is labelled is found without it.
            tracing::warn!(project = %self.name, %error, "compose could not take it down; removing what is left of it");
        }
        self.sweep().await
    }

    /// Removes by force whatever carries the project's name.
    pub(super) async fn sweep(&self) -> Result<(), ComposeError> {
        let containers = self.listed(&["ps", "--all", "--quiet"]).await?;
        self.remove(&["rm", "--force", "--volumes"], containers).await?;
        let networks = self.listed(&["network", "ls", "--quiet"]).await?;
        self.remove(&["network", "rm"], networks).await?;
        let volumes = self.listed(&["volume", "ls", "--quiet"]).await?;
        self.remove(&["volume", "rm", "--force"], volumes).await?;
        let label = format!("label={LABEL}={}", self.name);
        let images = self.docker(QUESTION).args(["images", "--quiet", "--filter", &label]).output().await?;
        let images = images.lines().map(str::to_owned).collect();
        self.remove(&["rmi", "--force"], images).await
    }

    async fn remove(&self, how: &[&str], what: Vec<String>) -> Result<(), ComposeError> {
        if what.is_empty() {
            return Ok(());
        }
        self.docker(ONE).args(how).args(what).output().await.map(|_| ())
    }

    /// What a docker command lists of this project.
    async fn listed(&self, list: &[&str]) -> Result<Vec<String>, ComposeError> {
        let label = format!("label=com.docker.compose.project={}", self.name);
        let said = self.docker(QUESTION).args(list).args(["--filter", &label]).output().await?;
        Ok(said.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    async fn on(&self, command: &[&str], container: &Container) -> Result<(), ComposeError> {
        self.docker(ONE).args(command).args([&container.id]).output().await.map(|_| ())
    }

    fn docker(&self, within: Duration) -> Run {
        self.engine.docker(within)
    }

    fn compose(&self, within: Duration) -> Run {
        // The variables, and with them the name, are read from the folder; the name is given too, for its own file may
        // be gone.
        let run = self.engine.compose(within).args(["--project-name", &self.name, "--file", FILE]);
        run.in_folder(&self.folder)
    }
}

/// A number that is the same for the same bytes in every version of this program: FNV-1a, 64 bits
/// (datatracker.ietf.org/doc/html/draft-eastlake-fnv).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Compose;

    fn project(folder: &Path) -> ComposeProject {
        let engine = Engine { docker: "docker".into(), compose: Compose::Plugin, version: String::new() };
        ComposeProject::new(engine, folder.to_owned())
    }

    #[test]
    fn every_folder_has_a_project_of_its_own_name_and_always_the_same() {
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c, "as published");
        let name = |folder: &str| project(Path::new(folder)).name().to_owned();
        assert_eq!(name("/a/compose"), name("/a/compose"));
        assert_ne!(name("/a/compose"), name("/b/compose"));
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name("/a/compose").chars().all(valid));
    }

    #[test]
    fn the_variables_hold_a_secret_and_are_for_the_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("temporary folder");
        let project = project(folder.path());
        for _ in 0..2 {
            project.write(&[(FILE, "services: {}\n")], &BTreeMap::from([("A".into(), "b c".into())])).expect("written");
        }
        let path = folder.path().join(VARIABLES);
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).expect("it is read");
        let name = project.name();
        assert_eq!(text, format!("COMPOSE_PROJECT_NAME={name}\nOPERATOR_LAB_PROJECT={name}\nA=b c\n"));
    }
}
