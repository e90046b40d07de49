//! `operator tickets`: what is wrong, and what a person says about it.

use std::fmt::Write as _;

use clap::Subcommand;
use operator_core::store::{Store as _, TicketFilter};
use operator_core::{Command, Ticket, TicketState};

use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Table};

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
    /// Show one ticket
    #[command(after_help = "Example:\n  operator tickets show limiter-T1")]
    Show {
        /// Its id, or the end of it: T1
        id: String,
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
        Verb::Show { id } => {
            let ticket = app.ticket(&app.reader()?, &id).await?;
            app.output.print("ticket", &ticket, || details(&app.output, &ticket))?;
            Ok(Exit::Clean)
        }
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
