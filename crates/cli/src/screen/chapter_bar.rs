//! The last three lines: where the story stands, what to read or to do now, and the keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::harmless::{columns, wrap};
use crate::screen::panel::LineBuilder;
use crate::screen::{ChapterState, Palette, Phase, ScreenModel};

const STEPS: [&str; 8] = ["prepare", "explain", "countdown", "fault", "detect", "diagnose", "act", "verify"];

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let lines = [Constraint::Length(1), Constraint::Length(1), Constraint::Length(1)];
    let keys = match &model.chapter {
        None => area,
        Some(chapter) => {
            let [bar, prompt, keys] = Layout::vertical(lines).areas(area);
            told(frame, bar, prompt, chapter, palette);
            keys
        }
    };
    let mut line = LineBuilder::new(keys.width);
    for (key, does) in &model.keys {
        line = line
            .push(&format!(" {key} "), palette.bar())
            .push(" ", palette.plain())
            .push(does, palette.dim())
            .push("  ", palette.plain());
    }
    frame.render_widget(line.build(), keys);
}

fn told(frame: &mut Frame<'_>, bar: Rect, prompt: Rect, chapter: &ChapterState, palette: Palette) {
    let phase = chapter.phase;
    let style = match phase {
        Phase::Failed => palette.alarm(),
        Phase::Countdown(_) | Phase::Broken | Phase::Detected => palette.bad(),
        Phase::Over => palette.good(),
        _ => palette.act(),
    };
    let mut line = LineBuilder::new(bar.width)
        .push(&format!(" {}/{} ", chapter.number, chapter.of), palette.bar())
        .push(" ", palette.plain())
        .push(&chapter.title, palette.strong())
        .push("  ", palette.plain())
        .push(&format!("▶ {}", phase.words()), style)
        .push("  ", palette.plain());
    let mut steps = String::new();
    for (i, step) in STEPS.iter().enumerate() {
        let mark = match i.cmp(&phase.step()) {
            std::cmp::Ordering::Less => format!("✓{step} "),
            std::cmp::Ordering::Equal => format!("▶{step} "),
            std::cmp::Ordering::Greater => format!("·{step} "),
        };
        steps.push_str(&mark);
    }
    let done = phase.step().min(STEPS.len());
    let dots = format!("{}{}", "●".repeat(done), "○".repeat(STEPS.len() - done));
    line = if columns(&steps) <= line.left() {
        line.push(&steps, palette.dim())
    } else {
        line.push_if_it_fits(&dots, palette.dim())
    };
    frame.render_widget(line.build(), bar);
    let text = wrap(&chapter.prompt, usize::from(prompt.width), 1).into_iter().next().unwrap_or_default();
    frame.render_widget(LineBuilder::new(prompt.width).push(&text, palette.plain()).build(), prompt);
}
