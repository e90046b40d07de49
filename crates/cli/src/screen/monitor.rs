//! The monitor panel: what is violated and for how long, then how every invariant was judged last.

use std::time::Duration;

use operator_core::{SubjectView, Ticket, TicketState, Violation};
use operator_protocols::{InvariantDefinition, Severity, Timestamp, Verdict};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::harmless::columns;
use crate::screen::ages::age;
use crate::screen::panel::{self, LineBuilder, Row};
use crate::screen::{Palette, ScreenModel};

/// How long a ticket that was just opened is highlighted.
const HIGHLIGHT: Duration = Duration::from_secs(6);

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let detected = model.view().and_then(|view| just_detected(view, model.now));
    let title = match detected {
        Some(ticket) => format!("DETECTED {} {}", ticket.id, ticket.invariant),
        None => "monitor".to_owned(),
    };
    let inside = panel::framed(frame, area, &title, palette, detected.is_some());
    let mut rows = Vec::new();
    if let Some(view) = model.view() {
        for violation in &view.violations {
            rows.push(Row::needed(of_violation(inside, model, view, violation)));
        }
        invariants(&mut rows, inside, view, palette);
    }
    panel::rows(frame, inside, rows, palette);
}

/// The ticket that was opened so lately that it must be seen, if there is one.
pub(super) fn just_detected(view: &SubjectView, now: Timestamp) -> Option<&Ticket> {
    view.tickets.iter().find(|ticket| {
        ticket.state != TicketState::Resolved
            && !ticket.cleared
            && ticket.opened_at <= now
            && now.since(ticket.opened_at) < HIGHLIGHT
    })
}

fn of_violation(inside: Rect, model: &ScreenModel, view: &SubjectView, violation: &Violation) -> LineBuilder {
    let palette = model.palette;
    let lasts = model.now.since(violation.first_seen);
    let style = match violation.severity {
        Severity::Critical => palette.bad(),
        Severity::Warning | Severity::Info => palette.warning(),
    };
    let what = format!("{} on {}", violation.invariant, violation.on);
    let line = LineBuilder::new(inside.width);
    if let Some(ok_since) = violation.ok_since {
        let text = format!("clearing, ok for {}", age(model.now.since(ok_since)));
        return with_end(line.push("◌ ", palette.good()), &what, &text, palette);
    }
    match &violation.ticket {
        Some(ticket) => {
            let number = ticket.rsplit('-').next().unwrap_or(ticket);
            with_end(line.push("▲ ", style), &what, &format!("{number} {}", age(lasts)), palette)
        }
        None => {
            let grace = grace_of(view, &violation.invariant);
            let text = format!("pending {} of {}", age(lasts), age(grace));
            with_end(line.push("△ ", palette.warning()), &what, &text, palette)
        }
    }
}

/// `what`, cut so that `end` stands whole at the right.
fn with_end(line: LineBuilder, what: &str, end: &str, palette: Palette) -> LineBuilder {
    let room = line.left().saturating_sub(columns(end) + 1);
    let end_at = line.width() - columns(end).min(line.width());
    line.push_within(what, room, palette.strong()).pad_to(end_at).push(end, palette.plain())
}

fn grace_of(view: &SubjectView, invariant: &str) -> Duration {
    view.invariants.iter().find(|definition| definition.name == invariant).map_or(Duration::ZERO, |d| d.grace)
}

/// How often an invariant was judged in each way.
#[derive(Default)]
struct Counts {
    ok: usize,
    violated: usize,
    unknown: usize,
    suppressed: usize,
}

impl Counts {
    fn of(view: &SubjectView, invariant: &str) -> Self {
        let mut counts = Self::default();
        for evaluation in view.evaluations.iter().filter(|evaluation| evaluation.invariant == invariant) {
            match evaluation.verdict {
                Verdict::Ok => counts.ok += 1,
                Verdict::Violated(_) => counts.violated += 1,
                Verdict::Unknown(_) => counts.unknown += 1,
                Verdict::Suppressed(_) => counts.suppressed += 1,
                Verdict::Gone => {}
            }
        }
        counts
    }

    fn words(&self) -> String {
        let parts =
            [("violated", self.violated), ("unknown", self.unknown), ("ok", self.ok), ("idle", self.suppressed)];
        let parts: Vec<_> = parts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
        if parts.is_empty() { "not judged".to_owned() } else { parts.join(", ") }
    }
}

/// Every invariant on a line of its own where there is room, those that hold summed up in one line where there is not.
fn invariants(rows: &mut Vec<Row>, inside: Rect, view: &SubjectView, palette: Palette) {
    let judged: Vec<(&InvariantDefinition, Counts)> =
        view.invariants.iter().map(|definition| (definition, Counts::of(view, &definition.name))).collect();
    let crowded = rows.len() + judged.len() > usize::from(inside.height);
    let (mut hold, of) = (0, judged.len());
    for (definition, counts) in judged {
        let line = LineBuilder::new(inside.width);
        if counts.violated > 0 {
            // Its violations have lines of their own.
            rows.push(Row::dispensable(with_end(
                line.push("✖ ", palette.bad()),
                &definition.name,
                &counts.words(),
                palette,
            )));
        } else if counts.unknown > 0 {
            let line = line.push("? ", palette.warning());
            rows.push(Row::wanted(with_end(line, &definition.name, &counts.words(), palette)));
        } else if crowded {
            hold += 1;
        } else {
            let glyph = if counts.ok > 0 { "✓ " } else { "– " };
            let line = line.push(glyph, palette.good());
            rows.push(Row::wanted(with_end(line, &definition.name, &counts.words(), palette)));
        }
    }
    if hold > 0 {
        let text = format!("{hold} of {of} invariants hold");
        let line = LineBuilder::new(inside.width).push("✓ ", palette.good()).push(&text, palette.plain());
        rows.insert(rows.iter().take_while(|row| row.is_needed()).count(), Row::wanted(line));
    }
}
