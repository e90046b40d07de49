//! `operator run`: one loop a subject, the control socket in front of them, and the story of what happens as it happens.

use std::path::PathBuf;
use std::sync::Arc;

use operator_core::policy::Autonomy;
use operator_core::{AuditEvent, Identity, Principal, Role};
use operator_lab::control::ControlClient as LabClient;
use operator_protocols::Driver;
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;
use crate::config::{Config, SubjectEntry, show_duration};
use crate::exit::{Exit, Failure};
use crate::harmless::harmless;
use crate::host::{Host, Plan, Watched};
use crate::narrate::{NarrationLine, narrate};
use crate::output::{Format, Output, say, write_out};
use crate::screen::ages::time_of_day;
use crate::signals::{Kill, Stop};

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  operator run --config /etc/operator/operator.toml\n  operator run --lab ./lab --autonomy auto\n\nSIGINT and SIGTERM finish the cycle under way and end; SIGUSR1 engages the kill switch."
)]
pub struct Args {
    /// How much is done without asking, whatever is configured: observe, propose, approve or auto
    #[arg(long, value_name = "LEVEL")]
    autonomy: Option<Autonomy>,
    /// Watch the environment that `operator deploy up` runs in this folder, and act on its processes
    #[arg(long, value_name = "DIR", conflicts_with = "subject")]
    lab: Option<PathBuf>,
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
    let subjects = match &args.lab {
        Some(folder) => vec![of_lab(&config, folder).await?],
        None => {
            let entries = app.subjects(&config)?;
            entries.iter().map(|entry| Watched::make(entry, &config.engine, None)).collect::<Result<_, _>>()?
        }
    };
    let (mut stop, mut kill) = (Stop::listen()?, Kill::listen()?);
    announce(&config, &subjects);
    let host = Host::start(Plan {
        state_dir: config.state_dir.clone(),
        subjects,
        principals: config.principals.clone(),
        record_to: None,
        deaf_if_need_be: false,
    })
    .await?;
    let mut events = host.events();
    loop {
        tokio::select! {
            () = stop.asked() => break,
            () = kill.asked() => {
                let who = whoever_signalled();
                match host.engage_kill_switch(&who, "SIGUSR1").await {
                    Ok(acknowledged) => say(&format!("kill switch engaged; in flight: {:?}", acknowledged.in_flight)),
                    Err(error) => say(&format!("THE KILL SWITCH COULD NOT BE ENGAGED: {error}")),
                }
            }
            event = events.recv() => match event {
                Ok(event) => tell(&app.output, &event)?,
                Err(RecvError::Lagged(missed)) => say(&format!("{missed} events are not shown; `operator audit list` has them")),
                Err(RecvError::Closed) => break,
            }
        }
    }
    say("stopping: the cycle under way is finished");
    host.stop().await;
    Ok(Exit::Clean)
}

/// Who sent a signal cannot be told, but for the kernel letting nobody do so than this user and root.
fn whoever_signalled() -> Principal {
    let uid = rustix::process::geteuid().as_raw();
    Principal { name: format!("signal to uid:{uid}"), role: Role::Operator, identity: Identity::Peer { uid } }
}

async fn of_lab(config: &Config, folder: &std::path::Path) -> Result<Watched, Failure> {
    let client = LabClient::new(folder);
    let failed = |error| Failure::failed(format!("ask the environment in {}", folder.display()), error);
    let mut subject = client.subject_config().await.map_err(failed)?;
    // What is configured for a subject of that name goes before what the environment says of itself.
    let own = config.own_settings(&subject.name)?;
    subject.settings.extend(own.config.settings);
    let driver: Arc<dyn Driver> = Arc::new(client);
    let entry = SubjectEntry { config: subject, interval: own.interval };
    Watched::make(&entry, &config.engine, Some(driver))
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

fn tell(output: &Output, event: &AuditEvent) -> Result<(), Failure> {
    if output.format == Format::Json {
        let mut value = serde_json::to_value(event).map_err(|error| Failure::failed("print an event", error))?;
        crate::output::with_times_in(&mut value, &output.zone);
        return write_out(&value.to_string());
    }
    for line in narrate(event) {
        write_out(&line_text(output, &line))?;
    }
    Ok(())
}

/// A line of the story as a log and a transcript show it.
pub fn line_text(output: &Output, line: &NarrationLine) -> String {
    format!("{} {} {}", time_of_day(line.at, &output.zone), line.tone.glyph(), harmless(&line.text))
}
