//! One action with everything that was said and done about it.

use std::fmt::Write as _;

use operator_core::store::Store as _;
use operator_core::store::sqlite::SqliteStore;
use operator_core::{Approval, Attempt, Decision, Execution, Verification, VerificationOutcome};
use serde::Serialize;

use crate::app::App;
use crate::exit::Failure;
use crate::output::Output;

#[derive(Serialize)]
struct Whole {
    execution: Execution,
    approvals: Vec<Approval>,
    attempts: Vec<Attempt>,
    verifications: Vec<Verification>,
}

pub(super) async fn run(app: &App, id: &str) -> Result<(), Failure> {
    let store = app.reader()?;
    let execution = app.execution(&store, id).await?;
    let whole = read(&store, execution).await?;
    app.output.print("action", &whole, || text(&app.output, &whole))
}

async fn read(store: &SqliteStore, execution: Execution) -> Result<Whole, Failure> {
    let id = &execution.proposal.id;
    Ok(Whole {
        approvals: store.approvals(id).await?,
        attempts: store.attempts(id).await?,
        verifications: store.verifications(id).await?,
        execution,
    })
}

fn text(output: &Output, whole: &Whole) -> String {
    let mut text = proposal_text(output, &whole.execution);
    for approval in &whole.approvals {
        let decided = match approval.decision {
            Decision::Approve => "approved",
            Decision::Reject => "rejected",
        };
        let who = &approval.approver.name;
        let _ = writeln!(text, "  {decided} by {who} {}: {}", output.when(approval.at), approval.reason);
    }
    for attempt in &whole.attempts {
        let outcome = attempt.outcome.as_deref().unwrap_or("no outcome yet");
        let _ = writeln!(text, "  attempt {} begun {}: {outcome}", attempt.attempt, output.when(attempt.began_at));
    }
    for verification in &whole.verifications {
        let outcome = match &verification.outcome {
            VerificationOutcome::Cleared => "the violation is over",
            VerificationOutcome::Contained => "contained",
            VerificationOutcome::NotCleared { .. } => "it did not help",
            VerificationOutcome::BrokeSomething { .. } => "something broke meanwhile",
        };
        let _ = writeln!(text, "  verified {}: {outcome}", output.when(verification.ended_at));
        for evidence in &verification.evidence {
            let _ = writeln!(text, "    {evidence}");
        }
    }
    text
}

/// What a person decides on: nothing but what the hash covers, and why it stands where it stands.
pub(super) fn proposal_text(output: &Output, execution: &Execution) -> String {
    let proposal = &execution.proposal;
    let mut text = format!("{} {}: {}\n", proposal.id, execution.state, execution.state_reason);
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    line("action", &format!("{} ({} risk, {:?})", proposal.action, proposal.risk, proposal.class));
    line("target", &proposal.target.to_text());
    if let Some(incarnation) = &proposal.guard.incarnation {
        line("incarnation", incarnation);
    }
    for (name, value) in &proposal.params {
        line("parameter", &format!("{name} = {value}"));
    }
    for (name, value) in &proposal.guard.facts {
        line("relies on", &format!("{name} = {value}"));
    }
    line("remedies", &format!("{} ({:?})", proposal.remedies, proposal.does));
    let touched: Vec<_> = proposal.blast_radius.iter().map(ToString::to_string).collect();
    line("may touch", &touched.join(", "));
    line("asked for by", &proposal.requested_by);
    line("tickets", &proposal.tickets.join(" "));
    line("proposed", &output.when(proposal.created_at));
    line("expires", &crate::screen::ages::date_and_time(proposal.expires_at, &output.zone));
    line("approvals", &format!("{} needed", execution.quorum));
    line("hash", &execution.bind_hash);
    for rule in &proposal.rules {
        line("rule", &format!("{}: {}: {}", rule.rule, rule.verdict, rule.because));
    }
    text
}
