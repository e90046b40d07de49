//! Asking about every case, one after the other, resumably.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use operator_core::SystemClock;
use operator_lab::cases::{AnswerKey, AnswerLog, Mark, RecordedCase, StoredAnswer};
use operator_llm::{
    Anthropic, ApiKey, DiagnoserSettings, LlmDiagnoser, OpenAiCompatible, Provider, ProviderSettings, SettingsError,
};
use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{Answer, Diagnoser, Diagnosis, Inquiry, Reasoner};

use super::{ANSWERS, Who, print, read};
use crate::app::App;
use crate::config::parse_duration;
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
    /// The wire format
    #[arg(long, default_value = "openai-compatible")]
    provider: Format,
    /// The server, without the path
    #[arg(long, value_name = "URL", required_if_eq_any([("who", "model"), ("who", "both")]))]
    base_url: Option<String>,
    /// The model, as the server calls it
    #[arg(long, value_name = "NAME", default_value = "local")]
    model: String,
    /// A file with the key, where the server wants one
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Offer the model tools, instead of asking for one answer in a schema
    #[arg(long)]
    tools: bool,
    /// How long one case may take
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    time_limit: Duration,
    /// About how many tokens of evidence the model is given
    #[arg(long, value_name = "TOKENS", default_value_t = 3_500)]
    pack_tokens: usize,
    /// At most so many cases of those that are not answered yet
    #[arg(long, value_name = "N", default_value_t = usize::MAX)]
    limit: usize,
}

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The Messages API
    Anthropic,
    /// Chat completions
    OpenaiCompatible,
}

pub(super) async fn run(app: &App, args: &Args) -> Result<Exit, Failure> {
    let cases = read(&args.cases)?;
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Failure::failed(format!("make {}", args.out.display()), error))?;
    let keep = |error| Failure::failed("keep the answers", with_causes(&error));
    let mut log = AnswerLog::open(args.out.join(ANSWERS)).map_err(keep)?;
    let model = match args.who.iter().any(|who| *who != Who::Reasoner) {
        true => Some(model(args)?),
        false => None,
    };
    let mut stop = Stop::listen()?;
    for who in &args.who {
        let name = name(*who, args);
        let key = |case: &RecordedCase| AnswerKey { diagnoser: name.clone(), case: case.id.clone() };
        let open: Vec<_> = cases.iter().filter(|case| !log.has(&key(case))).take(args.limit).collect();
        for (index, case) in open.iter().enumerate() {
            let begun = Instant::now();
            let answered = tokio::select! {
                answered = answer(*who, model.as_ref(), case) => answered,
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

/// What the answers are kept under: answers through another format or by another way of asking are others.
fn name(who: Who, args: &Args) -> String {
    let format = match args.provider {
        Format::Anthropic => "anthropic",
        Format::OpenaiCompatible => "openai-compatible",
    };
    let how = if args.tools { ", tools" } else { "" };
    match who {
        Who::Reasoner => "reasoner".to_owned(),
        Who::Model => format!("model ({format}{how})"),
        Who::Both => format!("both ({format}{how})"),
    }
}

fn model(args: &Args) -> Result<LlmDiagnoser, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    let url = args.base_url.as_deref().ok_or_else(|| Failure::usage("--base-url: where is the model?".to_owned()))?;
    let key = args.key_file.as_deref().map(ApiKey::from_file).transpose().map_err(|error| wrong(&error))?;
    if let Some((_, Some(warning))) = &key {
        say(warning);
    }
    let settings = ProviderSettings {
        key: key.map(|(key, _)| key),
        uses_tools: args.tools,
        ..ProviderSettings::at(url, &args.model)
    };
    let provider = provider(args.provider, &settings).map_err(|error| wrong(&error))?;
    let limits = if settings.is_local().map_err(|error| wrong(&error))? {
        DiagnoserSettings::local()
    } else {
        DiagnoserSettings::hosted()
    };
    let limits = DiagnoserSettings {
        pack_tokens: args.pack_tokens,
        time_limit: args.time_limit,
        call_limit: args.time_limit,
        ..limits
    };
    Ok(LlmDiagnoser::new(provider, limits, Arc::new(SystemClock)))
}

fn provider(format: Format, settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    Ok(match format {
        Format::Anthropic => Arc::new(Anthropic::new(settings)?),
        Format::OpenaiCompatible => Arc::new(OpenAiCompatible::new(settings)?),
    })
}

async fn answer(who: Who, model: Option<&LlmDiagnoser>, case: &RecordedCase) -> Result<Answer, String> {
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
