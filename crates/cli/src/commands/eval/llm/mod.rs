//! `operator eval llm`: a language model on recorded cases, beside the reasoner.

mod ask;
mod keep;
mod told;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use operator_lab::cases::{AnswerLog, RecordedCase, StoredAnswer, check, read_cases, tallies};
use serde_json::json;

pub(super) use keep::keep;

use crate::app::App;
use crate::exit::{Exit, Failure, with_causes};

/// The answers within a folder.
const ANSWERS: &str = "answers.jsonl";

/// What to do with recorded cases.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make cases of public root-cause data whose truth is known; `operator eval run … --cases DIR` makes them of runs
    #[command(after_help = "Example:\n  operator eval llm cases --input ./petshop --out ./cases --without-fault 20")]
    Cases {
        /// A folder with a manifest.json in the layout of PetShop or Nezha
        #[arg(long, value_name = "DIR")]
        input: PathBuf,
        /// Where the cases go
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// At most so many cases with a fault, evenly over all
        #[arg(long, value_name = "N", default_value_t = usize::MAX)]
        limit: usize,
        /// At most so many slices of the healthy past, evenly over all
        #[arg(long, value_name = "N", default_value_t = 0)]
        without_fault: usize,
    },
    /// Ask about every case; what was answered already is kept
    #[command(
        after_help = "Example:\n  operator eval llm run --cases ./cases --out ./answers --as reasoner --as both --set llm.provider=openai-compatible --set llm.base_url=http://127.0.0.1:8080 --set llm.model=local --set llm.tools=false"
    )]
    Run(Box<ask::Args>),
    /// Hold stored answers against the evidence once more, by other code than the diagnoser's; exits 3 when anything is
    /// found
    #[command(after_help = "Example:\n  operator eval llm check --cases ./cases --answers ./answers")]
    Check {
        /// The cases
        #[arg(long, value_name = "DIR")]
        cases: PathBuf,
        /// The folder that `operator eval llm run` wrote to
        #[arg(long, value_name = "DIR")]
        answers: PathBuf,
    },
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// The reasoner alone
    Reasoner,
    /// The model alone: it is given no ranking, and where its answer does not hold there is none
    Model,
    /// The model with the reasoner's ranking, and the reasoner's answer where the model's does not hold
    Both,
}

pub(super) async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Cases { input, out, limit, without_fault } => {
            let written = keep::of_public_data(&input, &out, limit, without_fault)?;
            app.output
                .print("cases", &json!({ "cases": written }), || format!("{written} cases in {}", out.display()))?;
            Ok(Exit::Clean)
        }
        Verb::Run(args) => ask::run(app, &args).await,
        Verb::Check { cases, answers } => checked(app, &cases, &answers),
    }
}

fn read(folder: &Path) -> Result<Vec<RecordedCase>, Failure> {
    read_cases(folder).map_err(|error| Failure::failed("read the cases", with_causes(&error)))
}

fn print(app: &App, answers: &[StoredAnswer]) -> Result<(), Failure> {
    let tallies = tallies(answers);
    app.output.print("answers", &tallies, || told::tallies(&tallies))
}

fn checked(app: &App, cases: &Path, answers: &Path) -> Result<Exit, Failure> {
    let cases = read(cases)?;
    let answers = AnswerLog::read(&answers.join(ANSWERS))
        .map_err(|error| Failure::failed("read the answers", with_causes(&error)))?;
    let mut results = Vec::new();
    for stored in &answers {
        let Some(answer) = &stored.answer else { continue };
        let case = cases.iter().find(|case| case.id == stored.key.case);
        let case = case.ok_or_else(|| Failure::failed("check the answers", format!("no case {}", stored.key.case)))?;
        results.push((&stored.key, check::check(case, answer)));
    }
    let found = results.iter().any(|(_, checked)| !checked.objections.is_empty());
    let document: Vec<_> = results.iter().map(|(key, checked)| json!({ "of": key, "checked": checked })).collect();
    app.output.print("checked", &document, || told::checked(&results))?;
    Ok(if found { Exit::Found } else { Exit::Clean })
}
