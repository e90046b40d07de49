//! Planning and asking for an action.

use std::collections::BTreeMap;

use operator_core::Command;
use operator_protocols::{Locus, Value};

use crate::app::App;
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

fn parse_params(params: &[String]) -> Result<BTreeMap<String, Value>, Failure> {
    let mut parsed = BTreeMap::new();
    for param in params {
        let (name, text) = param
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--param {param}: expected NAME=VALUE, like ttl_s=600")))?;
        // A value that is JSON is what it says; everything else is text.
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::Text(text.to_owned()));
        if parsed.insert(name.to_owned(), value).is_some() {
            return Err(Failure::usage(format!("--param {name} is given twice")));
        }
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_what_its_json_says_or_text() {
        let given = ["n=3", "f=1.5", "b=true", "t=node-1", "q=\"3\""].map(str::to_owned);
        let params = parse_params(&given).expect("right");
        assert_eq!(params["n"], Value::Int(3));
        assert_eq!(params["f"], Value::Float(1.5));
        assert_eq!(params["b"], Value::Bool(true));
        assert_eq!(params["t"], "node-1".into());
        assert_eq!(params["q"], "3".into());
        for wrong in [&["n"][..], &["n=1", "n=2"]] {
            let wrong: Vec<_> = wrong.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(parse_params(&wrong).expect_err("wrong").code(), 2);
        }
    }
}
