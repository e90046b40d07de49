//! `operator record`: keeps everything that comes in from a subject, so that the loop can be run over it again.

use std::path::PathBuf;
use std::time::Duration;

use operator_core::control::PrincipalsConfig;
use operator_core::policy::{Autonomy, PolicySettings};
use serde_json::json;

use crate::app::App;
use crate::config::parse_duration;
use crate::exit::{Exit, Failure};
use crate::host::{Host, Pace, Plan, Watched};
use crate::output::say;
use crate::signals::Stop;

/// What to record.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  operator record evening.jsonl --for 10m --subject prod-limiter\n\nIt only observes, beside any operator that runs, and keeps its state apart from it."
)]
pub struct Args {
    /// The file to write; it must not exist
    file: PathBuf,
    /// For how long; until it is stopped, if not given
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    duration: Option<Duration>,
}

/// Records.
///
/// # Errors
/// When the configuration is wrong, the file exists or cannot be written.
pub async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let config = app.config()?;
    let entry = app.one_subject(&config)?;
    let mut watched = Watched::of(&entry, &config.engine).await?;
    watched.settings.policy = PolicySettings {
        low_risk: Autonomy::Observe,
        medium_risk: Autonomy::Observe,
        high_risk: Autonomy::Observe,
        actions: std::collections::BTreeMap::new(),
        ..watched.settings.policy
    };
    let state = tempfile::Builder::new()
        .prefix("operator-record-")
        .tempdir()
        .map_err(|error| Failure::failed("make a folder for the recording's state", error))?;
    let file = std::path::absolute(&args.file).unwrap_or_else(|_| args.file.clone());
    let mut stop = Stop::listen()?;
    let host = Host::start(Plan {
        state_dir: state.path().to_owned(),
        subjects: vec![watched],
        pace: Pace::default(),
        principals: PrincipalsConfig::default(),
        record_to: Some(file.clone()),
        deaf_if_need_be: true,
        agent: None,
    })
    .await?;
    say(&format!("recording {} to {}", entry.config.name, file.display()));
    match args.duration {
        Some(duration) => {
            tokio::select! {
                () = tokio::time::sleep(duration) => {}
                () = stop.asked() => {}
            }
        }
        None => stop.asked().await,
    }
    host.stop().await;
    let bytes = std::fs::metadata(&file)
        .map_err(|error| {
            Failure::failed(format!("record to {}", file.display()), error).next("record for longer than one cycle")
        })?
        .len();
    let recorded = json!({ "file": file, "bytes": bytes, "subject": entry.config.name });
    app.output.print("recorded", &recorded, || format!("{}: {bytes} bytes", file.display()))?;
    Ok(Exit::Clean)
}
