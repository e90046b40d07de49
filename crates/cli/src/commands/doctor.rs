//! `operator doctor`: what is configured, reachable and missing, in one screen.

use std::sync::Arc;

use operator_core::control::{ClientError, ControlReply, ControlRequest};
use operator_core::engine::EngineSettings;
use operator_lab::binaries;
use operator_protocols::{ComponentState, Observation};
use serde::Serialize;

use crate::app::App;
use crate::config::{Config, SubjectEntry};
use crate::diagnoser::Choice;
use crate::exit::{Exit, Failure};
use crate::host::Watched;
use crate::look::observe;
use crate::registry;

/// Nothing but what may be said with every verb.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  operator doctor\n\nExits 3 when something is missing or cannot be reached.")]
pub struct Args {}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), ok: true, found: found.into(), next: None }
    }

    fn bad(what: impl Into<String>, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), ok: false, found: found.into(), next: Some(next.into()) }
    }
}

/// Looks at everything.
///
/// # Errors
/// When the result cannot be printed: what is wrong is a finding, not an error.
pub async fn run(app: &App, _args: &Args) -> Result<Exit, Failure> {
    let mut findings = Vec::new();
    match app.config() {
        Ok(config) => of_config(app, &config, &mut findings).await,
        Err(error) => {
            findings.push(Finding::bad(
                "configuration",
                error.to_string(),
                "correct it; `operator check-config` checks again",
            ));
            findings.push(Finding::ok("diagnoser", "the reasoner, embedded: it needs no key and no network"));
        }
    }
    for kind in registry::KINDS {
        for program in kind.lab.map_or(&[][..], |lab| lab.programs) {
            findings.push(match binaries::find(program) {
                Ok(path) => Finding::ok(format!("program {program}"), path.display().to_string()),
                Err(error) => Finding::bad(
                    format!("program {program}"),
                    "missing",
                    format!("{} (the demo of {} needs it)", error.how, kind.kind),
                ),
            });
        }
    }
    app.output.print("findings", &findings, || {
        let line = |finding: &Finding| {
            let mark = if finding.ok { "ok " } else { "!! " };
            let next = finding.next.as_ref().map(|next| format!("\n       next: {next}")).unwrap_or_default();
            format!("{mark} {:<28} {}{next}", finding.what, finding.found)
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if findings.iter().all(|finding| finding.ok) { Exit::Clean } else { Exit::Found })
}

/// Who explains, whom that talks to, and what is missing for it.
async fn of_diagnoser(config: &Config, findings: &mut Vec<Finding>) {
    let choice = Choice::of(config, None);
    findings.push(match &choice.missing {
        None => Finding::ok("diagnoser", choice.told()),
        Some(_) => Finding::bad("diagnoser", choice.told(), "docs/agent.md says how a model is set up"),
    });
    for warning in &choice.warnings {
        findings.push(Finding::bad("diagnoser", warning.clone(), "docs/agent.md says how a model is set up"));
    }
    if let Some(model) = &choice.model {
        findings.push(Finding::ok("diagnoser talks to", model.destination.clone()));
        findings.push(match model.reachable().await {
            Ok(()) => Finding::ok("diagnoser's host", "it takes connections; nothing was asked of it"),
            Err(why) => Finding::bad("diagnoser's host", why, "is it running, and is llm.base_url right?"),
        });
    }
}

async fn of_config(app: &App, config: &Config, findings: &mut Vec<Finding>) {
    of_diagnoser(config, findings).await;
    let file =
        config.file.as_ref().map_or_else(|| "no file: the defaults hold".to_owned(), |path| path.display().to_string());
    findings.push(Finding::ok("configuration", file));
    findings.push(Finding::ok("state directory", config.state_dir.display().to_string()));
    let running = running(app).await;
    let runs = running.found.starts_with("version");
    findings.push(running);
    if config.subjects.is_empty() && app.subject.is_none() {
        if runs {
            findings.push(Finding::ok("subjects", "none is described; the running operator has its own"));
            return;
        }
        let next = format!("describe one in operator.toml, or name a kind with --subject; {}", registry::known());
        findings.push(Finding::bad("subjects", "none is described", next));
        return;
    }
    let entries = match app.subjects(config) {
        Ok(entries) => entries,
        Err(error) => return findings.push(Finding::bad("subjects", error.to_string(), "correct the configuration")),
    };
    // Side by side: one that does not answer holds up none of the others.
    let engine = Arc::new(config.engine.clone());
    let looks: Vec<_> = entries.into_iter().map(|entry| tokio::spawn(of_subject(entry, Arc::clone(&engine)))).collect();
    for look in looks {
        match look.await {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::bad("a subject", error.to_string(), "report this as a bug")),
        }
    }
}

async fn of_subject(entry: SubjectEntry, engine: Arc<EngineSettings>) -> Vec<Finding> {
    let what = format!("subject {}", entry.config.name);
    match Watched::of(&entry, &engine).await {
        Ok(watched) => {
            let destinations = watched.subject.descriptor().destinations.join(", ");
            let destinations = if destinations.is_empty() { "nobody".to_owned() } else { destinations };
            let seen = seen(&what, &observe(watched.subject.as_ref()).await);
            vec![seen, Finding::ok(format!("{what} talks to"), destinations)]
        }
        Err(error) => vec![Finding::bad(what, error.to_string(), "correct its settings")],
    }
}

async fn running(app: &App) -> Finding {
    let asked = match app.client().await {
        Ok(mut client) => client.request(None, ControlRequest::Ping {}).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(ControlReply::Pong { version, pid, subjects, you }) => Finding::ok(
            "running operator",
            format!(
                "version {version}, process {pid}, watches {}; you are {} ({:?})",
                subjects.join(", "),
                you.name,
                you.role
            ),
        ),
        Ok(_) => {
            Finding::bad("running operator", "it answers another question than was asked", "is it of another version?")
        }
        // Nothing is wrong with that.
        Err(ClientError::NoOperator { .. }) => Finding::ok("running operator", "none"),
        Err(error) => Finding::bad("running operator", error.to_string(), "ask as the user it runs as"),
    }
}

fn seen(what: &str, seen: &Observation) -> Finding {
    let up = seen.components.iter().filter(|component| component.state == ComponentState::Up).count();
    let found = format!("{up} of {} components are up", seen.components.len());
    let not_up: Vec<_> = seen
        .components
        .iter()
        .filter(|component| component.state != ComponentState::Up)
        .map(|component| format!("{} ({})", component.id, component.raw_state))
        .collect();
    match (not_up.is_empty(), seen.unavailable.first()) {
        (true, None) => Finding::ok(what, found),
        (false, _) => Finding::bad(what, found, format!("look at {}", not_up.join(", "))),
        (true, Some(gap)) => {
            Finding::bad(what, format!("{found}; not readable: {gap}"), "is it running, and are its settings right?")
        }
    }
}
