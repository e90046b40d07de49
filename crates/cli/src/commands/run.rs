//! `operator run`: one loop a subject, the control socket in front of them, and the story of what happens as it happens.

mod on_screen;

use std::path::{Path, PathBuf};

use operator_core::policy::Autonomy;
use operator_core::{Identity, Principal, Role};
use operator_lab::control::ControlClient as LabClient;
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;
use crate::config::{Config, DiagnoserKind, SubjectEntry, show_duration};
use crate::diagnoser::{self, Choice};
use crate::exit::{Exit, Failure};
use crate::harmless::harmless;
use crate::host::{AgentPlan, Host, Pace, Plan, Told, Watched};
use crate::narrate::{NarrationLine, narrate_told};
use crate::output::{Format, Output, on_terminal, say, write_out};
use crate::screen::ages::time_of_day;
use crate::signals::{Kill, Stop};

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  operator run --config /etc/operator/operator.toml\n  operator run --screen\n  operator run --lab ./lab --autonomy auto\n\nSIGINT and SIGTERM finish the cycle under way and end; SIGUSR1 engages the kill switch."
)]
pub struct Args {
    /// How much is done without asking, whatever is configured: observe, propose, approve or auto
    #[arg(long, value_name = "LEVEL")]
    autonomy: Option<Autonomy>,
    /// Watch the environment that `operator deploy up` runs in this folder, and act on its processes; may be given
    /// several times
    #[arg(long, value_name = "DIR", conflicts_with = "subject")]
    lab: Vec<PathBuf>,
    /// Who explains, whatever is configured: reasoner or llm
    #[arg(long, value_name = "WHO", hide_possible_values = true)]
    diagnoser: Option<DiagnoserKind>,
    /// Wait for the answers of `operator agent start`, which asks the model in a process of its own
    #[arg(long, conflicts_with = "diagnoser")]
    agent_apart: bool,
    /// Show it on a screen instead of telling it line by line
    #[arg(long)]
    screen: bool,
}

/// Runs until it is stopped.
///
/// # Errors
/// When the configuration is wrong, another operator runs, or the store cannot be used.
pub async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let mut config = app.config()?;
    if let Some(level) = args.autonomy {
        let policy = &mut config.engine.policy;
        (policy.low_risk, policy.medium_risk, policy.high_risk) = (level, level, level);
        policy.actions.clear();
    }
    if args.screen && !on_terminal() {
        return Err(Failure::usage("a screen needs a terminal").next("leave --screen out to have it told line by line"));
    }
    let entries = if args.lab.is_empty() { app.subjects(&config)? } else { of_labs(&config, &args.lab).await? };
    let mut subjects = Vec::new();
    for entry in &entries {
        subjects.push(Watched::of(entry, &config.engine).await?);
    }
    let (mut stop, mut kill) = (Stop::listen()?, Kill::listen()?);
    announce(&config, &subjects);
    let agent = agent(&config, &args);
    let host = Host::start(Plan {
        state_dir: config.state_dir.clone(),
        subjects,
        pace: Pace::default(),
        principals: config.principals.clone(),
        record_to: None,
        deaf_if_need_be: false,
        agent,
    })
    .await?;
    let told = if args.screen {
        on_screen::run(app, &host, &mut stop, &mut kill).await
    } else {
        line_by_line(app, &host, &mut stop, &mut kill).await
    };
    say("stopping: the cycle under way is finished");
    host.stop().await;
    told.map(|()| Exit::Clean)
}

/// The agent beside the loops, and who explains, told.
fn agent(config: &Config, args: &Args) -> Option<AgentPlan> {
    if args.agent_apart {
        // It is configured alike, and asks the model that this process does not.
        let choice = Choice::of(config, Some(DiagnoserKind::Llm));
        let patience = diagnoser::patience(config, &choice);
        let waits = show_duration(patience);
        say(&format!("diagnoser       the reasoner; answers of `operator agent start` are waited for up to {waits}"));
        return Some(AgentPlan { diagnoser: None, limits: diagnoser::limits(config, &choice), patience });
    }
    let choice = Choice::of(config, args.diagnoser);
    if choice.missing.is_none() {
        say(&format!("diagnoser       {}", choice.told()));
    }
    choice.warn();
    if let Some(model) = &choice.model {
        say(&format!("talks to        {}", model.destination));
    }
    choice.plan(config)
}

