//! `operator eval rca`: the reasoner on public root-cause data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use operator_lab::rca::{self, Answer, Calibration, Case, Score};
use operator_reasoner::Reasoner;
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::exit::{Exit, Failure, with_causes};
use crate::output::Table;

/// Which data.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder with a manifest.json in the layout of PetShop or Nezha
    #[arg(long, value_name = "DIR")]
    input: PathBuf,
    /// Where the answers go, as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What came of it, for programs.
#[derive(Serialize)]
struct Measured {
    parts: BTreeMap<String, Score>,
    calibration: Calibration,
}

pub(super) fn run(app: &App, args: &Args) -> Result<Exit, Failure> {
    let read = |error| Failure::failed(format!("read {}", args.input.display()), with_causes(&error));
    let cases = rca::read(&args.input).map_err(read)?;
    let without_fault = rca::read_without_fault(&args.input).map_err(read)?;
    let reasoner = Reasoner::new();
    let mut measured = Measured { parts: BTreeMap::new(), calibration: Calibration::default() };
    let mut count = |case: &Case| -> Answer {
        let answer = case.answer(&reasoner);
        if case.truth.is_some() {
            measured.parts.entry(case.part.clone()).or_default().count(case, &answer);
            measured.calibration.count(case, &answer);
        }
        answer
    };
    let answers: Vec<Answer> = cases.iter().map(&mut count).collect();
    without_fault.iter().for_each(|case| drop(count(case)));
    if let Some(out) = &args.out {
        let text =
            serde_json::to_string(&json!({ "cases": answers })).map_err(|error| Failure::failed("say it", error))?;
        std::fs::write(out, text).map_err(|error| Failure::failed(format!("write {}", out.display()), error))?;
    }
    app.output.print("rca", &measured, || told(answers.len(), &measured))?;
    Ok(Exit::Clean)
}

fn told(cases: usize, measured: &Measured) -> String {
    if measured.parts.is_empty() {
        return format!("{cases} cases answered; the manifest says of none what is right");
    }
    let mut table =
        Table::new(&["part", "first", "of three", "of five", "where it decides", "nothing wrong, abstained"]);
    for (part, score) in &measured.parts {
        table.row([
            part,
            &score.top1.to_string(),
            &score.top3.to_string(),
            &score.top5.to_string(),
            &score.precision.to_string(),
            &score.abstained_rightly.to_string(),
        ]);
    }
    let mut calibration = Table::new(&["it says", "on average", "it is right"]);
    for (low, high, bin) in measured.calibration.bins() {
        if let Some(said) = bin.said() {
            calibration.row([&format!("{low:.1} to {high:.1}"), &format!("{said:.2}"), &bin.right.to_string()]);
        }
    }
    format!("{}\n\n{}", table.render(), calibration.render())
}
