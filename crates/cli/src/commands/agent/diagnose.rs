//! `operator agent diagnose`: one incident, explained on demand.

use std::io::IsTerminal as _;
use std::sync::Arc;

use operator_core::agent::{Agent, Office};
use operator_core::control::ClientError;
use operator_core::store::Store as _;
use operator_reasoner::{Deliberation, Diagnosis};
use serde::Serialize;

use super::{office, subjects};
use crate::app::App;
use crate::commands::explanation::explanation;
use crate::commands::live::Live;
use crate::config::{Config, DiagnoserKind};
use crate::diagnoser;
use crate::exit::{Exit, Failure};
use crate::output::{Format, say};
use crate::signals::Stop;
use crate::thinking::Told;

/// What to explain, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The incident, or one of its tickets: its id, or the end of it
    id: String,
    /// Who explains, whatever is configured: reasoner or llm
    #[arg(long, value_name = "WHO", hide_possible_values = true)]
    diagnoser: Option<DiagnoserKind>,
    /// Hand the answer in: the operator checks it and goes on with what of it holds
    #[arg(long)]
    submit: bool,
    /// The whole as a Markdown page
    #[arg(long)]
    markdown: bool,
}

#[derive(Serialize)]
struct Explained<'a> {
    incident: &'a str,
    question: &'a str,
    diagnosis: &'a Diagnosis,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliberation: Option<&'a Deliberation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted: Option<&'a str>,
}

pub(super) async fn run(app: &App, args: Args) -> Result<Exit, Failure> {
    let (config, choice) = diagnoser::chosen(app, args.diagnoser)?;
    choice.warn();
    let incident = incident_of(app, &args.id).await?;
    let (office, mut file) = case(app, &config, &incident).await?;
    // Its whole name: what was asked for may be the end of it.
    let incident = file.pack.incident.clone();
    let agent =
        Agent::new(vec![Arc::clone(&office)], diagnoser::diagnoser(&choice), diagnoser::limits(&config, &choice));
    let mut attempt = 1;
    let (live, question, answer, submitted) = loop {
        let live = Live::with_series(office.as_ref(), file).await;
        let asked = ask(&agent, &incident).await?;
        let (question, answer) = asked.map_err(|error| Failure::failed(format!("explain {incident}"), error))?;
        if !args.submit {
            break (live, question, answer, None);
        }
        let refused = match office.submit(&incident, &question, answer.clone()).await {
            Ok(submitted) => break (live, question, answer, Some(submitted)),
            Err(refused) => refused,
        };
        // An incident's evidence may move while it is thought about; then the answer is one to another question.
        match office.case(&incident).await {
            Ok(moved) if moved.question != question && attempt < config.agent.attempts => file = moved,
            _ => return Err(Failure::failed(format!("hand in the answer about {incident}"), refused)),
        }
        attempt += 1;
        say("the evidence has moved: it is asked about anew");
    };
    let (diagnosis, deliberation) = (&answer.diagnosis, answer.deliberation.as_ref());
    if args.markdown && app.output.format == Format::Text {
        app.output.text(&live.page(diagnosis, deliberation))?;
        if let Some(submitted) = &submitted {
            say(&format!("handed in: {submitted}"));
        }
        return Ok(Exit::Clean);
    }
    let shown = Explained {
        incident: &incident,
        question: &question,
        diagnosis,
        deliberation,
        submitted: submitted.as_deref(),
    };
    app.output.print("explained", &shown, || {
        let mut text = format!("incident {incident}:\n{}", explanation(diagnosis, deliberation, &[]));
        match &submitted {
            Some(submitted) => text.push_str(&format!("\nhanded in: {submitted}")),
            None => text.push_str("\nnot handed in: --submit does that"),
        }
        text
    })?;
    Ok(Exit::Clean)
}

/// The incident that an id names, by itself or as a ticket's. What the store does not know, the operator may.
async fn incident_of(app: &App, id: &str) -> Result<String, Failure> {
    let store = app.reader()?;
    if let Ok(ticket) = app.ticket(&store, id).await {
        return Ok(ticket.incident);
    }
    let incident = app.incident(&store, id).await?;
    match store.incident(&incident.id).await? {
        Some(incident) if incident.closed_at.is_some() => {
            Err(Failure::failed(format!("explain {}", incident.id), "it is closed, and its evidence is not kept")
                .next(format!("`operator incidents show {}` shows how it was explained", incident.id)))
        }
        _ => Ok(incident.id),
    }
}

async fn case(
    app: &App,
    config: &Config,
    incident: &str,
) -> Result<(Arc<dyn Office>, operator_core::agent::CaseFile), Failure> {
    let tried = format!("explain {incident}");
    let names = subjects(app).await.map_err(|error| match error {
        ClientError::NoOperator { .. } => Failure::failed(&tried, error).next(
            "the evidence is with the running operator: start it, or look at `operator incidents show` for what was found",
        ),
        error => error.into(),
    })?;
    let mut why = "no subject of that name is watched".to_owned();
    for name in names {
        let office = office(app, config, &name)?;
        match office.case(incident).await {
            Ok(file) => return Ok((office, file)),
            Err(error) => why = error.to_string(),
        }
    }
    Err(Failure::failed(tried, why).next("only incidents that are open can be explained; `operator incidents list`"))
}

/// Asks, and tells how it gets on where somebody watches.
async fn ask(
    agent: &Agent,
    incident: &str,
) -> Result<Result<(String, operator_reasoner::Answer), operator_core::CommandError>, Failure> {
    let mut stop = Stop::listen()?;
    let (mut progress, mut told) = (agent.progress(), Told::default());
    let watched = std::io::stderr().is_terminal();
    let asking = agent.diagnose(incident);
    tokio::pin!(asking);
    loop {
        tokio::select! {
            answer = &mut asking => return Ok(answer),
            () = stop.asked() => return Err(Failure::failed(format!("explain {incident}"), "it was stopped")),
            Ok(()) = progress.changed() => {
                let news = told.news(&progress.borrow_and_update());
                for (_, line) in news.into_iter().filter(|_| watched) {
                    say(&line);
                }
            }
        }
    }
}
