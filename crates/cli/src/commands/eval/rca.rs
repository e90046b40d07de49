//! `operator eval rca`: the reasoner on public root-cause data.

use std::path::PathBuf;

use operator_lab::rca::{self, Answers, Calibration, Halves, Measured, Score};
use operator_reasoner::Reasoner;

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
    /// Answer again without each of the reasoner's methods, to see what it pays
    #[arg(long)]
    ablate: bool,
}

pub(super) fn run(app: &App, args: &Args) -> Result<Exit, Failure> {
    let read = |error| Failure::failed(format!("read {}", args.input.display()), with_causes(&error));
    let mut cases = rca::read(&args.input).map_err(read)?;
    let asked = cases.len();
    cases.extend(rca::read_without_fault(&args.input).map_err(read)?);
    let reasoner = Reasoner::new();
    let (mut measured, mut answers) = Measured::of(&cases, &reasoner);
    // The slices without a fault are ours, not the manifest's.
    answers.truncate(asked);
    if let Some(out) = &args.out {
        let text =
            serde_json::to_string(&Answers { cases: answers }).map_err(|error| Failure::failed("say it", error))?;
        std::fs::write(out, text).map_err(|error| Failure::failed(format!("write {}", out.display()), error))?;
    }
    if args.ablate {
        measured.ablate(&cases, &reasoner);
    }
    app.output.print("rca", &measured, || told(asked, &measured))?;
    Ok(Exit::Clean)
}

fn told(cases: usize, measured: &Measured) -> String {
    if measured.parts.is_empty() {
        return format!("{cases} cases answered; the manifest says of none what is right");
    }
    let mut text = vec![scores(measured).render()];
    for (half, calibration) in each(&measured.calibration) {
        text.push(format!("how sure it is, {half}:\n{}", bins(calibration).render()));
    }
    if !measured.without.is_empty() {
        text.push(format!("the first is right (where nothing is wrong: abstained):\n{}", ablation(measured).render()));
    }
    text.join("\n\n")
}

fn each<T>(halves: &Halves<T>) -> [(&'static str, &T); 3] {
    [("tune", &halves.tune), ("judge", &halves.judge), ("both", &halves.both)]
}

fn scores(measured: &Measured) -> Table {
    let mut table = Table::new(&[
        "part",
        "half",
        "first",
        "of three",
        "of five",
        "where it decides",
        "abstained",
        "nothing wrong, abstained",
    ]);
    for (part, halves) in &measured.parts {
        for (half, score) in each(halves) {
            table.row([
                part.as_str(),
                half,
                &score.top1.to_string(),
                &score.top3.to_string(),
                &score.top5.to_string(),
                &score.precision.to_string(),
                &score.abstained.to_string(),
                &score.abstained_rightly.to_string(),
            ]);
        }
    }
    table
}

fn bins(calibration: &Calibration) -> Table {
    let mut table = Table::new(&["it says", "on average", "it is right"]);
    for (low, high, bin) in calibration.bins() {
        if let Some(said) = bin.said() {
            table.row([&format!("{low:.1} to {high:.1}"), &format!("{said:.2}"), &bin.right.to_string()]);
        }
    }
    table
}

fn ablation(measured: &Measured) -> Table {
    let right = |score: &Score| if score.top1.of > 0 { score.top1 } else { score.abstained_rightly };
    let mut table = Table::new(&["without", "part", "tune", "judge"]);
    for (without, parts) in std::iter::once((&"–", &measured.parts)).chain(&measured.without) {
        for (part, halves) in parts {
            table.row([*without, part.as_str(), &right(&halves.tune).to_string(), &right(&halves.judge).to_string()]);
        }
    }
    table
}
