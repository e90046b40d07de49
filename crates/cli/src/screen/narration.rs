//! The narration panel: what happened, the latest at the bottom. The transcript prints the same lines.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::harmless::wrap;
use crate::narrate::Tone;
use crate::screen::ScreenModel;
use crate::screen::ages::time_of_day;
use crate::screen::panel::{self, LineBuilder};

/// How many lines one event may take: a long message must not push out the ones before it.
const LINES_PER_EVENT: usize = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let inside = panel::framed(frame, area, "narration", palette, false);
    let room = usize::from(inside.height);
    let mut shown: Vec<Line<'static>> = Vec::new();
    // Evidence and rules have their place in the agent panel.
    for line in model.narration.iter().rev().filter(|line| !line.detail) {
        let style = match line.tone {
            Tone::Plain => palette.plain(),
            Tone::Good => palette.good(),
            Tone::Warning => palette.warning(),
            Tone::Bad => palette.bad(),
            Tone::Act => palette.act(),
            Tone::Chapter => palette.strong(),
        };
        let start = format!("{} {} ", time_of_day(line.at, &model.zone), line.tone.glyph());
        let indent = start.chars().count();
        let line = if model.several() { line.clone().with_subject_named() } else { line.clone() };
        let text = wrap(&line.text, usize::from(inside.width).saturating_sub(indent), LINES_PER_EVENT);
        for (i, part) in text.iter().enumerate().rev() {
            let built = LineBuilder::new(inside.width);
            let built = if i == 0 { built.push(&start, palette.dim()) } else { built.pad_to(indent) };
            shown.push(built.push(part, style).build());
        }
        if shown.len() >= room {
            break;
        }
    }
    shown.truncate(room);
    shown.reverse();
    frame.render_widget(Paragraph::new(shown), inside);
}
