//! What every panel shares: a frame with a title, and lines that are cut rather than overflow.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use crate::harmless::{columns, fit};
use crate::screen::Palette;

/// Draws the frame and gives what is inside.
pub(super) fn framed(frame: &mut Frame<'_>, area: Rect, title: &str, palette: Palette, alarm: bool) -> Rect {
    let mut block = Block::bordered();
    let title = format!(" {} ", fit(title, usize::from(area.width).saturating_sub(4)));
    block = if alarm {
        block.border_type(BorderType::Thick).border_style(palette.bad()).title(Span::styled(title, palette.alarm()))
    } else {
        block.border_style(palette.dim()).title(Span::styled(title, palette.strong()))
    };
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

/// A line, and what becomes of it where there is no room for all.
pub(super) struct Row {
    line: Line<'static>,
    rank: u8,
}

impl Row {
    /// It is shown whenever anything is.
    pub(super) fn needed(line: LineBuilder) -> Self {
        Self { line: line.build(), rank: 0 }
    }

    /// It goes where there is no room.
    pub(super) fn wanted(line: LineBuilder) -> Self {
        Self { line: line.build(), rank: 1 }
    }

    /// Whether it is shown whenever anything is.
    pub(super) fn is_needed(&self) -> bool {
        self.rank == 0
    }

    /// Whether it is the first to go.
    pub(super) fn is_dispensable(&self) -> bool {
        self.rank == 2
    }

    /// It is the first to go, and nobody is told.
    pub(super) fn dispensable(line: LineBuilder) -> Self {
        Self { line: line.build(), rank: 2 }
    }
}

/// Draws what there is room for: dispensable rows go first, then the last of the wanted ones, then of the needed; a
/// last line says how many of those went.
pub(super) fn rows(frame: &mut Frame<'_>, area: Rect, mut rows: Vec<Row>, palette: Palette) {
    let room = usize::from(area.height);
    if room == 0 {
        return;
    }
    while rows.len() > room {
        let Some(last) = rows.iter().rposition(|row| row.rank == 2) else { break };
        rows.remove(last);
    }
    let mut gone = 0;
    while rows.len() + usize::from(gone > 0) > room {
        let rank = rows.iter().map(|row| row.rank).max().unwrap_or(0);
        let Some(last) = rows.iter().rposition(|row| row.rank == rank) else { break };
        rows.remove(last);
        gone += 1;
    }
    let mut lines: Vec<Line<'static>> = rows.into_iter().map(|row| row.line).collect();
    if gone > 0 {
        lines.push(Line::styled(format!("… and {gone} more"), palette.dim()));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// A line put together from pieces, each harmless and none beyond `width`.
pub(super) struct LineBuilder {
    width: usize,
    used: usize,
    spans: Vec<Span<'static>>,
}

impl LineBuilder {
    pub(super) fn new(width: u16) -> Self {
        Self { width: usize::from(width), used: 0, spans: Vec::new() }
    }

    /// How many columns there are in all.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many columns are left.
    pub(super) fn left(&self) -> usize {
        self.width - self.used
    }

    /// Adds `text`, cut to what is left.
    pub(super) fn push(mut self, text: &str, style: Style) -> Self {
        let text = fit(text, self.left());
        self.used += columns(&text);
        self.spans.push(Span::styled(text, style));
        self
    }

    /// Adds `text`, cut to at most `width` columns.
    pub(super) fn push_within(self, text: &str, width: usize, style: Style) -> Self {
        let text = fit(text, width.min(self.left()));
        self.push(&text, style)
    }

    /// Adds `text` if it fits whole.
    pub(super) fn push_if_it_fits(self, text: &str, style: Style) -> Self {
        if columns(text) <= self.left() { self.push(text, style) } else { self }
    }

    /// Adds spaces up to column `column`.
    pub(super) fn pad_to(self, column: usize) -> Self {
        let spaces = column.min(self.width).saturating_sub(self.used);
        self.push(&" ".repeat(spaces), Style::new())
    }

    pub(super) fn build(self) -> Line<'static> {
        Line::from(self.spans)
    }
}
