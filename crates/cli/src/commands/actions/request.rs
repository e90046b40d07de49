//! Planning and asking for an action.

use operator_core::Command;
use operator_protocols::Locus;

use crate::app::App;
use crate::commands::params::parse_params;
use crate::exit::Failure;

/// What to plan.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// What would be done about this incident
    #[arg(long, value_name = "ID", conflicts_with_all = ["action", "target"])]
    incident: Option<String>,
    /// The action
    #[arg(required_unless_present = "incident", requires = "target")]
    action: Option<String>,
    /// What to aim it at: component:NAME, entity:KIND:KEY or nothing
    target: Option<String>,
    /// A parameter; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
}

/// What to ask for.
#[derive(Debug, clap::Args)]
pub struct RequestArgs {
    /// The action
    action: String,
    /// What to aim it at: component:NAME, entity:KIND:KEY or nothing
    target: String,
    /// A parameter; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn plan(app: &App, args: PlanArgs) -> Result<(), Failure> {
    if let Some(incident) = args.incident {
        let id = incident.clone();
        return app.command(Some(&id), Command::PlanIncident { incident }).await;
    }
    let (Some(action), Some(target)) = (args.action, args.target) else {
        return Err(Failure::usage("name an action and its target, or --incident ID"));
    };
    let target = self::target(app, &target).await?;
    let params = parse_params(&args.params)?;
    app.command(None, Command::Plan { action, target, params }).await
}

pub(super) async fn request(app: &App, args: RequestArgs) -> Result<(), Failure> {
    let target = target(app, &args.target).await?;
    let params = parse_params(&args.params)?;
    app.command(None, Command::Request { action: args.action, target, params, reason: args.reason }).await
}

/// The target within the subject that is meant: the one named, or the only one the operator watches.
async fn target(app: &App, text: &str) -> Result<Locus, Failure> {
    let subject = match &app.subject {
        Some(subject) => subject.clone(),
        None => {
            let mut watched = super::super::subjects::watched(app).await?;
            match watched.len() {
                1 => watched.remove(0),
                _ => {
                    let names = watched.join(", ");
                    return Err(Failure::usage(format!("which subject? name one of {names} with --subject")));
                }
            }
        }
    };
    Locus::parse(&subject, text).map_err(|error| Failure::usage(error.to_string()))
}
