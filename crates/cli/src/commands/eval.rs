//! `operator eval`: measures the operator on scenarios whose truth is known.

mod llm;
mod rca;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use operator_lab::cases::Keeping;
use operator_lab::eval::{EvalOptions, Progress, run_campaign};
use operator_lab::scenario;
use operator_lab::scorecard::{Regression, ResultLog, RunOutcome, RunResult, Scorecard};
use operator_reasoner::{Diagnoser, Reasoner};
use serde_json::json;

use crate::app::App;
use crate::commands::deploy::lab;
use crate::config::parse_duration;
use crate::exit::{Exit, Failure, with_causes};
use crate::output::{Table, say};
use crate::registry;
use crate::signals::Stop;

/// The results within a campaign's folder.
const RESULTS: &str = "results.jsonl";

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the scenarios
    #[command(after_help = "Example:\n  operator eval list")]
    List,
    /// Run scenarios against the real loop over a system that is really broken; results that are there already are kept
    #[command(
        after_help = "Example:\n  operator eval run ratelimiter --scenario R1 --scenario R7 --seeds 2 --out ./eval\n\nExits 3 when a run did not do everything right, or is worse than the baseline."
    )]
    Run(RunArgs),
    /// Measure how much load a system sustains: the rate is raised until it is not
    #[command(after_help = "Example:\n  operator eval saturation ratelimiter --output json")]
    Saturation {
        /// The kind of system
        kind: String,
    },
    /// Answer cases of public root-cause data, and say how often the answer was right where the data says so; ties count
    /// against it
    #[command(
        after_help = "Example:\n  operator eval rca --input ./petshop --out answers.json\n\nThe file holds {\"cases\": [{\"id\", \"abstained\", \"ranking\": [{\"service\", \"score\"}]}]}."
    )]
    Rca(rca::Args),
    /// Ask a language model about recorded cases, beside the reasoner, and hold what it answered against the evidence
    #[command(subcommand)]
    Llm(llm::Verb),
    /// Compare two campaigns; exits 3 when the second is worse
    #[command(after_help = "Example:\n  operator eval compare ./eval-before ./eval-after")]
    Compare {
        /// The baseline: a campaign's folder, or its results.jsonl
        before: PathBuf,
        /// What is held against it
        after: PathBuf,
    },
}

/// What to run.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The kind of system
    kind: String,
    /// A scenario; may be given several times; all but the long one (H1), if none is named
    #[arg(long = "scenario", value_name = "ID")]
    scenarios: Vec<String>,
    /// How many seeds of each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Requests a second, in place of what the scenarios say
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: Option<u32>,
    /// Where results and recordings go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What graces are multiplied by; 1 is as in production
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_scale: f64,
    /// From cycle to cycle
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    interval: Duration,
    /// Keep what the first diagnosis of each run was given, as a recorded case, in this folder
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// A campaign to compare with
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
}

/// Does what `verb` says.
///
/// # Errors
/// When a scenario is wrong.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List => {
            list(app)?;
            Ok(Exit::Clean)
        }
        Verb::Run(args) => campaign(app, args).await,
        Verb::Saturation { kind } => saturation(app, &kind).await,
        Verb::Rca(args) => rca::run(app, &args),
        Verb::Llm(verb) => llm::run(app, verb).await,
        Verb::Compare { before, after } => compare(app, &read(&before)?, &read(&after)?),
    }
}

async fn campaign(app: &App, args: RunArgs) -> Result<Exit, Failure> {
    lab(&args.kind)?;
    let wrong = |what: &str| Err(Failure::usage(what.to_owned()));
    if !(0.001..=10.0).contains(&args.time_scale) {
        return wrong("--time-scale: expected a factor from 0.001 to 10");
    }
    if !(Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&args.interval) {
        return wrong("--interval: expected a duration from 100ms to 1h");
    }
    let baseline = args.baseline.as_deref().map(read).transpose()?;
    let keeping = Arc::new(Keeping::new(Arc::new(Reasoner::new())));
    let diagnoser: Arc<dyn Diagnoser> = keeping.clone();
    if let Some(folder) = &args.cases {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::failed(format!("make {}", folder.display()), error))?;
    }
    let kind = args.kind.clone();
    let mut unkept = Vec::new();
    let mut keep = |progress: &Progress| {
        let kept = keeping.take();
        if let (Progress::Ends { result }, Some(folder)) = (progress, &args.cases)
            && let Err(why) = llm::keep(folder, &kind, result, kept)
        {
            unkept.push(why);
        }
    };
    let options = EvalOptions {
        subject: args.kind,
        scenarios: args.scenarios,
        seeds: args.seeds,
        rate: args.rate,
        out: args.out,
        time_scale: args.time_scale,
        interval: args.interval,
        diagnoser,
    };
    say(&format!("graces × {}, a cycle every {:?}", options.time_scale, options.interval));
    let mut stop = Stop::listen()?;
    let card = tokio::select! {
        card = run_campaign(&options, |progress| { keep(&progress); say(&told(&progress)); }) => {
            card.map_err(|error| Failure::failed("run the campaign", with_causes(&error)))?
        }
        () = stop.asked() => {
            return Err(Failure::failed("run the campaign to its end", "it was stopped")
                .next("the same command goes on where it stopped"));
        }
    };
    unkept.iter().for_each(|why| say(&format!("no case was kept: {why}")));
    let worse = baseline.as_ref().map(|baseline| card.regressions(baseline));
    app.output.print("eval", &json!({ "scorecard": card, "regressions": worse }), || match &worse {
        Some(worse) => format!("{card}\n{}", regressions(worse)),
        None => card.to_string(),
    })?;
    let worse = worse.is_some_and(|worse| !worse.is_empty());
    Ok(if worse || !card.misses.is_empty() { Exit::Found } else { Exit::Clean })
}

