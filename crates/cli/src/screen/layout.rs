//! Where the panels are.

use ratatui::layout::{Constraint, Layout, Rect};

/// The panels' places, and those of the first and the last lines.
pub(super) struct Places {
    pub(super) header: Rect,
    pub(super) cluster: Rect,
    pub(super) monitor: Rect,
    pub(super) agent: Rect,
    pub(super) workload: Rect,
    pub(super) narration: Rect,
    pub(super) footer: Rect,
}

impl Places {
    /// One line on top, three at the bottom; between them the state of things over what is done about it over what
    /// happened.
    pub(super) fn within(area: Rect) -> Self {
        let [header, body, footer] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(3)]).areas(area);
        let [state, doing, told] =
            Layout::vertical([Constraint::Fill(7), Constraint::Fill(8), Constraint::Fill(5)]).areas(body);
        let [cluster, monitor] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(state);
        let [agent, workload] =
            Layout::horizontal([Constraint::Percentage(68), Constraint::Percentage(32)]).areas(doing);
        Self { header, cluster, monitor, agent, workload, narration: told, footer }
    }
}
