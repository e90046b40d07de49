//! Asking about every case, one after the other, resumably.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use operator_lab::cases::{AnswerKey, AnswerLog, Mark, RecordedCase, StoredAnswer};
use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{Answer, Diagnoser, Diagnosis, Inquiry, Reasoner};

use super::{ANSWERS, Who, print, read};
use crate::app::App;
use crate::exit::{Exit, Failure, with_causes};
use crate::output::say;
use crate::signals::Stop;

/// Who is asked about what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cases
    #[arg(long, value_name = "DIR")]
    cases: PathBuf,
    /// Where the answers go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Who is asked; may be given several times
    #[arg(long = "as", value_name = "WHO", default_value = "reasoner")]
    who: Vec<Who>,
    /// At most so many cases of those that are not answered yet
    #[arg(long, value_name = "N", default_value_t = usize::MAX)]
    limit: usize,
}

pub(super) async fn run(app: &App, args: &Args) -> Result<Exit, Failure> {
    let cases = read(&args.cases)?;
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Failure::failed(format!("make {}", args.out.display()), error))?;
    let keep = |error| Failure::failed("keep the answers", with_causes(&error));
    let mut log = AnswerLog::open(args.out.join(ANSWERS)).map_err(keep)?;
    let config = app.config()?;
    let model = match args.who.iter().any(|who| *who != Who::Reasoner) {
        true => Some(crate::model::open(&config).map_err(|why| {
            Failure::usage(why)
                .next("a model is named by [llm] of the configuration, or by --set llm.base_url=… and so on")
        })?),
        false => None,
    };
    let model_name = model.as_ref().map(|model| model.name().to_owned()).unwrap_or_default();
    let mut stop = Stop::listen()?;
    for who in &args.who {
        let name = name(*who, &model_name, config.llm.tools);
        let key = |case: &RecordedCase| AnswerKey { diagnoser: name.clone(), case: case.id.clone() };
        let open: Vec<_> = cases.iter().filter(|case| !log.has(&key(case))).take(args.limit).collect();
        for (index, case) in open.iter().enumerate() {
            let begun = Instant::now();
            let answered = tokio::select! {
                answered = answer(*who, model.as_ref().map(|model| &model.diagnoser), case) => answered,
                () = stop.asked() => {
                    return Err(Failure::failed("ask about every case", "it was stopped")
                        .next("the same command goes on where it stopped"));
                }
            };
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let stored = StoredAnswer::judged(&name, case, took, answered);
            say(&format!("{}/{} {name} {}: {}", index + 1, open.len(), case.id, one(&stored)));
            log.push(stored).map_err(keep)?;
        }
    }
    print(app, &log.answers().cloned().collect::<Vec<_>>())?;
    Ok(Exit::Clean)
}

/// What the answers are kept under: answers of another model or by another way of asking are others.
fn name(who: Who, model: &str, tools: bool) -> String {
    let how = if tools { ", tools" } else { "" };
    match who {
        Who::Reasoner => "reasoner".to_owned(),
        Who::Model => format!("model ({model}{how})"),
        Who::Both => format!("both ({model}{how})"),
    }
}

async fn answer(who: Who, model: Option<&Arc<dyn Diagnoser>>, case: &RecordedCase) -> Result<Answer, String> {
    let reasoner = Reasoner::new();
    let reasoned = reasoner.explain(&case.pack, &case.actions);
    let blank = blank(reasoned.clone());
    let reasoned = match (who, model) {
        (Who::Model, Some(_)) => &blank,
        (Who::Both, Some(_)) => &reasoned,
        _ => return Ok(reasoned.into()),
    };
    let Some(model) = model else { return Err("there is no model".to_owned()) };
    let inquiry =
        Inquiry { pack: &case.pack, actions: &case.actions, investigation: &case.looks, reasoned: Some(reasoned) };
    model.diagnose(inquiry).await.map_err(|error| error.to_string())
}

/// A diagnosis that decides nothing and ranks nothing: what a model alone is given, and falls back to.
fn blank(mut diagnosis: Diagnosis) -> Diagnosis {
    let primary = &mut diagnosis.primary;
    (primary.class, primary.locus) = (FaultClass::Unknown, Locus::Nothing);
    "nobody has ranked anything".clone_into(&mut primary.statement);
    (primary.supporting, primary.contradicting) = (Vec::new(), Vec::new());
    (primary.probability, primary.score) = (0.0, 0.0);
    (diagnosis.alternatives, diagnosis.recommended_actions) = (Vec::new(), Vec::new());
    (diagnosis.readings, diagnosis.timeline, diagnosis.affected) = (Vec::new(), Vec::new(), Vec::new());
    (diagnosis.commands, diagnosis.risks, diagnosis.missing) = (Vec::new(), Vec::new(), Vec::new());
    "wait and observe".clone_into(&mut diagnosis.recommended_action);
    diagnosis.confidence = operator_reasoner::Confidence { word: "low".to_owned(), probability: 0.0 };
    diagnosis
}

fn one(stored: &StoredAnswer) -> String {
    let mark = match stored.mark {
        Mark::Right => "right",
        Mark::RightPlace => "right place",
        Mark::Wrong => "WRONG",
        Mark::Abstained => "abstained",
        Mark::None => "no answer",
    };
    let said = stored.answer.as_ref().map_or_else(
        || stored.error.clone().unwrap_or_default(),
        |answer| {
            let primary = &answer.diagnosis.primary;
            let outcome = answer.deliberation.as_ref().map(|one| super::told::outcome(&one.outcome));
            format!("{} at {} {}", primary.class, primary.locus.to_text(), outcome.unwrap_or_default())
        },
    );
    format!("{mark}, {said} ({:.1} s)", stored.took_ms as f64 / 1e3)
}
