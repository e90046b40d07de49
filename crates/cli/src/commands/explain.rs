//! `operator explain`: asks a subject one of the questions it answers, whether or not an operator runs. It only reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use operator_protocols::{
    Locus, ParamDefinition, ProbeAnswer, ProbeDefinition, ProbeRequest, Subject, Timestamp, Unavailable, Value,
};
use serde::Serialize;

use crate::app::App;
use crate::commands::params::parse_params;
use crate::config::nearest;
use crate::exit::{Exit, Failure};
use crate::host::{Watched, now};
use crate::output::{Table, for_people};

/// How long an answer is waited for.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What to ask.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  operator explain --subject prod-limiter\n  operator explain drain_state node-2 --subject prod-limiter\n\nWithout a question it lists those that the subject answers."
)]
pub struct Args {
    /// The question; `operator explain` lists them
    #[arg(value_name = "PROBE")]
    probe: Option<String>,
    /// What it is about: component:NAME or its name alone, entity:KIND:KEY, or nothing
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// A parameter; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", requires = "probe")]
    params: Vec<String>,
}

#[derive(Serialize)]
struct Explained<'a> {
    subject: &'a str,
    probe: &'a str,
    target: &'a Locus,
    params: &'a BTreeMap<String, Value>,
    as_of: Timestamp,
    answer: &'a Value,
}

/// Asks, or lists what may be asked.
///
/// # Errors
/// When the configuration is wrong, the question is not one of the subject's, or it has no answer.
pub async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let config = app.config()?;
    let entry = app.one_subject(&config)?;
    let subject = Watched::of(&entry, &config.engine).await?.subject;
    let name = subject.descriptor().subject;
    match &args.probe {
        None => list(app, &name, &subject.probes())?,
        Some(probe) => {
            let definition = find(&name, subject.probes(), probe)?;
            let request = ProbeRequest {
                probe: definition.name.clone(),
                target: target(&name, args.target.as_deref())?,
                params: parse_params(&args.params)?,
            };
            definition.validate(&request.params).map_err(|error| {
                Failure::usage(format!("--param {error}"))
                    .next(format!("`operator explain --subject {name}` lists the parameters"))
            })?;
            let answer = ask(subject.as_ref(), &request).await;
            shown(app, &name, &request, &answer)?;
        }
    }
    Ok(Exit::Clean)
}

fn list(app: &App, subject: &str, probes: &[ProbeDefinition]) -> Result<(), Failure> {
    app.output.print("probes", &probes, || {
        if probes.is_empty() {
            return format!("{subject} answers no questions");
        }
        let mut table = Table::new(&["probe", "what it tells"]);
        for probe in probes {
            table.row([&probe.name, &probe.description]);
        }
        let mut text = table.render();
        for probe in probes.iter().filter(|probe| !probe.params.is_empty()) {
            let _ = writeln!(text, "\nparameters of {}", probe.name);
            for param in &probe.params {
                let _ = writeln!(text, "  {}", parameter(param));
            }
        }
        let _ = write!(text, "\nask with: operator explain PROBE [TARGET] --subject {subject}");
        text
    })
}

fn parameter(param: &ParamDefinition) -> String {
    let default = match &param.default {
        Some(value) => format!("{value} if not given"),
        None => "must be given".to_owned(),
    };
    format!("{}: {}; {}, {default}", param.name, param.description, param.kind.expectation())
}

fn find(subject: &str, probes: Vec<ProbeDefinition>, asked: &str) -> Result<ProbeDefinition, Failure> {
    let names: Vec<String> = probes.iter().map(|probe| probe.name.clone()).collect();
    // Dashes are what fingers type.
    let typed = asked.replace('-', "_");
    let found = probes.into_iter().find(|probe| probe.name == asked || probe.name == typed);
    found.ok_or_else(|| {
        let near = nearest(&typed, names.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::usage(format!("{subject} does not answer {asked:?}{near}")).next(format!("ask one of: {known}"))
    })
}

/// The target within the subject; a bare name is a component's.
fn target(subject: &str, text: Option<&str>) -> Result<Locus, Failure> {
    match text {
        None => Ok(Locus::Nothing),
        Some(name) if !name.is_empty() && !name.contains([':', '>']) && name != "nothing" => {
            Ok(Locus::component(subject, name))
        }
        Some(text) => Locus::parse(subject, text).map_err(|error| Failure::usage(error.to_string())),
    }
}

async fn ask(subject: &dyn Subject, request: &ProbeRequest) -> ProbeAnswer {
    let at = now();
    let asked = tokio::time::timeout(TIME_LIMIT, subject.probe(request, at)).await;
    asked.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", TIME_LIMIT.as_secs());
        ProbeAnswer { as_of: at, answer: Err(Unavailable::new(request.probe.clone(), why)) }
    })
}

fn shown(app: &App, subject: &str, request: &ProbeRequest, answer: &ProbeAnswer) -> Result<(), Failure> {
    match &answer.answer {
        Ok(value) => {
            let (probe, target, params) = (&request.probe, &request.target, &request.params);
            let explained = Explained { subject, probe, target, params, as_of: answer.as_of, answer: value };
            app.output.print("explained", &explained, || for_people(value))
        }
        Err(why) => {
            let of = if request.target == Locus::Nothing { String::new() } else { format!(" of {}", request.target) };
            let next = match request.target {
                Locus::Nothing => {
                    "some questions are about one thing: name a TARGET; `operator check` says what is seen"
                }
                _ => "is the target right, and does what must be asked answer? `operator doctor` says",
            };
            // What could not be read is often the question itself.
            let why = if why.what == request.probe { why.why.clone() } else { why.to_string() };
            Err(Failure::failed(format!("have {subject} answer {}{of}", request.probe), why).next(next))
        }
    }
}

#[cfg(test)]
mod tests {
    use operator_protocols::example::Workshop;

    use super::*;

    #[tokio::test]
    async fn a_subject_that_nobody_has_heard_of_is_asked() {
        let (subject, _) = Workshop::new(2).subject("shop");
        let definition = find("shop", subject.probes(), "oldest-jobs").expect("known by its name with dashes");
        let params = parse_params(&["count=3".to_owned()]).expect("parameters");
        definition.validate(&params).expect("right");
        let request = ProbeRequest { probe: definition.name, target: Locus::Nothing, params };
        let answer = ask(subject.as_ref(), &request).await.answer.expect("an answer");
        assert!(answer.as_list().is_some(), "{answer}");
    }

    #[test]
    fn an_unknown_question_names_the_nearest() {
        let (subject, _) = Workshop::new(1).subject("shop");
        let failure = find("shop", subject.probes(), "oldest_job").expect_err("unknown");
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().contains("did you mean oldest_jobs?"), "{failure}");
    }

    #[test]
    fn a_bare_name_is_a_component() {
        let of = |text| target("shop", Some(text)).map_err(|error| error.code());
        assert_eq!(of("worker-1"), Ok(Locus::component("shop", "worker-1")));
        assert_eq!(of("entity:item:orders"), Ok(Locus::entity("shop", "item", "orders")));
        assert_eq!(of("nothing"), Ok(Locus::Nothing));
        assert_eq!(of("store:"), Err(2));
        assert_eq!(target("shop", None).ok(), Some(Locus::Nothing));
    }
}
