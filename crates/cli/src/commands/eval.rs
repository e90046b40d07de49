//! `operator eval`: measures the operator on scenarios whose truth is known.

use clap::Subcommand;
use operator_lab::scenario;
use serde_json::json;

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::output::Table;
use crate::registry;

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the scenarios
    #[command(after_help = "Example:\n  operator eval list")]
    List,
}

/// Does what `verb` says.
///
/// # Errors
/// When a scenario is wrong.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List => list(app)?,
    }
    Ok(Exit::Clean)
}

fn list(app: &App) -> Result<(), Failure> {
    let mut found = Vec::new();
    for kind in registry::KINDS.iter().filter(|kind| kind.lab.is_some()) {
        let wrong = |error| Failure::failed("read the scenarios", error);
        for (id, file) in scenario::all(kind.kind).map_err(wrong)? {
            let scenario = file.with_seed(0).map_err(wrong)?;
            let truth = &scenario.truth;
            let right = truth.hypotheses.iter().flat_map(|one| one.classes.iter().map(move |class| format!("{class} at {}", one.locus)));
            let right = right.collect::<Vec<_>>().join(" or ");
            found.push((kind.kind, id, scenario.title.clone(), right));
        }
    }
    let document: Vec<_> = found
        .iter()
        .map(|(kind, id, title, right)| json!({ "subject": kind, "id": id, "title": title, "truth": right }))
        .collect();
    app.output.print("scenarios", &document, || {
        let mut table = Table::new(&["subject", "id", "title", "true with seed 0"]);
        for (kind, id, title, right) in &found {
            table.row([*kind, id, title, right]);
        }
        table.render()
    })
}
