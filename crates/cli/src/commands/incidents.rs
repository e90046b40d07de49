//! `operator incidents`: tickets that have one story, and how it is explained.

use clap::Subcommand;
use operator_core::Incident;
use operator_core::store::Store as _;

use crate::app::App;
use crate::commands::live::Live;
use crate::commands::story::Story;
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
    let story = Story::read(&store, app.incident(&store, id).await?, all).await?;
    let live = Live::of_app(app, &story.incident).await;
    app.output.print("incident", &story, || story.page(&app.output, live.as_ref()))?;
    Ok(Exit::Clean)
}
