//! `operator chaos`: breaks an environment for real, and takes it back.

use clap::Subcommand;
use operator_lab::environment::FaultRequest;
use operator_protocols::Value;

use crate::app::App;
use crate::commands::lab::{Where, failed};
use crate::exit::{Exit, Failure};
use crate::output::Table;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the faults that the environment offers
    #[command(after_help = "Example:\n  operator chaos list --dir ./lab")]
    List(Where),
    /// Break something; how to take it back is on disk before
    #[command(after_help = "Example:\n  operator chaos inject kill_node node=node-2 --dir ./lab")]
    Inject {
        /// The fault's name or number
        fault: String,
        /// Its parameters
        #[arg(value_name = "NAME=VALUE")]
        params: Vec<String>,
        /// Which environment
        #[command(flatten)]
        at: Where,
    },
    /// Take back everything that was broken; exits 3 when something is left
    #[command(after_help = "Example:\n  operator chaos clear --dir ./lab")]
    Clear(Where),
}

/// Does what `verb` says.
///
/// # Errors
/// When the environment does not answer, or refuses.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List(at) => {
            let faults = at.client(app)?.faults().await.map_err(failed)?;
            app.output.print("faults", &faults, || {
                let mut table = Table::new(&["id", "fault", "what happens", "parameters"]);
                for fault in &faults {
                    let params: Vec<_> = fault.params.iter().map(|(name, about)| format!("{name}: {about}")).collect();
                    table.row([fault.id.clone(), fault.kind.clone(), fault.description.clone(), params.join("; ")]);
                }
                table.render()
            })?;
            Ok(Exit::Clean)
        }
        Verb::Inject { fault, params, at } => {
            let injected = at.client(app)?.inject(request(&fault, &params)?).await.map_err(failed)?;
            app.output.print("injected", &injected, || format!("{} (entry {})", injected.what, injected.number))?;
            Ok(Exit::Clean)
        }
        Verb::Clear(at) => {
            let cleared = at.client(app)?.clear().await.map_err(failed)?;
            app.output.print("cleared", &cleared, || {
                let undone = cleared.undone.iter().map(|what| format!("taken back: {what}"));
                let left = cleared.left.iter().map(|what| format!("LEFT: {what}"));
                let lines: Vec<_> = undone.chain(left).collect();
                if lines.is_empty() { "nothing was broken".to_owned() } else { lines.join("\n") }
            })?;
            Ok(if cleared.left.is_empty() { Exit::Clean } else { Exit::Found })
        }
    }
}

fn request(fault: &str, params: &[String]) -> Result<FaultRequest, Failure> {
    let mut request = FaultRequest::new(fault);
    for param in params {
        let (name, text) = param
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("{param}: expected NAME=VALUE, like node=node-2")))?;
        let value = text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
        request = request.with(name, value);
    }
    Ok(request)
}
