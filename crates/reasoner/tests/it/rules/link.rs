//! Trouble on a link, at its caller, and on its way through the layers.

use operator_protocols::{
    ComponentState, Dependency, DependencyState, Does, FaultClass, Finding, Id, Locus, SignalRole,
};

use super::{answer, recommended};
use crate::scene::{Scene, add, cut, part, set};
use crate::world::sample::gauge;
use crate::world::{SUBJECT, api, hop, item, store};

#[test]
fn one_link_that_carries_nothing_explains_its_caller_and_what_comes_of_it() {
    let mut outcome = Finding::new("more was let through than allowed", 150.0, 100.0);
    outcome.involves = vec![api(2)];
    let scene = Scene::new()
        .since_onset(|look| {
            cut(look, &hop(2));
            set(look, &api(2), ComponentState::Degraded);
        })
        .violated("degraded", api(2))
        .violated("down", hop(2))
        .found("jump", item(1), outcome);
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::LinkDown, hop(2)));
    assert_eq!(recommended(&diagnosis), [("drain", "api-2".to_owned())]);
    assert_eq!(diagnosis.recommended_actions[0].does, Does::Contains);
}

#[test]
fn a_slow_link_makes_its_caller_slow_only_where_it_waits() {
    let scene = Scene::new()
        .since_onset(|look| {
            add(look, &hop(2), "hop_seconds", 0.15);
            add(look, &api(2), "request_seconds", 0.15);
        })
        .violated("latency", api(2));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::LinkSlow, hop(2)));
}

#[test]
fn a_caller_whose_own_loop_lags_is_slow_itself_and_measures_its_link_late() {
    let scene = Scene::new()
        .since_onset(|look| {
            add(look, &api(2), "loop_lag_seconds", 0.06);
            add(look, &hop(2), "hop_seconds", 0.06);
            add(look, &api(2), "request_seconds", 0.15);
        })
        .violated("latency", api(2));
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ComponentSlow, api(2)));
    assert_eq!(recommended(&diagnosis), [("drain", "api-2".to_owned())]);
}

#[test]
fn trouble_that_climbs_the_layers_is_at_the_bottom() {
    let front = Locus::component(SUBJECT, "front");
    let scene = Scene::new()
        .always(|look| {
            look.components.push(part("front", "front"));
            for n in 1..=3 {
                look.dependencies.push(Dependency {
                    from: Id::new(SUBJECT, "front"),
                    to: Id::new(SUBJECT, format!("api-{n}")),
                    kind: "routes".into(),
                    state: DependencyState::Up,
                });
            }
            let at = look.at;
            look.signals.push(gauge(&front, "page_seconds", SignalRole::Latency, 0.02, "s", at));
            // Only components are measured.
            look.signals.retain(|signal| !matches!(signal.on, Locus::Edge(..)));
        })
        .since_onset(|look| {
            add(look, &front, "page_seconds", 0.2);
            for n in 1..=3 {
                add(look, &api(n), "request_seconds", 0.2);
            }
            add(look, &store(), "operation_seconds", 0.2);
        })
        .violated("latency", front.clone());
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::ComponentSlow, store()));
}
