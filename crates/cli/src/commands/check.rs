//! `operator check`: looks once and says what is violated. Nothing is stored, nothing is done, no grace is waited for.

use std::time::Duration;

use operator_protocols::{Evaluation, Verdict};
use serde::Serialize;

use crate::app::App;
use crate::config::parse_duration;
use crate::exit::{Exit, Failure};
use crate::host::Watched;
use crate::look::look;
use crate::output::Table;

/// How to look.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  operator check --subject prod-limiter --output json\n\nExits 3 when an invariant is violated. Some faults show only in two observations running, and what a component is called may show only in the first, so three are made."
)]
pub struct Args {
    /// How many observations to make; the last is judged, with the others as its past
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    observations: u32,
    /// How long to wait between two
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    every: Duration,
    /// Exit 3 also when something could not be judged
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Checked {
    subject: String,
    evaluations: Vec<Evaluation>,
    unavailable: Vec<operator_protocols::Unavailable>,
}

/// Looks at every subject.
///
/// # Errors
/// When the configuration is wrong.
pub async fn run(app: &App, args: &Args) -> Result<Exit, Failure> {
    let config = app.config()?;
    let (observations, every) = (args.observations, args.every);
    let mut looks = Vec::new();
    for entry in app.subjects(&config)? {
        let watched = Watched::of(&entry, &config.engine).await?;
        // Side by side: one that does not answer holds up none of the others.
        looks.push(tokio::spawn(async move {
            let look = look(watched.subject.as_ref(), watched.checker.as_ref(), observations, every).await;
            let unavailable = look.seen.unavailable.clone();
            Checked { subject: entry.config.name, evaluations: look.judged, unavailable }
        }));
    }
    let mut checked = Vec::new();
    for look in looks {
        checked.push(look.await.map_err(|error| Failure::failed("look at a subject", error))?);
    }
    app.output.print("check", &checked, || checked.iter().map(text).collect::<Vec<_>>().join("\n"))?;
    let found = checked.iter().flat_map(|one| &one.evaluations).any(|evaluation| match evaluation.verdict {
        Verdict::Violated(_) => true,
        Verdict::Unknown(_) => args.strict,
        Verdict::Ok | Verdict::Suppressed(_) | Verdict::Gone => false,
    });
    Ok(if found { Exit::Found } else { Exit::Clean })
}

fn text(checked: &Checked) -> String {
    let mut table = Table::new(&["", "invariant", "on", "why"]);
    let (mut well, mut not_judged, mut bad) = (0, 0, 0);
    for evaluation in &checked.evaluations {
        let (word, why) = match &evaluation.verdict {
            Verdict::Violated(finding) => ("VIOLATED", finding.message.clone()),
            Verdict::Unknown(why) => ("unknown", why.to_string()),
            Verdict::Ok => {
                well += 1;
                continue;
            }
            Verdict::Suppressed(_) => {
                not_judged += 1;
                continue;
            }
            Verdict::Gone => continue,
        };
        bad += 1;
        table.row([word.to_owned(), evaluation.invariant.clone(), evaluation.on.to_string(), why]);
    }
    // What was not judged for a known reason is not well.
    let mut text = format!("{}: {well} ok, {bad} violated or unknown, {not_judged} not judged", checked.subject);
    if bad > 0 {
        text.push('\n');
        text.push_str(&table.render());
    }
    for gap in &checked.unavailable {
        text.push_str(&format!("\nnot readable: {gap}"));
    }
    text
}
