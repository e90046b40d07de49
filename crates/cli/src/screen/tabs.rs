//! The line to choose between subjects: a number to press, a name, and how each is.

use operator_core::{SubjectView, TicketState};
use operator_protocols::Verdict;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::harmless::columns;
use crate::screen::ScreenModel;
use crate::screen::ages::age;
use crate::screen::monitor::just_detected;
use crate::screen::panel::LineBuilder;

/// How many times longer than its observation may take a loop may be silent before that is said.
const SILENT_AFTER: u32 = 4;
/// The columns that the marks of a line that goes on take.
const MARK: usize = 2;

/// How a subject is, in a word or two.
struct State {
    glyph: &'static str,
    count: Option<usize>,
    words: String,
    style: Style,
}

impl State {
    fn long(&self) -> String {
        let count = self.count.map(|count| format!("{count} ")).unwrap_or_default();
        format!("{} {count}{}", self.glyph, self.words)
    }

    fn short(&self) -> String {
        self.count.map_or_else(|| self.glyph.to_owned(), |count| format!("{}{count}", self.glyph))
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &ScreenModel) {
    if !model.several() {
        return;
    }
    let palette = model.palette;
    let states: Vec<State> = model.views.iter().map(|view| state(view, model)).collect();
    let names = model.views.iter().map(|view| view.descriptor.subject.as_str());
    let label = |(i, (name, state)): (usize, (&str, &State)), long: bool| {
        let state = if long { state.long() } else { state.short() };
        (format!(" {} {name} ", i + 1), format!("{state} "))
    };
    let labels = |long: bool| -> Vec<(String, String)> {
        names.clone().zip(&states).enumerate().map(|tab| label(tab, long)).collect()
    };
    let width = |tabs: &[(String, String)]| tabs.iter().map(|(a, b)| columns(a) + columns(b) + 1).sum::<usize>();
    let mut tabs = labels(true);
    if width(&tabs) > usize::from(area.width) {
        tabs = labels(false);
    }
    let shown = model.shown.min(tabs.len() - 1);
    let room = usize::from(area.width).saturating_sub(2 * MARK);
    let mut first = if width(&tabs) <= usize::from(area.width) { 0 } else { shown };
    while first > 0 && width(&tabs[first - 1..=shown]) <= room {
        first -= 1;
    }
    let mut line = LineBuilder::new(area.width);
    if first > 0 {
        line = line.push("‹ ", palette.dim());
    }
    for (i, ((name, how), state)) in tabs.iter().zip(&states).enumerate().skip(first) {
        let last = i + 1 == tabs.len();
        let needs = columns(name) + columns(how) + if last { 0 } else { MARK };
        if needs > line.left() && i != shown {
            line = line.push("›", palette.dim());
            break;
        }
        let name_style = if i == shown { palette.bar() } else { palette.plain() };
        line = line.push(name, name_style);
        let how_style = if i == shown { state.style.patch(palette.bar()) } else { state.style };
        line = line.push(how, how_style).push(" ", palette.plain());
    }
    frame.render_widget(line.build(), area);
}

fn state(view: &SubjectView, model: &ScreenModel) -> State {
    let palette = model.palette;
    let of = |glyph, count, words: &str, style| State { glyph, count, words: words.to_owned(), style };
    let silent = model.now.since(view.at);
    if view.cycle == 0 {
        return of("…", None, "starting", palette.warning());
    }
    if silent > view.descriptor.observe_deadline * SILENT_AFTER {
        return of("?", None, &format!("silent for {}", age(silent)), palette.warning());
    }
    let open: Vec<_> = view.tickets.iter().filter(|ticket| ticket.state != TicketState::Resolved).collect();
    let needs_human = open.iter().filter(|ticket| ticket.state == TicketState::NeedsHuman).count();
    let plural = |count: usize, one: &str| if count == 1 { one.to_owned() } else { format!("{one}s") };
    if needs_human > 0 {
        return of("▲", Some(open.len()), &format!("{}, needs a human", plural(open.len(), "ticket")), palette.alarm());
    }
    if !open.is_empty() {
        let new = just_detected(view, model.now).is_some();
        let style = if new { palette.alarm() } else { palette.bad() };
        return of("▲", Some(open.len()), &plural(open.len(), "ticket"), style);
    }
    if !view.trouble.is_empty() {
        return of("!", None, "trouble", palette.bad());
    }
    if !view.violations.is_empty() {
        return of("△", Some(view.violations.len()), "pending", palette.warning());
    }
    let unknown = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(_));
    let unknown = view.evaluations.iter().filter(|evaluation| unknown(&evaluation.verdict)).count();
    if unknown > 0 {
        return of("?", Some(unknown), "unknown", palette.warning());
    }
    of("●", None, "well", palette.good())
}
