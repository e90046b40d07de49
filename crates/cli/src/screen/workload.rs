//! The workload panel: what is asked of the subject and what comes of it, a bar a second.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Sparkline;

use crate::screen::panel::{self, LineBuilder};
use crate::screen::quantity::{number, quantity};
use crate::screen::{ScreenModel, WorkloadSecond};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let inside = panel::framed(frame, area, "workload", palette, false);
    let Some(last) = model.workload.back() else {
        frame.render_widget(
            LineBuilder::new(inside.width).push("no workload is measured", palette.dim()).build(),
            inside,
        );
        return;
    };
    // Two lines of numbers; the bars share the rest.
    let bars = inside.height.saturating_sub(2);
    let refused = if bars >= 3 { bars / 3 } else { 0 };
    let errors = u16::from(bars >= 3);
    let [numbers, ok_area, refused_area, errors_area] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(bars.saturating_sub(refused + errors)),
        Constraint::Length(refused),
        Constraint::Length(errors),
    ])
    .areas(inside);

    let [first, second] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(numbers);
    let rate = format!("{}/s sent", number(last.sent as f64));
    let p99 = last.p99_ms.map_or_else(|| "p99 –".to_owned(), |ms| format!("p99 {}", quantity(ms / 1e3, "s")));
    let line = LineBuilder::new(first.width)
        .push(&rate, palette.strong())
        .push_if_it_fits(&format!("  {p99}"), palette.plain());
    frame.render_widget(line.build(), first);
    let line = LineBuilder::new(second.width)
        .push(&format!("▲ ok {} ", number(last.ok as f64)), palette.good())
        .push(&format!("▼ refused {} ", number(last.refused as f64)), palette.warning())
        .push(&format!("✖ {}", number(last.errors as f64)), if last.errors > 0 { palette.bad() } else { palette.dim() })
        .push_if_it_fits(" errors", palette.dim());
    frame.render_widget(line.build(), second);

    let columns = usize::from(inside.width);
    let shown = model.workload.len().saturating_sub(columns);
    let recent: Vec<_> = model.workload.iter().skip(shown).copied().collect();
    // One scale for granted and refused, so that their bars compare.
    let most = recent.iter().map(|second| second.ok.max(second.refused)).max().unwrap_or(0).max(1);
    // The present stands at the right, whatever there was before.
    let before = columns - recent.len();
    let bars = |of: fn(&WorkloadSecond) -> u64| {
        let values = recent.iter().map(of).map(Some);
        Sparkline::default().data(std::iter::repeat_n(None, before).chain(values)).absent_value_symbol(" ").max(most)
    };
    frame.render_widget(bars(|second| second.ok).style(palette.good()), ok_area);
    frame.render_widget(bars(|second| second.refused).style(palette.warning()), refused_area);
    if errors > 0 {
        let marks = recent.iter().map(|second| if second.errors > 0 { '✖' } else { ' ' });
        let marks: String = std::iter::repeat_n(' ', before).chain(marks).collect();
        frame.render_widget(LineBuilder::new(inside.width).push(&marks, palette.bad()).build(), errors_area);
    }
}
