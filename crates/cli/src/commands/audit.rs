//! `operator audit`: everything that happened, and whether the record of it is whole.

use clap::Subcommand;
use operator_core::audit::ChainStatus;
use operator_core::store::Store as _;
use operator_core::{Actor, AuditRow};
use operator_reasoner::Deliberation;
use serde::Deserialize as _;

use crate::app::App;
use crate::commands::explanation::deliberated;
use crate::exit::{Exit, Failure};
use crate::narrate::narrate;
use crate::output::{Output, Table};

/// The most rows that are read at once.
const PAGE: u32 = 10_000;

/// What to do with the audit chain.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List rows, oldest first
    #[command(after_help = "Example:\n  operator audit list --last 20")]
    List {
        /// From this row on
        #[arg(long, value_name = "SEQ", default_value_t = 1, conflicts_with = "last")]
        from: u64,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
        /// Only the last so many
        #[arg(long, value_name = "N")]
        last: Option<u32>,
        /// Only rows whose kind begins so: action., ticket.opened
        #[arg(long, value_name = "PREFIX")]
        kind: Option<String>,
    },
    /// Show one row
    #[command(after_help = "Example:\n  operator audit show 42 --output json")]
    Show {
        /// Its number
        seq: u64,
    },
    /// Verify the whole chain: exits 0 when it is intact, 3 when it is not, 1 when it cannot be read
    #[command(after_help = "Example:\n  operator audit verify --output json")]
    Verify,
}

/// Does what `verb` says.
///
/// # Errors
/// When the store cannot be read.
pub async fn run(app: &App, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List { from, limit, last, kind } => list(app, from, limit, last, kind.as_deref()).await,
        Verb::Show { seq } => show(app, seq).await,
        Verb::Verify => verify(app).await,
    }
}

async fn list(app: &App, from: u64, limit: u32, last: Option<u32>, kind: Option<&str>) -> Result<Exit, Failure> {
    let store = app.reader()?;
    let wanted = |row: &AuditRow| kind.is_none_or(|prefix| row.event.kind.starts_with(prefix));
    let keep = usize::try_from(last.unwrap_or(limit)).unwrap_or(usize::MAX);
    let (mut rows, mut next) = (std::collections::VecDeque::new(), from);
    loop {
        let page = store.audit(next, PAGE).await?;
        let Some(end) = page.last().map(|row| row.seq + 1) else { break };
        next = end;
        rows.extend(page.into_iter().filter(wanted));
        if last.is_some() {
            rows.drain(..rows.len().saturating_sub(keep));
        } else if rows.len() >= keep {
            break;
        }
    }
    rows.truncate(keep);
    let rows: Vec<_> = rows.into();
    app.output.print("audit", &rows, || text(&app.output, &rows))?;
    Ok(Exit::Clean)
}

fn text(output: &Output, rows: &[AuditRow]) -> String {
    if rows.is_empty() {
        return "no rows".to_owned();
    }
    let mut table = Table::new(&["seq", "at", "kind", "who", "what"]);
    for row in rows {
        let event = &row.event;
        let who = match &event.actor {
            Actor::Operator => "operator",
            Actor::Principal(principal) => &principal.name,
        };
        let told = narrate(event).into_iter().next().map_or_else(|| event.reference.clone(), |line| line.text);
        let at = crate::screen::ages::date_and_time(event.at, &output.zone);
        table.row([row.seq.to_string(), at, event.kind.clone(), who.to_owned(), told]);
    }
    table.render()
}

async fn show(app: &App, seq: u64) -> Result<Exit, Failure> {
    let mut rows = app.reader()?.audit(seq, 1).await?;
    rows.retain(|row| row.seq == seq);
    let Some(row) = rows.pop() else {
        return Err(Failure::failed(format!("find row {seq}"), "there is none of that number")
            .next("`operator audit list --last 10` shows the last ones"));
    };
    app.output.print("row", &row, || {
        let body = serde_json::to_string_pretty(&row.event.body).unwrap_or_default();
        let calls = calls(&row).map(|calls| format!("\n{calls}")).unwrap_or_default();
        format!(
            "{}\n{calls}{body}\nprev {}\nhash {}",
            text(&app.output, std::slice::from_ref(&row)).trim_end(),
            row.prev,
            row.hash
        )
    })?;
    Ok(Exit::Clean)
}

/// The calls to a model that the row tells of, each with what it cost and what came of it; the body has them whole.
fn calls(row: &AuditRow) -> Option<String> {
    let deliberation = Deliberation::deserialize(row.event.body.get("deliberation")?).ok()?;
    let mut text = String::new();
    for told in deliberated(&deliberation) {
        text.push_str(&told);
        text.push('\n');
    }
    let mut table = Table::new(&["turn", "status", "took", "in", "cached", "out", "usd", "came back"]);
    for call in &deliberation.exchanges {
        let usage = &call.usage;
        table.row([
            call.turn.to_string(),
            call.status.map_or_else(|| "–".to_owned(), |status| status.to_string()),
            format!("{:.1} s", std::time::Duration::from_millis(call.took_ms).as_secs_f64()),
            usage.input_tokens.to_string(),
            usage.cached_tokens.to_string(),
            usage.output_tokens.to_string(),
            format!("{:.4}", usage.cost_micro_usd as f64 / 1e6),
            call.error.clone().unwrap_or_else(|| format!("{} bytes", call.response.len())),
        ]);
    }
    if !deliberation.exchanges.is_empty() {
        text.push_str(&table.render());
        text.push('\n');
    }
    Some(text)
}

async fn verify(app: &App) -> Result<Exit, Failure> {
    let status = app.reader()?.verify_audit().await?;
    app.output.print("chain", &status, || match &status {
        ChainStatus::Intact { size, head } => format!("intact: {size} rows, head {head}"),
        ChainStatus::Broken { first_bad_seq, why } => format!("NOT INTACT: row {first_bad_seq} is {why}"),
    })?;
    Ok(match status {
        ChainStatus::Intact { .. } => Exit::Clean,
        ChainStatus::Broken { .. } => Exit::Found,
    })
}
