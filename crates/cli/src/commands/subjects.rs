//! `operator subjects`: what can be watched, what must hold of it and what can be done to it.

use std::fmt::Write as _;

use clap::Subcommand;
use operator_core::control::{ControlReply, ControlRequest};
use operator_protocols::{ActionDefinition, Descriptor, InvariantDefinition, ProbeDefinition, TargetKind};
use serde::Serialize;
use serde_json::json;

use crate::app::{App, unexpected};
use crate::config::show_duration;
use crate::exit::{Exit, Failure};
use crate::host::Watched;
use crate::output::Table;
use crate::registry;

/// What to do with subjects.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the kinds that this program knows and the subjects that the configuration describes
    #[command(after_help = "Example:\n  operator subjects list")]
    List,
    /// Show one subject: its invariants, its actions, whom it talks to
    #[command(after_help = "Example:\n  operator subjects show --subject prod-limiter")]
    Show,
}

/// Does what `verb` says.
///
/// # Errors
/// When the configuration is wrong.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List => list(app)?,
        Verb::Show => show(app).await?,
    }
    Ok(Exit::Clean)
}

/// The subjects that the running operator watches, as far as the asker may see them.
pub(super) async fn watched(app: &App) -> Result<Vec<String>, Failure> {
    match app.client().await?.request(None, ControlRequest::Ping {}).await? {
        ControlReply::Pong { subjects, .. } => Ok(subjects),
        other => Err(unexpected(&other)),
    }
}

fn list(app: &App) -> Result<(), Failure> {
    let config = app.config()?;
    let described: Vec<_> = config.subjects.iter().map(|entry| &entry.config).collect();
    let kinds: Vec<_> = registry::KINDS
        .iter()
        .map(|kind| json!({ "kind": kind.kind, "about": kind.about, "demo": kind.lab.is_some() }))
        .collect();
    let subjects: Vec<_> = described.iter().map(|one| json!({ "name": one.name, "kind": one.kind })).collect();
    app.output.print("subjects", &json!({ "kinds": kinds, "described": subjects }), || {
        let mut table = Table::new(&["kind", "demo", "about"]);
        for kind in registry::KINDS {
            table.row([kind.kind, if kind.lab.is_some() { "yes" } else { "no" }, kind.about]);
        }
        let mut text = table.render();
        if described.is_empty() {
            text.push_str("\nno subject is described in a configuration file; --subject KIND watches one of a kind\n");
        } else {
            let mut table = Table::new(&["subject", "kind"]);
            for one in described {
                table.row([&one.name, &one.kind]);
            }
            let _ = write!(text, "\n{}", table.render());
        }
        text
    })
}

#[derive(Serialize)]
struct Shown {
    descriptor: Descriptor,
    invariants: Vec<InvariantDefinition>,
    actions: Vec<ActionDefinition>,
    probes: Vec<ProbeDefinition>,
}

async fn show(app: &App) -> Result<(), Failure> {
    let config = app.config()?;
    let entry = app.one_subject(&config)?;
    let watched = Watched::of(&entry, &config.engine).await?;
    let shown = Shown {
        descriptor: watched.subject.descriptor(),
        invariants: watched.checker.invariants().to_vec(),
        actions: watched.subject.actions(),
        probes: watched.subject.probes(),
    };
    let policy = &config.engine.policy;
    app.output.print("subject", &shown, || {
        let about = &shown.descriptor;
        let mut text = format!("{} ({}): {}\n", about.subject, about.kind, about.description);
        let _ = writeln!(text, "talks to {}\n", about.destinations.join(", "));
        let mut table = Table::new(&["invariant", "severity", "grace", "what must hold"]);
        for one in &shown.invariants {
            let cells = [one.name.clone(), one.severity.to_string(), show_duration(one.grace), one.description.clone()];
            table.row(cells);
        }
        let _ = writeln!(text, "{}", table.render());
        let mut table = Table::new(&["action", "risk", "autonomy", "aimed at", "what it does"]);
        for one in &shown.actions {
            table.row([
                one.name.clone(),
                one.risk.to_string(),
                policy.autonomy_for(&one.name, one.risk).to_string(),
                one.targets.iter().map(target).collect::<Vec<_>>().join(", "),
                one.description.clone(),
            ]);
        }
        text.push_str(&table.render());
        if !shown.actions.iter().any(|action| action.name == operator_protocols::START_COMPONENT) {
            text.push_str(
                "\nstarting and restarting components needs a driver, which is not part of this configuration\n",
            );
        }
        text
    })
}

fn target(kind: &TargetKind) -> String {
    match kind {
        TargetKind::Component { kinds } if kinds.is_empty() => "any component".to_owned(),
        TargetKind::Component { kinds } => format!("component ({})", kinds.join(", ")),
        TargetKind::Entity { kind } => format!("entity:{kind}"),
        TargetKind::Whole => "nothing".to_owned(),
    }
}
