//! `operator incidents`: tickets that have one story, and how it is explained.

use clap::Subcommand;
use operator_core::Incident;
use operator_core::store::{ExecutionFilter, Store as _, TicketFilter};
use operator_reasoner::Diagnosis;
use serde::Serialize;

use crate::app::App;
use crate::commands::{actions, tickets};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Table};

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List incidents, newest first; exits 3 when some are open
    #[command(after_help = "Example:\n  operator incidents list")]
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show one incident with its latest diagnosis, as Markdown
    #[command(after_help = "Example:\n  operator incidents show limiter-I1 > incident.md")]
    Show {
        /// Its id, or the end of it: I1
        id: String,
        /// Every diagnosis, not only the latest
        #[arg(long)]
        all: bool,
    },
}

/// An incident with everything that belongs to it.
#[derive(Serialize)]
struct Story {
    incident: Incident,
    tickets: Vec<operator_core::Ticket>,
    diagnoses: Vec<Numbered>,
    executions: Vec<operator_core::Execution>,
}

#[derive(Serialize)]
struct Numbered {
    id: String,
    diagnosis: Diagnosis,
}

/// Does what `verb` says.
///
/// # Errors
/// When the store cannot be read.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List { limit } => list(app, limit).await,
        Verb::Show { id, all } => show(app, &id, all).await,
    }
}

async fn list(app: &App, limit: u32) -> Result<Exit, Failure> {
    let incidents = app.reader()?.incidents(app.subject.as_deref(), limit).await?;
    app.output.print("incidents", &incidents, || rows(&app.output, &incidents))?;
    let open = incidents.iter().any(|incident| incident.closed_at.is_none());
    Ok(if open { Exit::Found } else { Exit::Clean })
}

fn rows(output: &Output, incidents: &[Incident]) -> String {
    if incidents.is_empty() {
        return "no incidents".to_owned();
    }
    let mut table = Table::new(&["incident", "state", "opened", "tickets", "tried"]);
    for incident in incidents {
        let state = if incident.closed_at.is_some() { "closed" } else { "open" };
        table.row([
            incident.id.clone(),
            state.to_owned(),
            format!("{} ago", output.ago(incident.opened_at)),
            incident.tickets.join(" "),
            incident.tried.join(" "),
        ]);
    }
    table.render()
}

async fn show(app: &App, id: &str, all: bool) -> Result<Exit, Failure> {
    let store = app.reader()?;
    let incident = app.incident(&store, id).await?;
    let of = Some(incident.id.clone());
    let mut diagnoses = store.diagnoses(&incident.id).await?;
    if !all {
        diagnoses.drain(..diagnoses.len().saturating_sub(1));
    }
    let story = Story {
        tickets: store.tickets(&TicketFilter { incident: of.clone(), ..TicketFilter::default() }).await?,
        executions: store.executions(&ExecutionFilter { incident: of, ..ExecutionFilter::default() }).await?,
        diagnoses: diagnoses.into_iter().map(|(id, diagnosis)| Numbered { id, diagnosis }).collect(),
        incident,
    };
    app.output.print("incident", &story, || page(&app.output, &story))?;
    Ok(Exit::Clean)
}

fn page(output: &Output, story: &Story) -> String {
    let incident = &story.incident;
    let state = match incident.closed_at {
        Some(at) => format!("closed {}", output.when(at)),
        None => "open".to_owned(),
    };
    let mut page = String::new();
    for numbered in &story.diagnoses {
        page.push_str(&numbered.diagnosis.to_markdown());
        page.push('\n');
    }
    if story.diagnoses.is_empty() {
        page.push_str(&format!("# Incident {}\n\nIt is not explained yet.\n\n", incident.id));
    }
    page.push_str(&format!("## Tickets\n\nThe incident was opened {}; {state}.\n\n", output.when(incident.opened_at)));
    page.push_str(&fenced(&tickets::rows(output, &story.tickets)));
    if !story.executions.is_empty() {
        page.push_str("\n## Actions\n\n");
        page.push_str(&fenced(&actions::rows(output, &story.executions)));
    }
    page
}

fn fenced(text: &str) -> String {
    format!("```text\n{}\n```\n", text.trim_end().replace("```", "'''"))
}
