//! Approving and rejecting: a decision is on exactly what was shown, which its hash names.

use std::io::{self, BufRead as _, IsTerminal as _};

use operator_core::Command;

use crate::app::App;
use crate::commands::actions::show::proposal_text;
use crate::exit::Failure;
use crate::output::say;

/// The least of a hash that names it: 48 bits cannot be met by chance.
const LEAST_HASH: usize = 12;

/// What to decide on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id, or a part of it: A1
    id: String,
    /// The hash of what was shown, or its first 12 digits; without it you are shown the action and asked
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn run(app: &App, args: Args, approve: bool) -> Result<(), Failure> {
    let execution = app.execution(&app.reader()?, &args.id).await?;
    let id = &execution.proposal.id;
    match &args.hash {
        Some(hash) => {
            let hash = hash.to_ascii_lowercase();
            if hash.len() < LEAST_HASH || !execution.bind_hash.starts_with(&hash) {
                let have = &execution.bind_hash;
                return Err(Failure::usage(format!(
                    "{id} has the hash {have}, not {hash}: what it does is not what was shown"
                ))
                .next(format!("`operator actions show {id}` shows it as it is now")));
            }
        }
        None => ask(&proposal_text(&app.output, &execution), id, approve)?,
    }
    let command =
        Command::Decide { intent: id.clone(), bind_hash: execution.bind_hash.clone(), approve, reason: args.reason };
    app.command(Some(id), command).await
}

/// Shows the action and asks. Only at a terminal: a pipe is nobody who saw it.
fn ask(shown: &str, id: &str, approve: bool) -> Result<(), Failure> {
    let verb = if approve { "approve" } else { "reject" };
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("--hash is missing: a decision names what was shown")
            .next(format!("`operator actions show {id}` shows it with its hash")));
    }
    say(shown);
    say(&format!("Type {verb} to {verb} exactly this:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::failed("read the answer", error))?;
    if answer.trim() == verb { Ok(()) } else { Err(Failure::usage("nothing was decided")) }
}
