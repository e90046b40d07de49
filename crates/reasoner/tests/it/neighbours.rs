//! Rules that read a component by what its neighbours measure: who vouches for it, who waits for whom, where a surge
//! comes from.

use operator_protocols::{ComponentState, Dependency, DependencyState, FaultClass, Id, Locus, Observation, SignalRole};
use operator_reasoner::Diagnosis;

use crate::scene::{ONSET, Scene, add, cut, part, set, time};
use crate::world::sample::gauge;
use crate::world::{SUBJECT, api, hop, store};

fn answer(diagnosis: &Diagnosis) -> (FaultClass, Locus) {
    (diagnosis.primary.class, diagnosis.primary.locus.clone())
}

/// Makes a place unreadable: its state is not known, and nothing that it measures itself is.
fn unreadable(look: &mut Observation, on: &Locus) {
    set(look, on, ComponentState::Unknown);
    look.signals.retain(|signal| match (&signal.on, on) {
        (Locus::Edge(from, _), Locus::Component(id)) => from != id || signal.name == "received",
        _ => signal.on != *on,
    });
}

/// How many calls each link carries, as the called one counts them.
pub fn received(look: &mut Observation, rate: f64) {
    for n in 1..=3 {
        look.signals.push(gauge(&hop(n), "received", SignalRole::Traffic, rate, "1/s", look.at));
    }
}

pub fn fails(look: &mut Observation, on: &Locus, rate: f64) {
    look.signals.push(gauge(on, "errors", SignalRole::Errors, rate, "1/s", look.at));
}

#[test]
fn what_cannot_be_read_while_its_callers_get_their_answers_as_ever_is_a_gap_in_the_monitoring() {
    let scene = Scene::new().since_onset(|look| unreadable(look, &store())).violated("unreadable", store());
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::MonitoringGap, store()));
}

#[test]
fn what_cannot_be_read_while_what_it_calls_counts_its_calls_as_ever_is_a_gap_in_the_monitoring() {
    let scene = |rate: f64| {
        Scene::new()
            .always(move |look| received(look, if look.at >= ONSET { rate } else { 40.0 }))
            .since_onset(|look| unreadable(look, &api(2)))
            .violated("unreadable", api(2))
    };
    assert_eq!(answer(&scene(40.0).diagnosis()), (FaultClass::MonitoringGap, api(2)));
    // Nobody says that it works.
    assert_eq!(answer(&scene(0.0).diagnosis()), (FaultClass::ComponentDown, api(2)));
}

#[test]
fn a_clock_that_is_off_explains_that_its_owner_alone_fails() {
    let scene = Scene::new()
        .always(|look| {
            for n in 1..=3 {
                let off = look.at >= ONSET && n == 2;
                let offset = if off { 400.0 } else { 0.001 };
                let at = look.at;
                look.signals.push(gauge(&api(n), "clock_offset", SignalRole::Other, offset, "s", at));
                fails(look, &api(n), if off { 3.0 } else { 0.0 });
            }
        })
        .violated("errors", api(2));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::ClockSkew, api(2)));
}

fn front(n: usize) -> Locus {
    Locus::component(SUBJECT, format!("front-{n}"))
}

fn to_api(from: usize, to: usize) -> Locus {
    Locus::edge(SUBJECT, format!("front-{from}"), format!("api-{to}"))
}

/// Two fronts before the callers; nothing that the store is asked fails.
fn with_fronts() -> Scene {
    Scene::new().always(|look| {
        let at = look.at;
        for from in 1..=2 {
            look.components.push(part(&format!("front-{from}"), "front"));
            look.signals.push(time(&front(from), "page_seconds", 0.02, at));
            for to in 1..=3 {
                look.dependencies.push(Dependency {
                    from: Id::new(SUBJECT, format!("front-{from}")),
                    to: Id::new(SUBJECT, format!("api-{to}")),
                    kind: "routes".into(),
                    state: DependencyState::Up,
                });
                look.signals.push(time(&to_api(from, to), "call_seconds", 0.006, at));
            }
        }
        fails(look, &store(), 0.0);
    })
}

#[test]
fn who_waits_for_a_slow_link_is_not_slow_itself_because_all_its_callers_wait_too() {
    let scene = with_fronts()
        .since_onset(|look| {
            add(look, &hop(2), "hop_seconds", 0.3);
            add(look, &api(2), "request_seconds", 0.3);
            for n in 1..=2 {
                add(look, &to_api(n, 2), "call_seconds", 0.3);
                add(look, &front(n), "page_seconds", 0.1);
            }
        })
        .violated("latency", front(1))
        .violated("latency", front(2));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::LinkSlow, hop(2)));
}

#[test]
fn who_fails_for_not_reaching_what_it_calls_is_not_at_fault_because_others_reach_it() {
    let scene = with_fronts()
        .always(|look| {
            let rate = if look.at >= ONSET { 4.0 } else { 0.0 };
            fails(look, &api(2), rate);
            (1..=2).for_each(|n| fails(look, &to_api(n, 2), rate));
        })
        .since_onset(|look| {
            cut(look, &hop(2));
            add(look, &api(2), "request_seconds", 1.0);
            for n in 1..=2 {
                add(look, &to_api(n, 2), "call_seconds", 1.0);
                add(look, &front(n), "page_seconds", 0.3);
            }
        })
        .violated("errors", front(1))
        .violated("errors", front(2));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::LinkDown, hop(2)));
}

#[test]
fn who_is_slow_in_what_calls_nobody_measures_its_link_late_and_is_slow_itself() {
    // All that its requests take longer is what the link seems to take longer.
    let scene = |ping: f64| {
        Scene::new()
            .always(|look| (1..=3).for_each(|n| look.signals.push(time(&api(n), "ping_seconds", 0.001, look.at))))
            .since_onset(move |look| {
                add(look, &hop(2), "hop_seconds", 0.09);
                add(look, &api(2), "request_seconds", 0.09);
                add(look, &api(2), "ping_seconds", ping);
            })
            .violated("latency", api(2))
    };
    assert_eq!(answer(&scene(0.09).diagnosis()), (FaultClass::ComponentSlow, api(2)));
    assert_eq!(answer(&scene(0.0).diagnosis()), (FaultClass::LinkSlow, hop(2)));
}
