//! `operator actions`: what is proposed, under way and done, and a person's decisions on it.

mod decide;
mod request;
mod show;

use clap::Subcommand;
use operator_core::store::{ExecutionFilter, Store as _};
use operator_core::{Command, Execution};

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Table};

/// What to do with actions.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List actions, newest first
    #[command(after_help = "Example:\n  operator actions list --active")]
    List {
        /// Only those that are not over
        #[arg(long)]
        active: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Show one action: what it does, why, every rule of the policy, decisions, attempts
    #[command(after_help = "Example:\n  operator actions show A1")]
    Show {
        /// Its id, or a part of it: A1
        id: String,
    },
    /// Say what would be done and what every rule says of it, without doing it
    #[command(
        after_help = "Examples:\n  operator actions plan --incident I1\n  operator actions plan restart_component component:node-2"
    )]
    Plan(request::PlanArgs),
    /// Ask for an action; it goes through the same policy as the operator's own
    #[command(
        after_help = "Example:\n  operator actions request restart_component component:node-2 --reason 'new settings'"
    )]
    Request(request::RequestArgs),
    /// Approve an action, exactly as it is shown
    #[command(after_help = "Example:\n  operator actions approve A1 --hash 3f9a27c1d04e --reason 'looks right'")]
    Approve(decide::Args),
    /// Reject an action
    #[command(after_help = "Example:\n  operator actions reject A1 --hash 3f9a27c1d04e --reason 'not during the sale'")]
    Reject(decide::Args),
    /// Call an action off that was not sent yet
    #[command(after_help = "Example:\n  operator actions cancel A1 --reason 'done by hand'")]
    Cancel {
        /// Its id, or a part of it
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say what became of an action whose outcome could not be found out
    #[command(after_help = "Example:\n  operator actions settle A1 --happened yes --reason 'seen in its log at 12:03'")]
    Settle {
        /// Its id, or a part of it
        id: String,
        /// Whether it happened
        #[arg(long, value_name = "YES|NO")]
        happened: YesNo,
        /// How that is known
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum YesNo {
    /// It did.
    Yes,
    /// It did not.
    No,
}

/// Does what `verb` says.
///
/// # Errors
/// When the store cannot be read, no operator runs, or it refuses.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List { active, limit } => list(app, active, limit).await?,
        Verb::Show { id } => show::run(app, &id).await?,
        Verb::Plan(args) => request::plan(app, args).await?,
        Verb::Request(args) => request::request(app, args).await?,
        Verb::Approve(args) => decide::run(app, args, true).await?,
        Verb::Reject(args) => decide::run(app, args, false).await?,
        Verb::Cancel { id, reason } => {
            app.command(Some(&id), Command::Cancel { intent: id.clone(), reason }).await?;
        }
        Verb::Settle { id, happened, reason } => {
            let happened = happened == YesNo::Yes;
            app.command(Some(&id), Command::Settle { intent: id.clone(), happened, reason }).await?;
        }
    }
    Ok(Exit::Clean)
}

async fn list(app: &App, active: bool, limit: u32) -> Result<(), Failure> {
    let filter =
        ExecutionFilter { subject: app.subject.clone(), active_only: active, limit, ..ExecutionFilter::default() };
    let executions = app.reader()?.executions(&filter).await?;
    app.output.print("actions", &executions, || rows(&app.output, &executions))
}

/// Actions, a row each.
pub(super) fn rows(output: &Output, executions: &[Execution]) -> String {
    if executions.is_empty() {
        return "no actions".to_owned();
    }
    let mut table = Table::new(&["action", "state", "what", "on", "risk", "proposed", "why"]);
    for execution in executions {
        let proposal = &execution.proposal;
        table.row([
            proposal.id.clone(),
            execution.state.to_string(),
            proposal.action.clone(),
            proposal.target.to_string(),
            proposal.risk.to_string(),
            format!("{} ago", output.ago(proposal.created_at)),
            execution.state_reason.clone(),
        ]);
    }
    table.render()
}
