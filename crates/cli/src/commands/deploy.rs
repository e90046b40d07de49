//! `operator deploy`: an environment that can be watched and broken, as local processes or in containers.

mod up;

pub(crate) use up::lab;

use clap::Subcommand;
use operator_lab::compose;
use operator_lab::control::ControlError;
use operator_lab::environment::EnvironmentStatus;

use crate::app::App;
use crate::commands::lab::{Where, failed};
use crate::exit::{Exit, Failure};
use crate::output::Table;

/// What to do with an environment.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start an environment and keep it until it is taken down or this process ends
    #[command(
        after_help = "Examples:\n  operator deploy up ratelimiter --dir ./lab --background\n  operator deploy up ratelimiter --compose --dir ./lab --background"
    )]
    Up(up::Args),
    /// End it; in containers also what is left of one whose process was killed
    #[command(after_help = "Example:\n  operator deploy down --dir ./lab")]
    Down(Where),
    /// Show its processes, links and open faults; exits 3 when something is broken on purpose
    #[command(after_help = "Example:\n  operator deploy status --dir ./lab")]
    Status(Where),
}

/// Does what `verb` says.
///
/// # Errors
/// When the environment does not start or does not answer.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Up(args) => up::run(app, args).await,
        Verb::Down(at) => {
            let folder = at.folder(app)?;
            match at.client(app)?.shut_down().await {
                Err(ControlError::NotRunning { .. }) if compose::remains(&folder) => {
                    let failure = |error: &dyn std::fmt::Display| {
                        Failure::failed(format!("take down the containers of {}", folder.display()), error)
                    };
                    let engine = compose::Engine::detect().await.map_err(|error| failure(&error))?;
                    compose::take_down_remains(engine, &folder).await.map_err(|error| failure(&error))?;
                }
                other => other.map_err(failed)?,
            }
            app.output.print("ended", &folder, || format!("the environment in {} is ended", folder.display()))?;
            Ok(Exit::Clean)
        }
        Verb::Status(at) => {
            let status = at.client(app)?.status().await.map_err(failed)?;
            app.output.print("environment", &status, || text(&status))?;
            Ok(if status.open_faults.is_empty() { Exit::Clean } else { Exit::Found })
        }
    }
}

/// The environment for people.
pub(super) fn text(status: &EnvironmentStatus) -> String {
    let mut table = Table::new(&["process", "state", "pid", "address"]);
    for process in &status.processes {
        let report = &process.report;
        let state = match (report.status.running, report.paused, report.declared) {
            (false, ..) => {
                report.status.exit.clone().map_or_else(|| "not running".to_owned(), |how| format!("ended: {how}"))
            }
            (true, true, _) => "paused".to_owned(),
            (true, false, false) => "running, not as declared".to_owned(),
            (true, false, true) => "running".to_owned(),
        };
        let pid = report.pid.map_or_else(|| "–".to_owned(), |pid| pid.to_string());
        table.row([report.name.clone(), state, pid, process.address.clone().unwrap_or_default()]);
    }
    let mut text = format!("{} ({})\n{}", status.subject, status.kind, table.render());
    for fault in &status.open_faults {
        text.push_str(&format!("broken on purpose: {fault}\n"));
    }
    text
}
