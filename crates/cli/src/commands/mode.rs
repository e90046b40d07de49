//! `operator mode`: how much is done without asking.

use clap::Subcommand;
use operator_core::Command;
use operator_core::control::{ClientError, ControlReply, ControlRequest};
use operator_core::policy::Autonomy;
use serde_json::{Value, json};

use crate::app::{App, unexpected};
use crate::exit::{Exit, Failure};
use crate::output::{Table, say};

/// What to do with the mode.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show it: of the running operator, or as configured when none runs
    #[command(after_help = "Example:\n  operator mode show")]
    Show,
    /// Set it for every risk, until it is set again or the operator ends
    #[command(after_help = "Example:\n  operator mode set propose --reason 'on call tonight'")]
    Set {
        /// observe, propose, approve or auto
        level: Autonomy,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Does what `verb` says.
///
/// # Errors
/// When the configuration is wrong, no operator runs to set it, or it refuses.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Show => show(app).await?,
        Verb::Set { level, reason } => {
            app.command(None, Command::SetMode { mode: level.name().to_owned(), reason }).await?;
        }
    }
    Ok(Exit::Clean)
}

async fn show(app: &App) -> Result<(), Failure> {
    let asked = match app.client().await {
        Ok(mut client) => client.request(None, ControlRequest::Status {}).await,
        Err(error) => Err(error),
    };
    let status = match asked {
        Ok(ControlReply::Status { status }) => status,
        Ok(other) => return Err(unexpected(&other)),
        Err(ClientError::NoOperator { .. }) => {
            say("no operator runs: as configured");
            let policy = app.config()?.engine.policy;
            let autonomy = json!({ "low": policy.low_risk, "medium": policy.medium_risk, "high": policy.high_risk });
            json!([{ "subject": app.subject.as_deref().unwrap_or("all"), "autonomy": autonomy }])
        }
        Err(error) => return Err(error.into()),
    };
    let of_asked =
        |of: &Value| app.subject.as_ref().is_none_or(|name| of.get("subject").and_then(Value::as_str) == Some(name));
    let status: Vec<_> = status.as_array().into_iter().flatten().filter(|of| of_asked(of)).cloned().collect();
    if let (Some(name), true) = (&app.subject, status.is_empty()) {
        return Err(Failure::usage(format!("the running operator watches no subject {name:?}")));
    }
    app.output.print("mode", &status, || {
        let mut table = Table::new(&["subject", "low risk", "medium risk", "high risk", "kill switch"]);
        for of in &status {
            let level = |risk: &str| text(of.get("autonomy").and_then(|levels| levels.get(risk)));
            let killed = if of.get("killed").and_then(Value::as_bool) == Some(true) { "ENGAGED" } else { "–" };
            table.row([text(of.get("subject")), level("low"), level("medium"), level("high"), killed.to_owned()]);
        }
        table.render()
    })
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or("?").to_owned()
}
