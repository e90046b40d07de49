//! The first line: what this is, how it is allowed to act, and anything that overrides all of it.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::harmless::columns;
use crate::screen::ScreenModel;
use crate::screen::ages::time_of_day;
use crate::screen::panel::LineBuilder;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let clock = time_of_day(model.now, &model.zone);
    let mut line =
        LineBuilder::new(area.width).push("operator ", palette.strong()).push(&model.title, palette.strong());
    if model.killed() {
        line = line.push("  ", palette.plain()).push(" KILL SWITCH ENGAGED: nothing is sent ", palette.alarm());
    }
    if let Some(trouble) = model.views.iter().flat_map(|view| &view.trouble).next() {
        line = line.push("  ! ", palette.bad()).push_within(trouble, 40, palette.bad());
    }
    if let Some(view) = model.views.first() {
        let [low, medium, high] = view.autonomy;
        let cycle = format!("  low risk: {low}, medium: {medium}, high: {high} · cycle {}", view.cycle);
        if line.left() > columns(&cycle) + columns(&clock) + 1 {
            line = line.push(&cycle, palette.dim());
        }
    }
    let right = usize::from(area.width).saturating_sub(columns(&clock));
    frame.render_widget(line.pad_to(right).push_if_it_fits(&clock, palette.dim()).build(), area);
}
