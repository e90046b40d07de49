//! The cluster panel: every component with its state and its key numbers, and the links to what it needs.

use operator_protocols::{
    ComponentState, Dependency, DependencyState, Locus, Observation, Signal, SignalKind, SignalRole,
};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::harmless::columns;
use crate::screen::ages::age;
use crate::screen::panel::{self, LineBuilder, Row};
use crate::screen::quantity::quantity;
use crate::screen::{Palette, ScreenModel};

/// The least and the most columns a component's name is given, so that what follows stands below each other.
const NAME_COLUMNS: (usize, usize) = (6, 18);
/// From this many columns on, words are written out.
const ROOMY: u16 = 50;
/// The roles that are shown, in that order, and how they are called.
const ROLES: [(SignalRole, &str); 4] = [
    (SignalRole::Latency, "latency "),
    // Its unit says what it is.
    (SignalRole::Traffic, ""),
    (SignalRole::Errors, "errors "),
    (SignalRole::Saturation, "load "),
];

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    let palette = model.palette;
    let title = match model.view() {
        Some(view) => format!("cluster · {}", view.descriptor.subject),
        None => "cluster".to_owned(),
    };
    let inside = panel::framed(frame, area, &title, palette, false);
    let mut rows = Vec::new();
    match model.view().map(|view| (view, &view.observation)) {
        None => {}
        Some((_, None)) => rows.push(Row::needed(line(inside).push("? nothing seen yet", palette.warning()))),
        Some((view, Some(seen))) => {
            let stale = view.at.since(seen.at);
            if !stale.is_zero() {
                let text = format!("? last seen {} before the last cycle", age(stale));
                rows.push(Row::needed(line(inside).push(&text, palette.warning())));
            }
            components(&mut rows, inside, seen, palette);
            for gap in &seen.unavailable {
                rows.push(Row::needed(line(inside).push(&format!("? not readable: {gap}"), palette.warning())));
            }
        }
    }
    // All healthy links or none: one of many would look like something special.
    if rows.len() > usize::from(inside.height) {
        rows.retain(|row| !row.is_dispensable());
    }
    panel::rows(frame, inside, rows, palette);
}

fn line(inside: Rect) -> LineBuilder {
    LineBuilder::new(inside.width)
}

fn components(rows: &mut Vec<Row>, inside: Rect, seen: &Observation, palette: Palette) {
    let longest = seen.components.iter().map(|component| columns(&component.id.local)).max().unwrap_or(0);
    let name_columns = longest.clamp(NAME_COLUMNS.0, NAME_COLUMNS.1);
    for component in &seen.components {
        let (glyph, word, style) = state(component.state, palette);
        let mut built = line(inside)
            .push(glyph, style)
            .push(" ", palette.plain())
            .push_within(&component.id.local, name_columns, palette.strong())
            .pad_to(2 + name_columns + 1)
            .push(word, style)
            .pad_to(2 + name_columns + 1 + 9);
        if component.state != ComponentState::Up && component.raw_state != word {
            built = built.push(&format!("({}) ", component.raw_state), palette.dim());
        }
        for (n, text) in numbers(seen, &Locus::Component(component.id.clone())).into_iter().enumerate() {
            let text = if inside.width < ROOMY { text.replacen("latency", "lat", 1) } else { text };
            let gap = if n == 0 { "" } else { "  " };
            built = built.push_if_it_fits(&format!("{gap}{text}"), palette.plain());
        }
        let mut own_lines = Vec::new();
        for dependency in seen.dependencies.iter().filter(|dependency| dependency.from == component.id) {
            let (text, style) = link(seen, dependency, palette);
            // What calls nobody because it is down says nothing of its links.
            let news = match dependency.state {
                DependencyState::Up => false,
                DependencyState::Down => true,
                DependencyState::Unknown => component.state != ComponentState::Down,
            };
            if !news && columns(&text) + 2 <= built.left() {
                built = built.push("  ", style).push(&text, style);
            } else {
                let own = line(inside).push("  └ ", palette.dim()).push(&component.id.local, palette.plain());
                let own = own.push(&text, style);
                own_lines.push(if news { Row::needed(own) } else { Row::dispensable(own) });
            }
        }
        rows.push(if component.state == ComponentState::Up { Row::wanted(built) } else { Row::needed(built) });
        rows.extend(own_lines);
    }
}

fn state(state: ComponentState, palette: Palette) -> (&'static str, &'static str, Style) {
    match state {
        ComponentState::Up => ("●", "up", palette.good()),
        ComponentState::Degraded => ("◐", "degraded", palette.warning()),
        ComponentState::Down => ("✖", "down", palette.bad()),
        ComponentState::Unknown => ("?", "unknown", palette.warning()),
    }
}

fn link(seen: &Observation, dependency: &Dependency, palette: Palette) -> (String, Style) {
    let (word, style) = match dependency.state {
        DependencyState::Up => ("", palette.dim()),
        DependencyState::Down => (" ✖ cut", palette.bad()),
        DependencyState::Unknown => (" ? unknown", palette.warning()),
    };
    let on = Locus::Edge(dependency.from.clone(), dependency.to.clone());
    let numbers = numbers(seen, &on).into_iter().next().map(|text| format!(" {text}")).unwrap_or_default();
    (format!("→{}{word}{numbers}", dependency.to.local), style)
}

/// One number a role: the first gauge by name, or else the first counter as a total.
fn numbers(seen: &Observation, on: &Locus) -> Vec<String> {
    let of_role = |role: SignalRole| {
        let mut signals: Vec<&Signal> =
            seen.signals.iter().filter(|signal| signal.role == role && &signal.on == on).collect();
        signals.sort_by_key(|signal| (signal.kind != SignalKind::Gauge, &signal.name));
        signals.into_iter().next()
    };
    ROLES
        .iter()
        .filter_map(|(role, called)| {
            let signal = of_role(*role)?;
            let total = if signal.kind == SignalKind::Gauge { "" } else { "Σ " };
            Some(format!("{called}{total}{}", quantity(signal.value, &signal.unit)))
        })
        .collect()
}
