//! The terminal screen: five panels over the typed facets of any subject, and a pure function that draws them.

mod agent;
pub mod ages;
mod chapter_bar;
mod cluster;
#[cfg(test)]
mod fixture;
mod header;
mod layout;
mod model;
mod monitor;
mod narration;
#[cfg(test)]
mod over_the_example;
mod palette;
mod panel;
mod quantity;
mod tabs;
#[cfg(test)]
mod tests;
mod tickets;
mod workload;

pub use model::{Beside, ChapterState, Phase, ScreenModel, WorkloadSecond};
pub use palette::Palette;

use ratatui::Frame;
use ratatui::text::Line;

use layout::Places;

/// The least screen on which everything has its place.
pub const LEAST: (u16, u16) = (80, 24);
/// Below this not even the panels' frames fit.
const TOO_SMALL: (u16, u16) = (40, 14);

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, model: &ScreenModel) {
    let area = frame.area();
    if area.width < TOO_SMALL.0 || area.height < TOO_SMALL.1 {
        let (width, height) = LEAST;
        frame.render_widget(
            Line::raw(format!("{}×{}: too small, make it {width}×{height}", area.width, area.height)),
            area,
        );
        return;
    }
    let places = Places::within(area, model);
    header::draw(frame, places.header, model);
    tabs::draw(frame, places.tabs, model);
    cluster::draw(frame, places.cluster, model);
    monitor::draw(frame, places.monitor, model);
    agent::draw(frame, places.agent, model);
    match model.beside {
        Beside::Workload => workload::draw(frame, places.beside, model),
        Beside::Tickets => tickets::draw(frame, places.beside, model),
    }
    narration::draw(frame, places.narration, model);
    chapter_bar::draw(frame, places.footer, model);
}
