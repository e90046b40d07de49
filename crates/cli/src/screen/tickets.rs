//! The tickets panel: what is open on any subject, the newest first; then what was resolved lately.

use operator_core::{Ticket, TicketState};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::harmless::columns;
use crate::screen::ScreenModel;
use crate::screen::agent::of_ticket;
use crate::screen::ages::age;
use crate::screen::panel::{self, LineBuilder, Row};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let mut tickets: Vec<&Ticket> = model.views.iter().flat_map(|view| &view.tickets).collect();
    tickets.sort_by_key(|ticket| {
        (ticket.state == TicketState::Resolved, std::cmp::Reverse((ticket.resolved_at, ticket.opened_at)))
    });
    let open = tickets.iter().filter(|ticket| ticket.state != TicketState::Resolved).count();
    let of = if model.several() { "all tickets" } else { "tickets" };
    let title = if open == 0 { format!("{of} · none open") } else { format!("{of} · {open} open") };
    let inside = panel::framed(frame, area, &title, palette, false);
    let mut rows = Vec::new();
    for ticket in tickets {
        let line = LineBuilder::new(inside.width);
        let style = of_ticket(ticket.state, palette);
        let state = match (ticket.state, ticket.acknowledged_by.is_some()) {
            (TicketState::NeedsHuman, _) => "NEEDS A HUMAN".to_owned(),
            (state, true) => format!("{state}, acked"),
            (state, false) => state.to_string(),
        };
        let until = ticket.resolved_at.unwrap_or(model.now);
        let lasts = age(until.since(ticket.opened_at));
        let head = line.push(&ticket.id, palette.strong());
        if ticket.state == TicketState::Resolved {
            rows.push(Row::dispensable(head.push(&format!(" {state} after {lasts}"), style)));
            continue;
        }
        let end_at = usize::from(inside.width).saturating_sub(columns(&lasts));
        rows.push(Row::needed(head.pad_to(end_at).push_if_it_fits(&lasts, palette.plain())));
        let what = format!(" {} on {}", ticket.invariant, ticket.on);
        let what =
            LineBuilder::new(inside.width).push("  ", palette.plain()).push(&state, style).push(&what, palette.plain());
        rows.push(Row::wanted(what));
    }
    panel::rows(frame, inside, rows, palette);
}
