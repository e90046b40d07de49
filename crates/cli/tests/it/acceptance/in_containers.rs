//! The whole of it over containers, by the commands that a person would give: an environment is deployed, an operator
//! watches it, containers are broken, and what the operator does about it goes through the container engine.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use operator_lab::compose::Engine;
use serde_json::Value;

use super::home::Home;
use super::operator_process::OperatorProcess;

/// Containers take a moment to do what they are told, on a busy machine a long one.
const PATIENCE: Duration = Duration::from_secs(90);
/// A node that is stopped in order says that it is leaving, and is not missed for 30 s.
const LEAVING: Duration = Duration::from_secs(30);

/// A deployed environment. It is taken down with this, whatever way the test ends.
struct Deployed<'a> {
    home: &'a Home,
    folder: PathBuf,
}

impl<'a> Deployed<'a> {
    async fn up(home: &'a Home) -> Self {
        let deployed = Self { home, folder: home.path("lab") };
        deployed.call(0, &["deploy", "up", "ratelimiter", "--compose", "--background"]).await;
        deployed
    }

    fn dir(&self) -> &str {
        self.folder.to_str().expect("a path of UTF-8")
    }

    async fn call(&self, code: i32, args: &[&str]) -> Value {
        self.home.ask(code, &[args, &["--dir", self.dir()]].concat()).await
    }

    async fn inject(&self, fault: &str, component: &str) {
        self.call(0, &["chaos", "inject", fault, &format!("component={component}")]).await;
    }

    /// The start of a component that runs.
    async fn start_of(&self, component: &str) -> String {
        let status = self.call(3, &["deploy", "status"]).await;
        let processes = status["environment"]["processes"].as_array().expect("processes").clone();
        let of_it = processes.into_iter().find(|process| process["name"] == component).expect("it is listed");
        of_it["status"]["incarnation"].as_str().expect("its start").to_owned()
    }
}

impl Drop for Deployed<'_> {
    fn drop(&mut self) {
        let mut down = std::process::Command::new(Home::program());
        let _ = down.args(self.home.flags()).args(["deploy", "down", "--dir", self.dir()]).output();
    }
}

/// Everything on this machine that belongs to an environment's project.
async fn left_of(engine: &Engine, variables: &str) -> String {
    let project = variables.lines().find_map(|line| line.strip_prefix("COMPOSE_PROJECT_NAME=")).expect("its name");
    let (compose, own) =
        (format!("label=com.docker.compose.project={project}"), format!("label=operator.lab={project}"));
    let mut left = String::new();
    for (list, label) in [
        (&["ps", "--all", "--quiet"][..], &compose),
        (&["network", "ls", "--quiet"], &compose),
        (&["volume", "ls", "--quiet"], &compose),
        (&["images", "--quiet"], &own),
    ] {
        let listed = tokio::process::Command::new(&engine.docker).args(list).args(["--filter", label]).output().await;
        left += &String::from_utf8_lossy(&listed.expect("docker answers").stdout);
    }
    left
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Waits for the ticket of an invariant and gives what is said of it.
async fn ticket(operator: &mut OperatorProcess, invariant: &str, within: Duration) -> Value {
    let deadline = Instant::now() + within;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let event = operator.told("ticket.opened", left).await;
        if event["body"]["invariant"] == invariant {
            return event;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_container_is_started_again_and_one_that_lost_its_network_is_told_from_a_dead_one() {
    let engine = match Engine::detect().await {
        Ok(engine) => engine,
        Err(why) => return println!("skipped: no engine ({why})"),
    };
    let home = Home::new("[operator]\ninterval = \"1s\"\n");
    let deployed = Deployed::up(&home).await;
    let variables = read(&deployed.folder.join("compose").join(".env"));
    println!("{}", read(&deployed.folder.join("compose").join("CONTENTS")));

    let scale = ["--set", "subject.limiter.time_scale=0.2", "--autonomy", "auto", "--lab", deployed.dir()];
    let mut operator = OperatorProcess::start(&home, &scale);
    operator.ready().await;
    operator.await_calm(PATIENCE).await;

    // Stopped in order, as `docker stop` does it.
    deployed.inject("stop_container", "node-2").await;
    let before = deployed.start_of("node-2").await;
    let begun = Instant::now();
    let opened = ticket(&mut operator, "node_down", LEAVING + PATIENCE).await;
    println!("node_down {:?} after docker stop", begun.elapsed());
    assert!(opened["body"].to_string().contains("node-2"), "{opened}");
    let diagnosis = operator.told("diagnosis.made", PATIENCE).await;
    assert_eq!(diagnosis["body"]["class"], "ComponentDown", "{diagnosis}");
    let verified = operator.told("verification.ended", PATIENCE).await;
    assert_eq!(verified["body"]["outcome"], "cleared", "{verified}");
    operator.await_calm(PATIENCE).await;
    assert_ne!(deployed.start_of("node-2").await, before, "it was started again");
    let done = home.ask(0, &["actions", "list"]).await.to_string();
    assert!(done.contains("start_component") && done.contains("node-2"), "{done}");
    deployed.call(0, &["chaos", "clear"]).await;

    // Off the network on which Redis is: it answers, and the link is at fault.
    deployed.inject("disconnect_network", "node-3").await;
    let opened = ticket(&mut operator, "redis_disconnected", PATIENCE).await;
    assert!(opened["body"].to_string().contains("node-3"), "{opened}");
    let diagnosis = operator.told("diagnosis.made", PATIENCE).await;
    assert_eq!(diagnosis["body"]["class"], "LinkDown", "{diagnosis}");
    let cleared = deployed.call(0, &["chaos", "clear"]).await;
    assert!(cleared["cleared"]["left"].as_array().is_some_and(Vec::is_empty), "{cleared}");
    operator.await_calm(PATIENCE).await;

    assert_eq!(operator.stop().await.code(), Some(0));
    deployed.call(0, &["deploy", "down"]).await;
    assert_eq!(left_of(&engine, &variables).await, "");
}
