//! `operator kill-switch`: stops every action; works when the operator is down.

use clap::Subcommand;
use operator_core::control::{ClientError, ControlReply, ControlRequest};
use operator_core::store::sqlite::{SqliteStore, kill_switch as file};
use operator_core::store::{KillAcknowledgement, KillScope, KillState, Store as _};

use crate::app::{App, unexpected};
use crate::exit::{Exit, Failure};
use crate::host::now;
use crate::output::{Output, Table, say};

/// What to do with the kill switch.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Engage it: when this returns, nothing is sent any more (`touch STATE_DIR/kill-switch` does the same)
    #[command(after_help = "Example:\n  operator kill-switch engage --reason 'it restarts the wrong node'")]
    Engage {
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Release it; needs a reason
    #[command(after_help = "Example:\n  operator kill-switch release --reason 'the policy was corrected'")]
    Release {
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Show which are engaged; exits 3 when one is
    #[command(after_help = "Example:\n  operator kill-switch status")]
    Status,
}

/// Does what `verb` says. With `--subject` it is that subject's switch, without it everything's.
///
/// # Errors
/// When it could not be done, or the running operator refuses.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Engage { reason } => engage(app, reason).await,
        Verb::Release { reason } => release(app, reason).await,
        Verb::Status => status(app).await,
    }
}

fn scope(app: &App) -> KillScope {
    app.subject.clone().map_or(KillScope::Global, KillScope::Subject)
}

async fn engage(app: &App, reason: String) -> Result<Exit, Failure> {
    let scope = scope(app);
    let request = ControlRequest::KillEngage { scope: scope.clone(), reason: reason.clone() };
    let acknowledgement = match ask(app, request).await {
        Ok(ControlReply::KillEngaged { acknowledgement }) => acknowledgement,
        Ok(other) => return Err(unexpected(&other)),
        // Somebody who may not ask may not stop it by other means either.
        Err(error @ ClientError::Fault(_)) => return Err(error.into()),
        Err(error) => {
            say(&format!("the running operator was not asked ({error}): by file"));
            by_file(app, scope, &reason)?
        }
    };
    app.output.print("acknowledgement", &acknowledgement, || acknowledged(&acknowledgement))?;
    Ok(Exit::Clean)
}

fn acknowledged(acknowledgement: &KillAcknowledgement) -> String {
    let mut text = format!("engaged for {}: nothing is claimed any more", acknowledgement.scope);
    if !acknowledgement.row_written {
        text.push_str("\nby file only: it holds for every operator of this host with this state directory");
    }
    if !acknowledgement.file_written {
        text.push_str("\nby row only: the file could not be written");
    }
    if acknowledgement.in_flight.is_empty() {
        text.push_str(if acknowledgement.row_written { "\nnothing is in flight" } else { "" });
    } else {
        text.push_str(&format!("\nin flight, and not called back: {}", acknowledgement.in_flight.join(", ")));
    }
    text
}

fn by_file(app: &App, scope: KillScope, reason: &str) -> Result<KillAcknowledgement, Failure> {
    let dir = app.config()?.state_dir;
    std::fs::create_dir_all(&dir).map_err(|error| Failure::failed(format!("create {}", dir.display()), error))?;
    file::engage_by_file(&dir, &scope, &by(), reason, now())?;
    Ok(KillAcknowledgement { scope, in_flight: Vec::new(), row_written: false, file_written: true })
}

fn by() -> String {
    format!("uid:{}", rustix::process::geteuid().as_raw())
}

async fn release(app: &App, reason: String) -> Result<Exit, Failure> {
    let scope = scope(app);
    let request = ControlRequest::KillRelease { scope: scope.clone(), reason };
    match ask(app, request).await {
        Ok(ControlReply::KillReleased { scope }) => {
            app.output.print("released", &scope, || format!("released for {scope}"))?;
        }
        Ok(other) => return Err(unexpected(&other)),
        Err(error @ ClientError::NoOperator { .. }) => {
            let dir = app.config()?.state_dir;
            let removed = file::release_by_file(&dir, &scope)?;
            let said = if removed { "the file is removed" } else { "there was no file" };
            if stored(app).await?.iter().any(|state| state.scope == scope && state.engaged) {
                // The row can only be released where the audit of it can be written.
                return Err(Failure::failed("release the kill switch", format!("{error}; {said}, and the row stands"))
                    .next("start the operator, which sends nothing as long as the row stands, and release it then"));
            }
            app.output.print("released", &scope, || format!("no operator runs; {said}"))?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Clean)
}

async fn status(app: &App) -> Result<Exit, Failure> {
    let states = match ask(app, ControlRequest::KillStatus {}).await {
        Ok(ControlReply::KillStatus { states }) => states,
        Ok(other) => return Err(unexpected(&other)),
        Err(error @ ClientError::Fault(_)) => return Err(error.into()),
        Err(_) => stored(app).await?,
    };
    let states: Vec<_> = states.into_iter().filter(|state| app.subject.is_none() || concerns(app, state)).collect();
    app.output.print("kill_switches", &states, || rows(&app.output, &states))?;
    Ok(if states.iter().any(|state| state.engaged) { Exit::Found } else { Exit::Clean })
}

fn concerns(app: &App, state: &KillState) -> bool {
    state.scope == KillScope::Global || state.scope == scope(app)
}

/// What row and files say, without an operator.
async fn stored(app: &App) -> Result<Vec<KillState>, Failure> {
    let dir = app.config()?.state_dir;
    match SqliteStore::open_read_only(&dir) {
        Ok(store) => Ok(store.kill_switch().await?),
        Err(_) if !dir.exists() => Ok(Vec::new()),
        Err(_) => Ok(file::engaged_files(&dir)?),
    }
}

fn rows(output: &Output, states: &[KillState]) -> String {
    if !states.iter().any(|state| state.engaged) {
        return "not engaged".to_owned();
    }
    let mut table = Table::new(&["scope", "state", "by", "when", "why"]);
    for state in states {
        let word = match (state.engaged, state.by_file) {
            (true, true) => "ENGAGED (file)",
            (true, false) => "ENGAGED",
            (false, _) => "released",
        };
        let cells =
            [state.scope.to_string(), word.to_owned(), state.by.clone(), output.when(state.at), state.reason.clone()];
        table.row(cells);
    }
    table.render()
}

async fn ask(app: &App, request: ControlRequest) -> Result<ControlReply, ClientError> {
    app.client().await?.request(app.subject.as_deref(), request).await
}
