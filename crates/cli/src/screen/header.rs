//! The first line: what this is, how it is allowed to act, and anything that overrides all of it.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::harmless::columns;
use crate::screen::ScreenModel;
use crate::screen::ages::time_of_day;
use crate::screen::panel::LineBuilder;

/// What the kill switch stops, if anything.
fn stopped(model: &ScreenModel) -> Option<String> {
    let killed: Vec<_> = model.views.iter().filter(|view| view.killed).collect();
    match killed[..] {
        [] => None,
        _ if killed.len() == model.views.len() => Some(" KILL SWITCH ENGAGED: nothing is sent ".to_owned()),
        _ => {
            let names: Vec<_> = killed.iter().map(|view| view.descriptor.subject.as_str()).collect();
            Some(format!(" KILL SWITCH ENGAGED for {} ", names.join(", ")))
        }
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let clock = time_of_day(model.now, &model.zone);
    let mut line =
        LineBuilder::new(area.width).push("operator ", palette.strong()).push(&model.title, palette.strong());
    if let Some(stopped) = stopped(model) {
        line = line.push("  ", palette.plain()).push(&stopped, palette.alarm());
    }
    if let Some(trouble) = model.view().and_then(|view| view.trouble.first()) {
        line = line.push("  ! ", palette.bad()).push_within(trouble, 40, palette.bad());
    }
    if let Some(view) = model.view() {
        let [low, medium, high] = view.autonomy;
        let cycle = format!("  low risk: {low}, medium: {medium}, high: {high} · cycle {}", view.cycle);
        if line.left() > columns(&cycle) + columns(&clock) + 1 {
            line = line.push(&cycle, palette.dim());
        }
    }
    let right = usize::from(area.width).saturating_sub(columns(&clock));
    frame.render_widget(line.pad_to(right).push_if_it_fits(&clock, palette.dim()).build(), area);
}
