//! Starting an environment: in this process, or in one of its own that outlives this one.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use operator_lab::LabError;
use operator_lab::control::{ControlClient, ControlServer};
use operator_lab::environment::Environment;
use operator_lab::scenario::Scenario;

use crate::app::App;
use crate::commands::deploy::text;
use crate::commands::lab::Where;
use crate::exit::{Exit, Failure};
use crate::output::say;
use crate::registry::{self, InContainers, Lab};
use crate::signals::Stop;

/// How long an environment in the background may take to answer.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The same in containers: an image may have to be made or pulled first.
const CONTAINERS_START_LIMIT: Duration = Duration::from_secs(900);
/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// What to start.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kind of system
    kind: String,
    /// The scenario whose environment and load it is; the first of the demonstration, if none is named
    #[arg(long, value_name = "ID")]
    scenario: Option<String>,
    /// Without load
    #[arg(long)]
    no_load: bool,
    /// In containers, by docker compose, instead of as local processes
    #[arg(long)]
    compose: bool,
    /// In a process of its own, which goes on when this one has ended
    #[arg(long)]
    background: bool,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let what = What::of(&args)?;
    let folder = args.at.folder(app)?;
    if args.background {
        return in_background(app, &args, &folder).await;
    }
    let mut stop = Stop::listen()?;
    let start = |error| Failure::failed(format!("start the environment in {}", folder.display()), error);
    let environment = tokio::select! {
        environment = what.start(&folder, !args.no_load) => environment.map_err(start)?,
        // What was begun goes with the future.
        () = stop.asked() => return Err(Failure::failed("start the environment", "it was told to stop")),
    };
    let server = ControlServer::start(&folder, Arc::clone(&environment)).map_err(start)?;
    let status = environment.status();
    app.output.print("environment", &status, || text(&status))?;
    if matches!(&what, What::Processes(lab, _) if lab.simulated) {
        say(&format!("simulated:   it answers as a {} does, and is none", args.kind));
    }
    if args.compose {
        say(&format!("its project: cd {}/compose && docker compose ps", folder.display()));
        let contents = folder.join("compose").join(operator_lab::compose::image::CONTENTS);
        if contents.is_file() {
            say(&format!("its image:   made from this machine's files that {} lists", contents.display()));
        }
    }
    say(&format!("watch it:    operator run --lab {}", folder.display()));
    say(&format!("break it:    operator chaos list --dir {}", folder.display()));
    say("end it:      operator deploy down, or Ctrl-C here");
    tokio::select! {
        () = stop.asked() => {
            environment.shut_down().await.map_err(|error| Failure::failed("end the environment", error))?;
        }
        () = server.ended() => {}
    }
    Ok(Exit::Clean)
}

/// What to start, and how.
enum What {
    Processes(&'static Lab, Scenario),
    Containers(&'static InContainers, Option<Scenario>),
}

impl What {
    fn of(args: &Args) -> Result<Self, Failure> {
        let scenario_of = |lab: &Lab| {
            let first = lab.demo.first().map(|chapter| chapter.scenario);
            let id = args.scenario.as_deref().or(first).unwrap_or_default();
            (lab.scenario)(id, 0).map_err(|error| Failure::usage(error.to_string()))
        };
        if !args.compose {
            let lab = lab(&args.kind)?;
            if !lab.reachable {
                let why = format!("{} lives within one process, and no other could watch it", args.kind);
                return Err(Failure::usage(why).next(format!(
                    "`operator demo {0}` shows it, `operator eval run {0} --out DIR` judges it",
                    args.kind
                )));
            }
            return Ok(Self::Processes(lab, scenario_of(lab)?));
        }
        let system = registry::in_containers(&args.kind).ok_or_else(|| {
            let known: Vec<_> = registry::IN_CONTAINERS.iter().map(|known| known.kind).collect();
            let known = known.join(", ");
            Failure::usage(format!("{:?} cannot be brought up in containers; these can: {known}", args.kind))
        })?;
        let lab = registry::find(&args.kind).and_then(|known| known.lab);
        let scenario = lab.map(scenario_of).transpose()?;
        if scenario.is_none() && args.scenario.is_some() {
            return Err(Failure::usage(format!("--scenario: there are no scenarios of {}", args.kind)));
        }
        Ok(Self::Containers(system, scenario))
    }

    /// Starts it, and the load that goes with it.
    async fn start(&self, folder: &Path, load: bool) -> Result<Arc<dyn Environment>, LabError> {
        let (environment, scenario) = match self {
            Self::Processes(lab, scenario) => {
                // Whoever watches it from another process does so in real time.
                ((lab.start)(scenario, folder.to_owned(), 1.0).await?.environment, Some(scenario))
            }
            Self::Containers(system, scenario) => {
                ((system.start)(scenario.as_ref(), folder.to_owned()).await?, scenario.as_ref())
            }
        };
        if let Some(scenario) = scenario.filter(|_| load) {
            environment.start_workload(&scenario.workload).await?;
        }
        Ok(environment)
    }
}

/// The laboratory of a kind.
pub(crate) fn lab(kind: &str) -> Result<&'static Lab, Failure> {
    let known =
        registry::find(kind).ok_or_else(|| Failure::usage(format!("unknown kind {kind:?}; {}", registry::known())))?;
    known.lab.ok_or_else(|| Failure::usage(format!("there is no environment for {kind}")))
}

async fn in_background(app: &App, args: &Args, folder: &Path) -> Result<Exit, Failure> {
    let client = ControlClient::new(folder);
    if client.status().await.is_ok() {
        return Err(Failure::failed(format!("start an environment in {}", folder.display()), "one runs there already")
            .next(format!("end it with `operator deploy down --dir {}`, or use another folder", folder.display())));
    }
    let failed = |error: std::io::Error| Failure::failed("start a process for the environment", error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let log = folder.join("deploy.log");
    let out = File::create(&log).map_err(failed)?;
    let err = out.try_clone().map_err(failed)?;
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["deploy", "up", &args.kind, "--dir"]).arg(folder);
    if let Some(scenario) = &args.scenario {
        command.args(["--scenario", scenario]);
    }
    if args.no_load {
        command.arg("--no-load");
    }
    if args.compose {
        command.arg("--compose");
    }
    let limit = if args.compose { CONTAINERS_START_LIMIT } else { START_LIMIT };
    // Neither a Ctrl-C at this terminal nor its end is for it.
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn().map_err(failed)?;
    let begun = Instant::now();
    loop {
        if let Ok(status) = client.status().await {
            app.output.print("environment", &status, || text(&status))?;
            return Ok(Exit::Clean);
        }
        if let Some(ended) = child.try_wait().map_err(failed)? {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let said = said.trim();
            return Err(Failure::failed(
                format!("start the environment in {}", folder.display()),
                format!("{ended}: {said}"),
            ));
        }
        if begun.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            let why = format!("it did not answer within {} s", limit.as_secs());
            return Err(Failure::failed(format!("start the environment in {}", folder.display()), why)
                .next(format!("look into {}", log.display())));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
