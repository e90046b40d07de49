//! The agent panel: the incident in hand, how it is explained and on what evidence, what is done about it and what came
//! of that.

use operator_core::agent::{CaseProgress, CaseStage};
use operator_core::{Execution, ExecutionState, Incident, RuleVerdict, SubjectView, TicketState, VerificationOutcome};
use operator_protocols::Does;
use operator_reasoner::{Deliberation, Diagnosis, EvidenceRef, Outcome};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::screen::ages::age;
use crate::screen::panel::{self, LineBuilder, Row};
use crate::screen::{Palette, ScreenModel};
use crate::thinking::in_words;

/// How many alternatives are worth a line: more are in `incidents show`.
const ALTERNATIVES: usize = 2;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let latest = model
        .view()
        .into_iter()
        .flat_map(|view| view.incidents.iter().map(move |incident| (view, incident)))
        .max_by_key(|(_, incident)| (incident.closed_at.is_none(), incident.opened_at));
    let title = match latest {
        Some((_, incident)) => format!("agent · incident {}", incident.id),
        None => "agent".to_owned(),
    };
    let inside = panel::framed(frame, area, &title, palette, false);
    let mut rows = Vec::new();
    match latest {
        Some((view, incident)) => {
            head(&mut rows, inside, model, view, incident);
            if let Some(case) = model.agent.as_ref().and_then(|agent| agent.cases.get(&incident.id)) {
                thinking(&mut rows, inside, case, palette);
            }
            if let Some(diagnosis) = view.diagnoses.get(&incident.id) {
                explained(&mut rows, inside, diagnosis, palette);
            }
            if let Some(deliberation) = view.deliberations.get(&incident.id) {
                deliberated(&mut rows, inside, deliberation, palette);
            }
            let of_incident = |x: &&Execution| x.proposal.incident.as_ref() == Some(&incident.id);
            if let Some(execution) = view.executions.iter().rfind(of_incident) {
                done(&mut rows, inside, view, execution, palette);
            }
        }
        None => rows.push(Row::needed(line(inside).push("nothing is wrong", palette.good()))),
    }
    panel::rows(frame, inside, rows, palette);
}

fn line(inside: Rect) -> LineBuilder {
    LineBuilder::new(inside.width)
}

fn head(rows: &mut Vec<Row>, inside: Rect, model: &ScreenModel, view: &SubjectView, incident: &Incident) {
    let palette = model.palette;
    let lasted = match incident.closed_at {
        Some(closed) => format!("closed after {}", age(closed.since(incident.opened_at))),
        None => format!("open for {}", age(model.now.since(incident.opened_at))),
    };
    let tickets: Vec<_> = view.tickets.iter().filter(|ticket| ticket.incident == incident.id).collect();
    for (i, ticket) in tickets.iter().enumerate() {
        let style = of_ticket(ticket.state, palette);
        let built = line(inside)
            .push(&format!("{} ", ticket.state), style)
            .push(&format!("{} on {}", ticket.invariant, ticket.on), palette.strong());
        let built = if i == 0 { built.push_if_it_fits(&format!("  {lasted}"), palette.dim()) } else { built };
        rows.push(if i == 0 { Row::needed(built) } else { Row::dispensable(built) });
        if ticket.state == TicketState::NeedsHuman {
            rows.push(Row::needed(line(inside).push(&format!("  why: {}", ticket.state_reason), palette.bad())));
        }
    }
}

pub(super) fn of_ticket(state: TicketState, palette: Palette) -> Style {
    match state {
        TicketState::Resolved => palette.good(),
        TicketState::NeedsHuman => palette.alarm(),
        TicketState::Open => palette.bad(),
        TicketState::Diagnosed | TicketState::Contained => palette.warning(),
        TicketState::Acting | TicketState::Verifying => palette.act(),
    }
}

/// How a model gets on, while it is asked; and that nothing came of it. What it answered is told with the explanation.
fn thinking(rows: &mut Vec<Row>, inside: Rect, case: &CaseProgress, palette: Palette) {
    let said = in_words(case);
    match (case.stage, &case.step) {
        (CaseStage::Thinking, step) => {
            let does =
                step.as_ref().map_or(said, |step| format!("turn {} of {}: {}", step.turn, step.turns, step.text));
            rows.push(Row::needed(line(inside).push("… asking ", palette.act()).push(&does, palette.plain())));
            if let Some(step) = step.as_ref().filter(|step| step.usage.calls > 0) {
                let spent = format!("  {} so far", step.usage);
                rows.push(Row::wanted(line(inside).push(&spent, palette.dim())));
            }
        }
        (CaseStage::Waiting | CaseStage::GivenUp, _) => {
            rows.push(Row::wanted(line(inside).push("! model ", palette.warning()).push(&said, palette.plain())));
        }
        (CaseStage::Answered, _) => {}
    }
}

/// What came of asking a model, what it cost, and where it saw it otherwise.
fn deliberated(rows: &mut Vec<Row>, inside: Rect, deliberation: &Deliberation, palette: Palette) {
    let (glyph, style) = match deliberation.outcome {
        Outcome::Accepted | Outcome::Repaired => ("✓", palette.good()),
        Outcome::FallenBack { .. } => ("↩", palette.warning()),
    };
    let built = line(inside)
        .push(&format!("{glyph} {} ", deliberation.model), style)
        .push(&deliberation.outcome.to_string(), palette.plain());
    rows.push(Row::wanted(built));
    if let Some(dissent) = &deliberation.dissent {
        let built = line(inside).push("  it saw it otherwise: ", palette.warning()).push(dissent, palette.plain());
        rows.push(Row::wanted(built));
    }
    rows.push(Row::dispensable(line(inside).push(&format!("  {}", deliberation.usage), palette.dim())));
}

