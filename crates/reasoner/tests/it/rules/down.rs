//! Who does not answer, and whom that explains.

use operator_protocols::{ComponentState, DependencyState, FaultClass, SignalRole};

use super::{answer, recommended};
use crate::scene::{Scene, add, cut, set};
use crate::world::sample::gauge;
use crate::world::{api, hop, store};

#[test]
fn a_component_that_does_not_answer_is_down_and_its_silent_links_are_explained() {
    let scene = Scene::new().since_onset(|look| set(look, &api(2), ComponentState::Down)).violated("down", api(2));
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ComponentDown, api(2)));
    assert_eq!(diagnosis.confidence.word, "high");
    // Both ways to cure, the lower risk first: which of them holds, the guards say.
    assert_eq!(
        recommended(&diagnosis),
        [("start_component", "api-2".to_owned()), ("restart_component", "api-2".to_owned())]
    );
}

#[test]
fn two_components_that_do_not_answer_are_two_failures_and_both_are_told() {
    let scene = Scene::new()
        .since_onset(|look| {
            set(look, &api(1), ComponentState::Down);
            set(look, &api(3), ComponentState::Down);
        })
        .violated("down", api(1))
        .violated("down", api(3));
    let diagnosis = scene.diagnosis();
    assert_eq!(diagnosis.primary.class, FaultClass::ComponentDown);
    let targets: Vec<_> = recommended(&diagnosis).into_iter().filter(|one| one.0 == "start_component").collect();
    assert_eq!(targets, [("start_component", "api-1".to_owned()), ("start_component", "api-3".to_owned())]);
    assert!(diagnosis.alternatives[0].conclusion.contains("as well"), "{}", diagnosis.alternatives[0].conclusion);
}

#[test]
fn two_components_that_call_themselves_degraded_are_two_failures_and_both_are_told() {
    let scene = Scene::new()
        .since_onset(|look| {
            for n in [1, 3] {
                set(look, &api(n), ComponentState::Degraded);
                for signal in look.signals.iter_mut().filter(|one| one.on == api(n) && one.name == "request_seconds") {
                    signal.value = 0.4;
                }
            }
        })
        .violated("degraded", api(1))
        .violated("degraded", api(3));
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ComponentSlow, api(1)));
    let also = &diagnosis.alternatives[0];
    assert_eq!((also.hypothesis.class, &also.hypothesis.locus), (FaultClass::ComponentSlow, &api(3)));
    assert!(also.conclusion.contains("as well"), "{}", also.conclusion);
}

/// A caller that is cut off tries seldom and fails always: its errors outnumber those of the link.
#[test]
fn a_caller_that_no_longer_tries_a_cut_link_is_not_at_fault() {
    let quiet = |look: &mut operator_protocols::Observation| {
        let at = look.at;
        for n in 1..=3 {
            look.signals.push(gauge(&api(n), "errors", SignalRole::Errors, 0.0, "1/s", at));
            look.signals.push(gauge(&hop(n), "call_errors", SignalRole::Errors, 0.0, "1/s", at));
        }
        look.signals.push(gauge(&store(), "rejected", SignalRole::Errors, 0.0, "1/s", at));
    };
    let scene = Scene::new()
        .always(quiet)
        .since_onset(|look| {
            set(look, &api(1), ComponentState::Degraded);
            for dependency in look.dependencies.iter_mut().filter(|one| one.from.local == "api-1") {
                dependency.state = DependencyState::Down;
            }
            add(look, &api(1), "errors", 20.0);
            add(look, &hop(1), "call_errors", 2.0);
            look.signals.retain(|signal| signal.on != hop(1) || signal.name == "call_errors");
        })
        .violated("connected", hop(1))
        .violated("degraded", api(1));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::LinkDown, hop(1)));
}

#[test]
fn a_store_that_is_down_explains_its_callers() {
    let scene = (1..=3).fold(
        Scene::new()
            .since_onset(|look| {
                set(look, &store(), ComponentState::Down);
                for n in 1..=3 {
                    cut(look, &hop(n));
                    set(look, &api(n), ComponentState::Degraded);
                }
            })
            .violated("down", store()),
        |scene, n| scene.violated("degraded", api(n)).violated("down", hop(n)),
    );
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ComponentDown, store()));
    // Restarting the callers would harm: they are not to be recommended.
    assert_eq!(recommended(&diagnosis), [("start_component", "store".to_owned())]);
}

#[test]
fn a_store_that_answers_while_no_caller_gets_through_is_slow_not_cut_off_three_times() {
    let scene = (1..=3).fold(
        Scene::new().since_onset(|look| {
            for n in 1..=3 {
                cut(look, &hop(n));
                set(look, &api(n), ComponentState::Degraded);
            }
        }),
        |scene, n| scene.violated("degraded", api(n)),
    );
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ComponentSlow, store()));
    assert!(diagnosis.recommended_actions.is_empty(), "{:?}", diagnosis.recommended_actions);
}

#[test]
fn a_store_that_nobody_can_tell_the_state_of_and_no_caller_reaches_is_down() {
    let scene = (1..=3).fold(
        Scene::new().since_onset(|look| {
            set(look, &store(), ComponentState::Unknown);
            look.signals.retain(|signal| signal.on != store());
            for n in 1..=3 {
                cut(look, &hop(n));
                set(look, &api(n), ComponentState::Degraded);
            }
        }),
        |scene, n| scene.violated("degraded", api(n)),
    );
    let (class, locus) = answer(&scene.diagnosis());
    assert!(matches!(class, FaultClass::ComponentDown | FaultClass::ComponentSlow), "{class}");
    assert_eq!(locus, store());
}
