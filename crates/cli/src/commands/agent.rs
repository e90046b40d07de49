//! `operator agent`: the one who explains, as a daemon beside the operator or asked once.

mod diagnose;
mod report;
mod start;

use std::sync::Arc;

use clap::Subcommand;
use operator_core::agent::{Office, RemoteOffice};
use operator_core::control::{ClientError, ControlReply, ControlRequest};

use crate::app::{App, unexpected};
use crate::config::{Config, DiagnoserKind};
use crate::exit::{Exit, Failure};

/// What the agent is to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Take the incidents of the running operator, the most severe first, until stopped
    #[command(
        after_help = "Examples:\n  operator agent start --diagnoser llm\n  operator run --agent-apart & operator agent start\n\nIt waits for an operator to run, and for the next one when that ends. SIGTERM and SIGINT end it; what it was asking then is dropped, and asked again by whoever comes next."
    )]
    Start {
        /// Who explains, whatever is configured: reasoner or llm
        #[arg(long, value_name = "WHO", hide_possible_values = true)]
        diagnoser: Option<DiagnoserKind>,
    },
    /// Explain one incident now, with or without handing the answer in
    #[command(
        after_help = "Examples:\n  operator agent diagnose limiter-I1 --diagnoser llm\n  operator agent diagnose T1 --markdown > incident.md\n  operator agent diagnose I1 --diagnoser llm --submit --output json"
    )]
    Diagnose(diagnose::Args),
    /// How often explanations were right, wrong and withheld, as people marked them
    #[command(after_help = "Example:\n  operator agent report --output json")]
    Report,
}

/// Does what `verb` says.
///
/// # Errors
/// When the configuration is wrong, or there is nothing to explain.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Start { diagnoser } => start::run(app, diagnoser).await,
        Verb::Diagnose(args) => diagnose::run(app, args).await,
        Verb::Report => report::run(app).await,
    }
}

/// The subjects of the running operator that are asked about.
async fn subjects(app: &App) -> Result<Vec<String>, ClientError> {
    match app.client().await?.request(None, ControlRequest::Ping {}).await? {
        ControlReply::Pong { subjects, .. } => {
            Ok(subjects.into_iter().filter(|name| app.subject.as_ref().is_none_or(|only| only == name)).collect())
        }
        other => Err(ClientError::Io(std::io::Error::other(unexpected(&other).to_string()))),
    }
}

/// Where the running operator's cases are, a subject each.
pub(super) fn office(app: &App, config: &Config, subject: &str) -> Result<Arc<dyn Office>, Failure> {
    let office = RemoteOffice::new(&config.state_dir, subject);
    Ok(match app.token()? {
        Some(token) => Arc::new(office.with_token(token)),
        None => Arc::new(office),
    })
}
