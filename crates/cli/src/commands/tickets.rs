//! `operator tickets`: what is wrong, and what a person says about it.

use std::fmt::Write as _;

use clap::Subcommand;
use operator_core::store::{Store as _, TicketFilter};
use operator_core::{Command, Execution, Ticket, TicketState};
use operator_reasoner::{Deliberation, Diagnosis};
use serde::Serialize;

use crate::app::App;
use crate::commands::explanation::explanation;
use crate::commands::live::Live;
use crate::commands::story::{Story, fenced};
use crate::exit::{Exit, Failure};
use crate::output::{Format, Output, Table};

/// What to do with tickets.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List tickets, newest first; exits 3 when some are open
    #[command(after_help = "Example:\n  operator tickets list --all --output json")]
    List {
        /// The resolved ones, too
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Show one ticket, how its incident is explained, and what is done about it
    #[command(
        after_help = "Examples:\n  operator tickets show limiter-T1\n  operator tickets show T1 --markdown > ticket.md"
    )]
    Show {
        /// Its id, or the end of it: T1
        id: String,
        /// The whole story of its incident as a Markdown page
        #[arg(long)]
        markdown: bool,
    },
    /// Say that somebody knows of it
    #[command(after_help = "Example:\n  operator tickets ack limiter-T1")]
    Ack {
        /// Its id, or the end of it
        id: String,
    },
    /// Resolve it by hand; a violation that stands opens another
    #[command(after_help = "Example:\n  operator tickets resolve limiter-T1 --reason 'planned maintenance'")]
    Resolve {
        /// Its id, or the end of it
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Keep the operator from resolving it
    #[command(after_help = "Example:\n  operator tickets hold limiter-T1")]
    Hold {
        /// Its id, or the end of it
        id: String,
    },
    /// Let the operator resolve it again; a ticket that needed a human is handed back to it, if a reason is given
    #[command(after_help = "Example:\n  operator tickets release limiter-T1 --reason 'the disk was replaced'")]
    Release {
        /// Its id, or the end of it
        id: String,
        /// What was done about it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Does what `verb` says.
///
/// # Errors
/// When the store cannot be read, no operator runs, or it refuses.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List { all, limit } => list(app, all, limit).await,
        Verb::Show { id, markdown } => show(app, &id, markdown).await,
        Verb::Ack { id } => command(app, &id, |ticket| Command::Acknowledge { ticket }).await,
        Verb::Resolve { id, reason } => command(app, &id, |ticket| Command::Resolve { ticket, reason }).await,
        Verb::Hold { id } => command(app, &id, |ticket| Command::Hold { ticket, hold: true }).await,
        Verb::Release { id, reason: None } => command(app, &id, |ticket| Command::Hold { ticket, hold: false }).await,
        Verb::Release { id, reason: Some(reason) } => {
            command(app, &id, |ticket| Command::HandBack { ticket, reason }).await
        }
    }
}

async fn command(app: &App, id: &str, of: impl FnOnce(String) -> Command) -> Result<Exit, Failure> {
    app.command(Some(id), of(id.to_owned())).await?;
    Ok(Exit::Clean)
}

/// A ticket, and the story of its incident.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    ticket: &'a Ticket,
    diagnosis: Option<&'a Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliberation: Option<&'a Deliberation>,
    executions: &'a [Execution],
}

async fn show(app: &App, id: &str, markdown: bool) -> Result<Exit, Failure> {
    let store = app.reader()?;
    let ticket = app.ticket(&store, id).await?;
    let story = Story::read(&store, app.incident(&store, &ticket.incident).await?, false).await?;
    if markdown && app.output.format == Format::Text {
        app.output.text(&format!("# Ticket {}\n\n{}", ticket.id, fenced(&details(&app.output, &ticket))))?;
        let live = Live::of_app(app, &story.incident).await;
        app.output.text(&format!("\n{}", story.page(&app.output, live.as_ref())))?;
        return Ok(Exit::Clean);
    }
    let latest = story.latest();
    let shown = Shown {
        ticket: &ticket,
        diagnosis: latest.map(|latest| &latest.diagnosis),
        deliberation: latest.and_then(|latest| latest.deliberation.as_ref()),
        executions: &story.executions,
    };
    app.output.print("ticket", &shown, || {
        let mut text = details(&app.output, &ticket);
        match latest {
            Some(one) => {
                text.push_str(&format!("\n{}\n", explained(&ticket.incident, &one.id)));
                text.push_str(&explanation(&one.diagnosis, one.deliberation.as_ref(), &story.executions));
                text.push_str(&format!("\nthe whole story: operator tickets show {} --markdown", ticket.id));
            }
            None => text.push_str("\nnot explained yet"),
        }
        text
    })?;
    Ok(Exit::Clean)
}

fn explained(incident: &str, diagnosis: &str) -> String {
    format!("incident {incident} is explained ({diagnosis}):")
}

async fn list(app: &App, all: bool, limit: u32) -> Result<Exit, Failure> {
    let filter = TicketFilter { subject: app.subject.clone(), open_only: !all, limit, ..TicketFilter::default() };
    let tickets = app.reader()?.tickets(&filter).await?;
    app.output.print("tickets", &tickets, || rows(&app.output, &tickets))?;
    let open = tickets.iter().any(|ticket| ticket.state != TicketState::Resolved);
    Ok(if open { Exit::Found } else { Exit::Clean })
}

/// Tickets, a row each.
pub(super) fn rows(output: &Output, tickets: &[Ticket]) -> String {
    if tickets.is_empty() {
        return "no tickets".to_owned();
    }
    let mut table = Table::new(&["ticket", "state", "severity", "since", "invariant", "on", "message"]);
    for ticket in tickets {
        table.row([
            ticket.id.clone(),
            ticket.state.to_string(),
            ticket.severity.to_string(),
            output.ago(ticket.first_seen),
            ticket.invariant.clone(),
            ticket.on.to_string(),
            ticket.finding.message.clone(),
        ]);
    }
    table.render()
}

fn details(output: &Output, ticket: &Ticket) -> String {
    let mut text = format!("{} {}: {}\n", ticket.id, ticket.state, ticket.state_reason);
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    line("invariant", &format!("{} on {} ({})", ticket.invariant, ticket.on, ticket.severity));
    line("finding", &ticket.finding.message);
    line("measured", &format!("{} (threshold {})", ticket.finding.measured, ticket.finding.threshold));
    line("first seen", &output.when(ticket.first_seen));
    line("last seen", &output.when(ticket.last_seen));
    line("opened", &output.when(ticket.opened_at));
    if let Some(at) = ticket.resolved_at {
        line("resolved", &output.when(at));
    }
    line("incident", &ticket.incident);
    if ticket.occurrences > 1 {
        line("came back", &format!("{} times", ticket.occurrences - 1));
    }
    if let Some(who) = &ticket.acknowledged_by {
        line("quiet", &format!("acknowledged by {who}: no further messages"));
    }
    if ticket.hold {
        line("hold", "the operator does not resolve it");
    }
    for discrepancy in &ticket.finding.discrepancies {
        let claimed = discrepancy.claimed_by.as_ref().map_or_else(|| "nobody known".to_owned(), ToString::to_string);
        line(
            "accounts",
            &format!(
                "{}: claimed by {claimed}, held by {}, {:?} by {} of {}",
                discrepancy.what, discrepancy.held_by, discrepancy.kind, discrepancy.amount, discrepancy.of
            ),
        );
    }
    for metric in &ticket.snapshot {
        line("then", &format!("{} on {} = {} {}", metric.signal, metric.on, metric.value, metric.unit));
    }
    text
}
