//! What the screen shows, as text, at several sizes; and that nothing a subject says can break it.

use std::sync::Arc;

use operator_core::{TicketState, Verification, VerificationOutcome};
use operator_reasoner::{Deliberation, Outcome};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::fixture::{at, deliberation, execution, incident, model, thinking, three, ticket, view};
use super::{ChapterState, Palette, Phase, ScreenModel, draw};
use crate::narrate::{NarrationLine, Tone};

pub(super) fn drawn(model: &ScreenModel, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
    terminal.draw(|frame| draw(frame, model)).expect("drawn");
    let shown = terminal.backend().to_string();
    // The backend puts every line in quotes.
    shown.lines().map(|line| line.trim_matches('"').trim_end()).collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_has_its_place_at_80_by_24() {
    insta::assert_snapshot!(drawn(&model(), 80, 24));
}

#[test]
fn a_middling_screen_shows_links_and_every_invariant() {
    insta::assert_snapshot!(drawn(&model(), 120, 40));
}

#[test]
fn a_wide_screen_shows_more_of_everything() {
    insta::assert_snapshot!(drawn(&model(), 200, 60));
}

#[test]
fn a_ticket_that_was_just_opened_is_highlighted_and_soon_no_more() {
    let mut model = model();
    model.now = at(53);
    assert!(drawn(&model, 80, 24).contains("┏ DETECTED shop-T1 worker_down"));
    model.now = at(57);
    assert!(!drawn(&model, 80, 24).contains("┏ DETECTED"));
}

#[test]
fn a_resolved_incident_shows_its_verification() {
    let mut view = view();
    view.tickets[0].state = TicketState::Resolved;
    view.incidents[0].closed_at = Some(at(58));
    view.executions = vec![execution(operator_core::ExecutionState::Done)];
    let id = view.executions[0].proposal.id.clone();
    let verification = Verification {
        intent: id.clone(),
        tickets: vec!["shop-T1".into()],
        began_at: at(56),
        ended_at: at(58),
        outcome: VerificationOutcome::Cleared,
        evidence: Vec::new(),
    };
    view.verifications.insert(id, verification);
    view.violations.clear();
    let mut model = model();
    model.views = vec![Arc::new(view)];
    let shown = drawn(&model, 100, 30);
    assert!(shown.contains("✓ verified: the violation is over"), "{shown}");
    assert!(shown.contains("closed after 8 s"), "{shown}");
}

#[test]
fn a_ticket_that_needs_a_person_says_why() {
    let mut view = view();
    view.tickets[0].state = TicketState::NeedsHuman;
    view.tickets[0].state_reason = "nothing else may be tried".into();
    let mut model = model();
    model.views = vec![Arc::new(view)];
    let shown = drawn(&model, 80, 24);
    assert!(shown.contains("needs_human") && shown.contains("why: nothing else may be tried"), "{shown}");
}

#[test]
fn while_a_model_is_asked_the_screen_says_what_it_looks_at_and_what_it_spent() {
    let mut model = model();
    model.agent = Some(Arc::new(thinking()));
    insta::assert_snapshot!(drawn(&model, 120, 40));
    let small = drawn(&model, 80, 24);
    assert!(small.contains("… asking turn 3 of 12: looks at jobs"), "{small}");
    // Another incident's progress is not this one's.
    let mut other = thinking();
    other.cases = other.cases.into_values().map(|case| ("shop-I2".to_owned(), case)).collect();
    model.agent = Some(Arc::new(other));
    assert!(!drawn(&model, 120, 40).contains("asking"));
}

#[test]
fn what_came_of_asking_a_model_is_said_with_its_cost_and_its_dissent() {
    let with = |deliberation: Deliberation| {
        let mut view = view();
        view.deliberations.insert("shop-I1".into(), deliberation);
        let mut model = model();
        model.views = vec![Arc::new(view)];
        drawn(&model, 140, 50)
    };
    let mut dissenting = deliberation(Outcome::Repaired);
    dissenting.dissent = Some("LinkDown at worker-2→store".into());
    let shown = with(dissenting);
    for said in [
        "✓ some-model its answer passed every check after one repair",
        "it saw it otherwise: LinkDown at worker-2→store",
        "3 calls, 3400 tokens in (1200 cached), 310 out, $0.0098",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let shown = with(deliberation(Outcome::FallenBack { why: "no key \u{1b}[31m".into() }));
    assert!(shown.contains("↩ some-model fell back to the reasoner: no key"), "{shown}");
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn an_engaged_kill_switch_and_trouble_are_on_the_first_line() {
    let mut view = view();
    view.killed = true;
    view.trouble = vec!["store: the disk is full".into()];
    let mut model = model();
    model.views = vec![Arc::new(view)];
    let shown = drawn(&model, 100, 30);
    let first = shown.lines().next().unwrap_or_default();
    assert!(first.contains("KILL SWITCH ENGAGED") && first.contains("the disk is full"), "{first}");
}

#[test]
fn a_screen_with_nothing_on_it_says_so() {
    let empty = ScreenModel::new("run", at(0), jiff::tz::TimeZone::UTC, Palette::PLAIN);
    insta::assert_snapshot!(drawn(&empty, 80, 24));
}

#[test]
fn several_subjects_have_a_line_to_choose_from_and_the_tickets_of_all() {
    insta::assert_snapshot!(drawn(&three(), 80, 24));
}

#[test]
fn several_subjects_on_a_wide_screen() {
    insta::assert_snapshot!(drawn(&three(), 120, 40));
}

#[test]
fn the_panels_are_about_the_subject_that_was_chosen() {
    let mut model = three();
    model.turn(1);
    let shown = drawn(&model, 120, 40);
    assert!(shown.contains("cluster · shop-west") && shown.contains("nothing is wrong"), "{shown}");
    model.turn(-2);
    assert!(drawn(&model, 120, 40).contains("cluster · prod-queue"));
    model.turn_to(1);
    model.turn_to(9);
    assert!(drawn(&model, 120, 40).contains("cluster · shop "), "a number that nobody has changes nothing");
}

#[test]
fn a_loop_that_is_silent_or_only_starts_is_told_from_one_that_is_well() {
    let mut model = three();
    let mut silent = (*model.views[1]).clone();
    silent.at = at(20);
    let mut starting = (*model.views[1]).clone();
    starting.cycle = 0;
    model.views.extend([Arc::new(silent), Arc::new(starting)]);
    let shown = drawn(&model, 200, 30);
    let line = shown.lines().nth(1).unwrap_or_default();
    assert!(
        line.contains("2 shop-west ● well") && line.contains("? silent for 40 s") && line.contains("… starting"),
        "{line}"
    );
}

#[test]
fn the_subject_that_is_shown_is_on_the_line_however_many_there_are() {
    let mut model = three();
    let well = Arc::clone(&model.views[1]);
    model.views.extend((0..40).map(|i| {
        let mut one = (*well).clone();
        one.descriptor.subject = format!("shop-{i}");
        Arc::new(one)
    }));
    for number in [1, 20, 43] {
        model.shown = number - 1;
        let shown = drawn(&model, 80, 24);
        let line = shown.lines().nth(1).unwrap_or_default();
        let name = &model.views[model.shown].descriptor.subject;
        assert!(line.contains(&format!(" {number} {name} ")), "{number}: {line}");
        assert_eq!(line.contains('‹'), number > 1, "{line}");
        assert_eq!(line.contains('›'), number < 43, "{line}");
    }
}

#[test]
fn what_is_down_is_shown_before_the_many_links_that_lead_to_it() {
    let mut view = view();
    let mut seen = super::fixture::observation();
    let (worker, link) = (seen.components[1].clone(), seen.dependencies[0].clone());
    seen.unavailable.clear();
    for i in 0..12 {
        let mut caller = seen.components[0].clone();
        caller.id.local = format!("caller-{i}");
        let state = operator_protocols::DependencyState::Down;
        seen.dependencies.push(operator_protocols::Dependency {
            from: caller.id.clone(),
            to: worker.id.clone(),
            state,
            ..link.clone()
        });
        seen.components.insert(0, caller);
    }
    view.observation = Some(Arc::new(seen));
    let mut model = model();
    model.views = vec![Arc::new(view)];
    let shown = drawn(&model, 80, 24);
    assert!(shown.contains("✖ worker-2 "), "{shown}");
}

#[test]
fn a_kill_switch_of_one_subject_names_it() {
    let mut model = three();
    let mut killed = (*model.views[1]).clone();
    killed.killed = true;
    model.views[1] = Arc::new(killed);
    assert!(drawn(&model, 120, 30).contains("KILL SWITCH ENGAGED for shop-west"));
}

#[test]
fn no_size_and_no_text_breaks_the_screen() {
    let hostile = "\u{1b}[2J\u{202e}evil\u{7}\r\n日本語のとても長い名前\u{200b}🧨🧨🧨".repeat(20);
    let mut view = view();
    let mut seen = super::fixture::observation();
    for (i, component) in seen.components.iter_mut().enumerate() {
        component.id.local = format!("{hostile}{i}");
        component.raw_state.clone_from(&hostile);
    }
    seen.signals[0].unit.clone_from(&hostile);
    seen.signals[0].value = f64::MAX;
    view.observation = Some(Arc::new(seen));
    view.trouble = vec![hostile.clone()];
    view.violations[0].invariant.clone_from(&hostile);
    view.tickets = vec![ticket(); 200];
    view.tickets[3].state_reason.clone_from(&hostile);
    view.incidents = vec![incident(); 50];
    if let Some(diagnosis) = view.diagnoses.get_mut("shop-I1") {
        diagnosis.primary.statement.clone_from(&hostile);
        diagnosis.primary.supporting[0].because.clone_from(&hostile);
    }
    let mut model = model();
    model.views = std::iter::repeat_n(Arc::new(view), 3).collect();
    model.title.clone_from(&hostile);
    model.push_narration(NarrationLine::new(at(58), Tone::Bad, hostile.clone()));
    model.chapter = Some(ChapterState {
        title: hostile.clone(),
        number: usize::MAX,
        of: 0,
        phase: Phase::Countdown(u32::MAX),
        prompt: hostile.clone(),
    });
    model.keys = vec![(hostile.clone(), hostile)];
    let mut beside = model.clone();
    beside.beside = super::Beside::Tickets;
    beside.chapter = None;
    beside.shown = 7;
    for width in [1, 2, 39, 40, 41, 79, 80, 120, 200] {
        for height in [1, 3, 13, 14, 15, 24, 40, 60] {
            let shown = drawn(&model, width, height) + &drawn(&beside, width, height);
            let controls = shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
            assert!(!controls, "{width}×{height}");
        }
    }
}

#[test]
fn no_state_is_told_by_colour_alone() {
    for palette in [Palette::PLAIN, Palette::COLOUR] {
        let mut model = model();
        model.palette = palette;
        let shown = drawn(&model, 120, 40);
        for word in ["✖ ", "down", "degraded", "cut", "▲ ", "△ ", "? "] {
            assert!(shown.contains(word), "{word:?} in {shown}");
        }
    }
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a test terminal");
    terminal.draw(|frame| draw(frame, &model())).expect("drawn");
    let coloured = terminal.backend().buffer().content.iter().any(|cell| cell.fg != ratatui::style::Color::Reset);
    assert!(!coloured, "a screen without colour has none");
}