async fn line_by_line(app: &App, host: &Host, stop: &mut Stop, kill: &mut Kill) -> Result<(), Failure> {
    let mut events = host.events();
    loop {
        tokio::select! {
            () = stop.asked() => return Ok(()),
            () = kill.asked() => match host.engage_kill_switch(&whoever_signalled(), "SIGUSR1").await {
                Ok(acknowledged) => say(&format!("kill switch engaged; in flight: {:?}", acknowledged.in_flight)),
                Err(error) => say(&format!("THE KILL SWITCH COULD NOT BE ENGAGED: {error}")),
            },
            told = events.recv() => match told {
                Ok(told) => tell(&app.output, &told, host.loops.len() > 1)?,
                Err(RecvError::Lagged(missed)) => say(&format!("{missed} events are not shown; `operator audit list` has them")),
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }
}

/// Who sent a signal cannot be told, but for the kernel letting nobody do so than this user and root.
fn whoever_signalled() -> Principal {
    let uid = rustix::process::geteuid().as_raw();
    Principal { name: format!("signal to uid:{uid}"), role: Role::Operator, identity: Identity::Peer { uid } }
}

/// The subjects of the environments in `folders`, each as it calls itself.
async fn of_labs(config: &Config, folders: &[PathBuf]) -> Result<Vec<SubjectEntry>, Failure> {
    let mut entries: Vec<SubjectEntry> = Vec::new();
    for folder in folders {
        let failed = |error| Failure::failed(format!("ask the environment in {}", folder.display()), error);
        let name = LabClient::new(folder).subject_config().await.map_err(failed)?.name;
        if let Some(other) = entries.iter().find(|entry| entry.config.name == name) {
            let other = other.lab.as_deref().unwrap_or(Path::new("?"));
            let why =
                format!("the environments in {} and {} are both called {name}", other.display(), folder.display());
            return Err(Failure::usage(why).next(
                "describe each as a [[subject]] with a name of its own, its kind and `lab = \"DIR\"`, in a configuration",
            ));
        }
        // What is configured for a subject of that name goes before what the environment says of itself.
        entries.push(SubjectEntry { lab: Some(folder.clone()), ..config.own_settings(&name)? });
    }
    Ok(entries)
}

/// What will be watched, what may be done, and whom this process will talk to.
fn announce(config: &Config, subjects: &[Watched]) {
    let file = config.file.as_ref().map_or_else(|| "no file: defaults".to_owned(), |path| path.display().to_string());
    say(&format!("configuration   {file}"));
    say(&format!("state directory {}", config.state_dir.display()));
    for watched in subjects {
        let about = watched.subject.descriptor();
        let policy = &watched.settings.policy;
        say(&format!(
            "watching        {} every {}; low risk {}, medium {}, high {}",
            about.subject,
            show_duration(watched.settings.interval),
            policy.low_risk,
            policy.medium_risk,
            policy.high_risk
        ));
        say(&format!("talks to        {}", about.destinations.join(", ")));
    }
}

fn tell(output: &Output, told: &Told, several: bool) -> Result<(), Failure> {
    if output.format == Format::Json {
        let mut value = serde_json::to_value(&told.event).map_err(|error| Failure::failed("print an event", error))?;
        if let (Some(fields), Some(subject)) = (value.as_object_mut(), &told.subject) {
            fields.insert("subject".to_owned(), subject.clone().into());
        }
        crate::output::with_times_in(&mut value, &output.zone);
        return write_out(&value.to_string());
    }
    for line in narrate_told(told) {
        let line = if several { line.with_subject_named() } else { line };
        write_out(&line_text(output, &line))?;
    }
    Ok(())
}

/// A line of the story as a log and a transcript show it.
pub fn line_text(output: &Output, line: &NarrationLine) -> String {
    format!("{} {} {}", time_of_day(line.at, &output.zone), line.tone.glyph(), harmless(&line.text))
}
