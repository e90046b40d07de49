//! `operator replay`: runs the whole loop over a recording; the same recording gives the same answer, byte for byte.

use std::path::PathBuf;
use std::sync::Arc;

use operator_core::canonical_json;
use operator_core::engine::{ReplayReport, replay};
use operator_core::recorder::Recording;
use operator_core::store::sqlite::SqliteStore;
use operator_protocols::SubjectConfig;
use operator_reasoner::Reasoner;

use crate::app::App;
use crate::commands::run::line_text;
use crate::config::SubjectEntry;
use crate::exit::{Exit, Failure, with_causes};
use crate::host::Watched;
use crate::narrate::narrate;
use crate::output::{Format, Output, say, write_out};
use crate::registry;

/// What to replay.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  operator replay evening.jsonl --output json | sha256sum\n\nExits 3 when the loop went another way than the recorded one. The JSON has its times as the recording has them, so that two runs compare byte for byte."
)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Also run what a recording that was cut off says of its last, unfinished cycle
    #[arg(long)]
    unfinished: bool,
}

/// Runs the loop over the recording.
///
/// # Errors
/// When the file cannot be read, is no recording, or is of a kind that this program does not know.
pub async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let shown = args.file.display().to_string();
    let mut recording = Recording::read(&args.file).map_err(|error| {
        Failure::failed(format!("replay {shown}"), with_causes(&error))
            .next("an operator keeps a recording of every incident in its state directory, under recordings")
    })?;
    if args.unfinished {
        recording.keep_unfinished();
    } else if recording.unfinished() > 0 {
        say(&format!("{} records of an unfinished cycle are left out", recording.unfinished()));
    }
    let about = recording.header().descriptor.clone();
    // A recording made by an older operator does not say.
    let recorded = recording.header().engine.get("subject").cloned().unwrap_or_default();
    let recorded: SubjectConfig = serde_json::from_value(recorded).unwrap_or_default();
    let checker = checker(app, &about.subject, &about.kind, recorded)?;
    let state = tempfile::Builder::new()
        .prefix("operator-replay-")
        .tempdir()
        .map_err(|error| Failure::failed("make a folder for the replay's state", error))?;
    let store = Arc::new(SqliteStore::open(state.path())?);
    let report = replay(recording, checker, Arc::new(Reasoner::new()), store)
        .await
        .map_err(|error| Failure::failed(format!("replay {shown}"), with_causes(&error)))?;
    match app.output.format {
        Format::Json => write_out(&canonical_json(&report))?,
        Format::Text => app.output.text(&text(&app.output, &report))?,
    }
    Ok(if report.divergences.is_empty() { Exit::Clean } else { Exit::Found })
}

/// The judge that the recorded subject had: as it is configured here, else as it was recorded, else with its kind's
/// examples where a setting is needed to make it. Nothing is connected to.
fn checker(
    app: &App,
    name: &str,
    kind: &str,
    recorded: SubjectConfig,
) -> Result<Box<dyn operator_protocols::InvariantChecker>, Failure> {
    let config = app.config()?;
    let known = registry::find(kind).ok_or_else(|| {
        Failure::usage(format!(
            "the recording is of a {kind:?}, which this program does not know; {}",
            registry::known()
        ))
    })?;
    let mut subject = config.own_settings(name)?.config;
    subject.kind = kind.to_owned();
    for (setting, value) in recorded.settings {
        subject.settings.entry(setting).or_insert(value);
    }
    for (setting, example) in known.settings {
        let example = serde_json::from_str(example).unwrap_or_else(|_| operator_protocols::Value::from(*example));
        subject.settings.entry((*setting).to_owned()).or_insert(example);
    }
    Ok(Watched::make(&SubjectEntry::new(subject), &config.engine, None)?.checker)
}

fn text(output: &Output, report: &ReplayReport) -> String {
    let mut lines: Vec<String> = report.events.iter().flat_map(narrate).map(|line| line_text(output, &line)).collect();
    lines.push(format!(
        "\n{} cycles: {} tickets, {} incidents, {} diagnoses, {} actions",
        report.cycles,
        report.tickets.len(),
        report.incidents.len(),
        report.diagnoses.len(),
        report.executions.len()
    ));
    for divergence in &report.divergences {
        lines.push(format!("went another way: {divergence}"));
    }
    lines.join("\n")
}
