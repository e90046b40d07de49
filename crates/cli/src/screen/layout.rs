//! Where the panels are.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::screen::{Beside, ScreenModel};

/// The panels' places, and those of the first and the last lines.
pub(super) struct Places {
    pub(super) header: Rect,
    pub(super) tabs: Rect,
    pub(super) cluster: Rect,
    pub(super) monitor: Rect,
    pub(super) agent: Rect,
    pub(super) beside: Rect,
    pub(super) narration: Rect,
    pub(super) footer: Rect,
}

impl Places {
    /// One line on top, and one to choose between subjects where there are several; at the bottom a line of keys, and
    /// two for the story where one is told; between them the state of things over what is done about it over what
    /// happened.
    pub(super) fn within(area: Rect, model: &ScreenModel) -> Self {
        let tabs = Constraint::Length(u16::from(model.several()));
        let footer = Constraint::Length(if model.chapter.is_some() { 3 } else { 1 });
        let [header, tabs, body, footer] =
            Layout::vertical([Constraint::Length(1), tabs, Constraint::Min(0), footer]).areas(area);
        let [state, doing, told] =
            Layout::vertical([Constraint::Fill(7), Constraint::Fill(8), Constraint::Fill(5)]).areas(body);
        let [cluster, monitor] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(state);
        let agent = match model.beside {
            Beside::Workload => 68,
            // Names and sentences take more room than bars.
            Beside::Tickets => 62,
        };
        let [agent, beside] =
            Layout::horizontal([Constraint::Percentage(agent), Constraint::Percentage(100 - agent)]).areas(doing);
        Self { header, tabs, cluster, monitor, agent, beside, narration: told, footer }
    }
}