fn explained(rows: &mut Vec<Row>, inside: Rect, diagnosis: &Diagnosis, palette: Palette) {
    let primary = &diagnosis.primary;
    if diagnosis.abstained() {
        let text = format!("? the evidence does not decide: {}", primary.statement);
        rows.push(Row::needed(line(inside).push(&text, palette.warning())));
    } else {
        let confidence = &diagnosis.confidence;
        let built = line(inside)
            .push("cause ", palette.dim())
            .push(&format!("{} at {}", primary.class, primary.locus), palette.strong())
            .push(
                &format!("  {:.0} %, {} confidence", confidence.probability * 100.0, confidence.word),
                palette.plain(),
            )
            .push_if_it_fits(&format!(" ({})", diagnosis.diagnoser), palette.dim());
        rows.push(Row::needed(built));
    }
    for (i, evidence) in primary.supporting.iter().enumerate() {
        let built = line(inside)
            .push(&format!("  + {} ", evidence.id), palette.good())
            .push(said(diagnosis, evidence), palette.plain());
        rows.push(if i < 2 { Row::wanted(built) } else { Row::dispensable(built) });
    }
    for evidence in &primary.contradicting {
        let built = line(inside)
            .push(&format!("  − {} ", evidence.id), palette.warning())
            .push(said(diagnosis, evidence), palette.plain());
        rows.push(Row::dispensable(built));
    }
    for alternative in diagnosis.alternatives.iter().take(ALTERNATIVES) {
        let hypothesis = &alternative.hypothesis;
        let built = line(inside)
            .push("  not ", palette.dim())
            .push(&format!("{} at {}", hypothesis.class, hypothesis.locus), palette.plain())
            .push(&format!(" ({:.0} %): {}", hypothesis.probability * 100.0, alternative.conclusion), palette.dim());
        rows.push(Row::dispensable(built));
    }
    for missing in diagnosis.missing.iter().take(ALTERNATIVES) {
        let text = format!("  to look at next: {missing}");
        rows.push(Row::dispensable(line(inside).push(&text, palette.dim())));
    }
}

/// What the evidence is, where the timeline says it; else why it was cited.
fn said<'a>(diagnosis: &'a Diagnosis, cited: &'a EvidenceRef) -> &'a str {
    let entry = diagnosis.timeline.iter().find(|entry| entry.evidence == cited.id);
    entry.map_or(&cited.because, |entry| &entry.text)
}

fn done(rows: &mut Vec<Row>, inside: Rect, view: &SubjectView, execution: &Execution, palette: Palette) {
    let proposal = &execution.proposal;
    let (glyph, style) = of_execution(execution.state, palette);
    let does = match proposal.does {
        Does::Cures => "cures",
        Does::Contains => "contains",
    };
    let built = line(inside)
        .push("action ", palette.dim())
        .push(&format!("{} → {}", proposal.action, proposal.target), palette.strong())
        .push(&format!("  {glyph} {}", execution.state), style)
        .push_if_it_fits(&format!("  {} risk, {does} {}", proposal.risk, proposal.remedies), palette.dim());
    rows.push(Row::needed(built));
    if let Some(held) = proposal.rules.iter().find(|rule| rule.verdict != RuleVerdict::Allow) {
        let text = format!("  policy: {} says {}: {}", held.rule, held.verdict, held.because);
        rows.push(Row::wanted(line(inside).push(&text, palette.warning())));
    } else if !proposal.rules.is_empty() {
        let names: Vec<_> = proposal.rules.iter().map(|rule| rule.rule.as_str()).collect();
        let text = format!("  policy: {} rules allow it ({})", names.len(), names.join(", "));
        rows.push(Row::dispensable(line(inside).push(&text, palette.dim())));
    }
    if !execution.state_reason.is_empty() {
        rows.push(Row::dispensable(line(inside).push(&format!("  {}", execution.state_reason), palette.plain())));
    }
    if let Some(verification) = view.verifications.get(&proposal.id) {
        let (text, style) = match &verification.outcome {
            VerificationOutcome::Cleared => ("✓ verified: the violation is over".to_owned(), palette.good()),
            VerificationOutcome::Contained => ("✓ verified: contained".to_owned(), palette.good()),
            VerificationOutcome::NotCleared { tickets } => {
                (format!("✖ it did not help: {} still violated", tickets.join(", ")), palette.bad())
            }
            VerificationOutcome::BrokeSomething { broken } => {
                let broken: Vec<_> = broken.iter().map(|(invariant, on)| format!("{invariant} on {on}")).collect();
                (format!("✖ something broke meanwhile: {}", broken.join(", ")), palette.bad())
            }
        };
        rows.push(Row::needed(line(inside).push(&text, style)));
    } else if execution.state == ExecutionState::Done {
        rows.push(Row::wanted(line(inside).push("… watching whether it worked", palette.act())));
    }
}

fn of_execution(state: ExecutionState, palette: Palette) -> (&'static str, Style) {
    match state {
        ExecutionState::Proposed | ExecutionState::Approved => ("○", palette.plain()),
        ExecutionState::AwaitingApproval => ("⧗", palette.warning()),
        ExecutionState::Dispatched | ExecutionState::Running => ("▶", palette.act()),
        ExecutionState::Unknown | ExecutionState::Unsettled => ("?", palette.alarm()),
        ExecutionState::Done | ExecutionState::SettledByHuman => ("✓", palette.good()),
        ExecutionState::Failed => ("✖", palette.bad()),
        ExecutionState::Cancelled | ExecutionState::Expired => ("–", palette.dim()),
    }
}