/// The load of the calm scenario, at rising rates.
async fn saturation(app: &App, kind: &str) -> Result<Exit, Failure> {
    lab(kind)?;
    let failed = |error: &dyn std::fmt::Display| Failure::failed("measure the saturation", error.to_string());
    let scenario = scenario::find(kind, "H1").and_then(|file| file.with_seed(0)).map_err(|error| failed(&error))?;
    let stage = operator_lab::eval::Stage::of(kind).map_err(|error| failed(&error))?;
    let folder = tempfile::Builder::new().prefix("saturation-").tempdir().map_err(|error| failed(&error))?;
    let load = scenario.workload.clone();
    let environment = (stage.start)(scenario, folder.path().to_owned()).await.map_err(|error| failed(&error))?;
    let measured = operator_lab::saturation::measure(environment.as_ref(), &load).await;
    environment.shut_down().await.map_err(|error| failed(&error))?;
    let measured = measured.map_err(|error| failed(&error))?;
    app.output.print("saturation", &measured, || {
        let mut table = Table::new(&["asked/s", "answered/s", "p99 ms", "sustained"]);
        for step in &measured.steps {
            let sustained = if step.sustained { "yes" } else { "no" };
            table.row([
                &step.rate.to_string(),
                &format!("{:.0}", step.answered),
                &format!("{:.1}", step.p99_ms),
                &sustained.to_owned(),
            ]);
        }
        format!("{}\nsustained: {} requests a second", table.render(), measured.sustained_rate)
    })?;
    Ok(Exit::Clean)
}

fn told(progress: &Progress) -> String {
    match progress {
        Progress::Begins { key, number, of } => format!("{number}/{of} {} seed {} …", key.scenario, key.seed),
        Progress::Kept { key } => format!("kept {} seed {}", key.scenario, key.seed),
        Progress::Ends { result } => format!("    {}", one(result)),
    }
}

fn one(result: &RunResult) -> String {
    if let RunOutcome::Invalid { why } = &result.outcome {
        return format!("INVALID: {why}");
    }
    let seconds = |ms: Option<u64>| ms.map_or_else(|| "never".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1e3));
    let said = result.diagnosis.as_ref().map_or_else(
        || "no diagnosis".to_owned(),
        |given| {
            let mark = if given.class_right { "right" } else { "WRONG" };
            format!("{} at {} ({mark})", given.class, given.locus)
        },
    );
    let detected = seconds(result.detected_after_ms);
    format!("detected after {detected}, {said}, recovered after {}", seconds(result.recovered_after_ms))
}

fn read(path: &Path) -> Result<Scorecard, Failure> {
    let file = if path.is_dir() { path.join(RESULTS) } else { path.to_owned() };
    let results = ResultLog::read(&file)
        .map_err(|error| Failure::failed(format!("read the results in {}", file.display()), with_causes(&error)))?;
    Ok(Scorecard::of(&results))
}

fn compare(app: &App, before: &Scorecard, after: &Scorecard) -> Result<Exit, Failure> {
    let worse = after.regressions(before);
    app.output.print("regressions", &worse, || regressions(&worse))?;
    Ok(if worse.is_empty() { Exit::Clean } else { Exit::Found })
}

fn regressions(worse: &[Regression]) -> String {
    if worse.is_empty() {
        return "not worse than the baseline".to_owned();
    }
    let mut table = Table::new(&["diagnoser", "worse", "baseline → now"]);
    for one in worse {
        table.row([&one.diagnoser, &one.what, &one.change]);
    }
    table.render()
}

fn list(app: &App) -> Result<(), Failure> {
    let mut found = Vec::new();
    for kind in registry::KINDS.iter().filter(|kind| kind.lab.is_some()) {
        let wrong = |error| Failure::failed("read the scenarios", error);
        for (id, file) in scenario::all(kind.kind).map_err(wrong)? {
            let scenario = file.with_seed(0).map_err(wrong)?;
            let truth = &scenario.truth;
            let right = truth
                .hypotheses
                .iter()
                .flat_map(|one| one.classes.iter().map(move |class| format!("{class} at {}", one.locus)));
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
