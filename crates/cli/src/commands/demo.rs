//! `operator demo`: the whole story on one screen or as a transcript.

use crate::app::App;
use crate::config::DiagnoserKind;
use crate::demo::{self, Show};
use crate::diagnoser;
use crate::exit::{Exit, Failure};

/// What to show.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  operator demo ratelimiter\n  operator demo ratelimiter --headless\n  operator demo ratelimiter --headless --fail-repair; echo $?\n  operator demo ratelimiter --headless --diagnoser llm --scenario R11\n\nEverything is real: processes are killed, an operator that was told nothing finds out and mends them. Headless, it exits 0 only if every chapter went as it should, and 3 otherwise."
)]
pub struct Args {
    /// The kind of system
    kind: String,
    /// Print the story as a transcript, and exit by its outcome
    #[arg(long)]
    headless: bool,
    /// Only this chapter
    #[arg(long, value_name = "N")]
    chapter: Option<usize>,
    /// Show this scenario in place of the chapters; `operator eval list` lists them
    #[arg(long, value_name = "ID", conflicts_with = "chapter")]
    scenario: Option<String>,
    /// Who explains, whatever is configured: reasoner or llm
    #[arg(long, value_name = "WHO", hide_possible_values = true)]
    diagnoser: Option<DiagnoserKind>,
    /// Make the first repair fail for real, to see what the operator does then
    #[arg(long)]
    fail_repair: bool,
}

/// Shows it.
///
/// # Errors
/// When the environment or the operator cannot be started.
pub async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let (config, choice) = diagnoser::chosen(app, args.diagnoser)?;
    choice.warn();
    let show = Show {
        scenario: args.scenario,
        agent: choice.plan(&config),
        kind: args.kind,
        headless: args.headless,
        chapter: args.chapter,
        fail_repair: args.fail_repair,
    };
    demo::run(app, show).await
}
