//! `operator tickets`: what is wrong, and what a person says about it.

use std::fmt::Write as _;

use clap::Subcommand;
use operator_core::store::{Store as _, TicketFilter};
use operator_core::{Command, Execution, Mark, Ticket, TicketState};
use operator_protocols::{FaultClass, Locus};
use operator_reasoner::{Deliberation, Diagnosis};
use serde::Serialize;

use crate::app::App;
use crate::commands::explanation::explanation;
use crate::commands::live::Live;
use crate::commands::story::{Numbered, Story, fenced, said};
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
    /// Say whether its incident was explained rightly: it is counted, and remembered where something looks alike
    #[command(
        after_help = "Examples:\n  operator tickets mark limiter-T1 --right\n  operator tickets mark T1 --wrong --cause 'ConfigDivergence@component:node-2' --note 'an old file'\n  operator tickets mark T1 --withdraw --note 'the wrong ticket'"
    )]
    Mark(Box<MarkArgs>),
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

/// What is said of an explanation.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("verdict").required(true).args(["right", "wrong", "withdraw"]))]
pub struct MarkArgs {
    /// The ticket's id, or the end of it
    id: String,
    /// It named the cause
    #[arg(long)]
    right: bool,
    /// It did not
    #[arg(long)]
    wrong: bool,
    /// Take back what was said
    #[arg(long)]
    withdraw: bool,
    /// What the cause was: a class of fault and its place
    #[arg(long, value_name = "CLASS@LOCUS", conflicts_with_all = ["right", "withdraw"])]
    cause: Option<String>,
    /// Why, for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
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
        Verb::Mark(args) => mark(app, *args).await,
        Verb::Hold { id } => command(app, &id, |ticket| Command::Hold { ticket, hold: true }).await,
        Verb::Release { id, reason: None } => command(app, &id, |ticket| Command::Hold { ticket, hold: false }).await,
        Verb::Release { id, reason: Some(reason) } => {
            command(app, &id, |ticket| Command::HandBack { ticket, reason }).await
        }
    }
}

async fn mark(app: &App, args: MarkArgs) -> Result<Exit, Failure> {
    // The store knows the whole name, of the ticket and with it of the subject that the place is in.
    let ticket = app.ticket(&app.reader()?, &args.id).await?;
    let cause = args.cause.as_deref().map(|text| cause(&ticket.subject, text)).transpose()?;
    let (id, note) = (ticket.id.clone(), args.note);
    let command = if args.withdraw {
        Command::Unmark { ticket: ticket.id, note }
    } else {
        Command::Mark { ticket: ticket.id, wrong: args.wrong, cause, note }
    };
    app.command(Some(&id), command).await?;
    Ok(Exit::Clean)
}

/// `ConfigDivergence@component:node-2`: a class of fault and its place; a bare name is a component's.
fn cause(subject: &str, text: &str) -> Result<(FaultClass, Locus), Failure> {
    let wrong = |why: String| Failure::usage(format!("--cause {text:?}: {why}"));
    let (class, place) = text
        .split_once('@')
        .ok_or_else(|| wrong("expected CLASS@LOCUS, like ComponentDown@component:node-1".to_owned()))?;
    let names = || FaultClass::ALL.iter().map(ToString::to_string).collect::<Vec<_>>();
    let class = FaultClass::ALL.iter().copied().find(|one| one.to_string().eq_ignore_ascii_case(class));
    let class = class.ok_or_else(|| wrong(format!("expected a class of fault: {}", names().join(", "))))?;
    let locus = match place {
        name if !name.is_empty() && !name.contains([':', '>']) && name != "nothing" => Locus::component(subject, name),
        place => Locus::parse(subject, place).map_err(|error| wrong(error.to_string()))?,
    };
    Ok((class, locus))
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
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<&'a Mark>,
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
        deliberation: latest.and_then(Numbered::deliberation),
        mark: story.mark.as_ref(),
        executions: &story.executions,
    };
    app.output.print("ticket", &shown, || {
        let mut text = details(&app.output, &ticket);
        match latest {
            Some(one) => {
                text.push_str(&format!("\n{}\n", explained(&ticket.incident, &one.id)));
                text.push_str(&explanation(&one.diagnosis, one.deliberation(), &story.executions));
                if let Some(mark) = &story.mark {
                    text.push_str(&format!("  {:<12}{}\n", "marked", said(mark)));
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_a_class_and_a_place() {
        let of = |text| cause("shop", text).map_err(|failure| failure.to_string());
        assert_eq!(of("ComponentDown@worker-1"), Ok((FaultClass::ComponentDown, Locus::component("shop", "worker-1"))));
        assert_eq!(of("linkslow@edge:a>b"), Ok((FaultClass::LinkSlow, Locus::edge("shop", "a", "b"))));
        for (text, expected) in
            [("ComponentDown", "CLASS@LOCUS"), ("Gremlins@x", "ConfigDivergence"), ("NoFault@x:y", "names no target")]
        {
            let error = of(text).expect_err("wrong");
            assert!(error.contains(expected), "{error}");
        }
    }
}
