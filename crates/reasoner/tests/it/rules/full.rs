//! A component that has no room left: told from one that is slow, from lost data, and from a surge that fills it.

use std::time::Duration;

use operator_protocols::{ComponentState, FaultClass, Locus, SignalRole};

use super::answer;
use crate::neighbours::{fails, received};
use crate::scene::{ONSET, Scene, add, set};
use crate::world::accounts::of_all;
use crate::world::sample::gauge;
use crate::world::{api, item, store};

/// A store that was given a limit at the onset, and has reached that `part` of it since.
fn limited(part: f64) -> Scene {
    Scene::new()
        .since_onset(move |look| {
            set(look, &store(), ComponentState::Degraded);
            let at = look.at;
            look.signals.push(gauge(&store(), "quota_used", SignalRole::Saturation, part, "1", at));
        })
        .violated("degraded", store())
}

#[test]
fn a_limit_that_is_new_and_reached_at_once_needs_no_past_to_be_seen() {
    assert_eq!(answer(&limited(0.99).diagnosis()), (FaultClass::CapacityExhaustion, store()));
    let roomy = limited(0.5).diagnosis();
    assert_eq!(answer(&roomy), (FaultClass::ComponentSlow, store()));
    assert!(roomy.alternatives.iter().all(|one| one.hypothesis.class != FaultClass::CapacityExhaustion));
}

/// A level that was as high all along explains no trouble that is new.
#[test]
fn a_store_that_was_full_all_along_and_has_become_degraded_is_not_full_for_that() {
    let scene = Scene::new()
        .always(|look| add(look, &store(), "memory_used_ratio", 0.55))
        .since_onset(|look| set(look, &store(), ComponentState::Degraded))
        .violated("degraded", store());
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::ComponentSlow, store()));
}

#[test]
fn what_all_claimants_miss_while_the_holder_is_full_did_not_fit() {
    let scene = Scene::new()
        .since_onset(|look| add(look, &store(), "memory_used_ratio", 0.57))
        .drift(item(1), of_all(&item(1), 3));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::CapacityExhaustion, store()));
}

#[test]
fn a_holder_that_was_full_all_along_is_full() {
    let scene = Scene::new()
        .always(|look| add(look, &store(), "memory_used_ratio", 0.58))
        .drift(item(1), of_all(&item(1), 3))
        .drift(item(2), of_all(&item(2), 3));
    let (class, locus) = answer(&scene.diagnosis());
    assert!(matches!(class, FaultClass::CapacityExhaustion | FaultClass::DataLoss), "{class}");
    assert_eq!(locus, store());
}

/// A store that fills up and refuses. `asked` is how much is asked of each caller since shortly before, `passed` how
/// much of it is passed on.
fn full(asked: f64, passed: f64) -> Scene {
    let began = ONSET.minus(Duration::from_secs(70));
    let scene = Scene::new()
        .always(move |look| {
            let risen = look.at >= began;
            for n in 1..=3 {
                let rate = if risen { asked } else { 40.0 };
                look.signals.push(gauge(&api(n), "requests", SignalRole::Traffic, rate, "1/s", look.at));
            }
            received(look, if risen { passed } else { 40.0 });
            let refused = if look.at >= ONSET { 5.0 } else { 0.0 };
            fails(look, &store(), refused);
            (1..=3).for_each(|n| fails(look, &api(n), refused));
        })
        .since_onset(|look| add(look, &store(), "memory_used_ratio", 0.57));
    (1..=3).fold(scene.violated("full", store()), |scene, n| scene.violated("errors", api(n)))
}

#[test]
fn a_surge_explains_what_it_fills_also_where_it_began_long_before_anything_was_full() {
    assert_eq!(answer(&full(160.0, 160.0).diagnosis()), (FaultClass::LoadSurge, Locus::Nothing));
}

#[test]
fn what_is_full_without_a_surge_or_where_none_arrives_is_full_by_itself() {
    assert_eq!(answer(&full(40.0, 40.0).diagnosis()), (FaultClass::CapacityExhaustion, store()));
    assert_eq!(answer(&full(160.0, 40.0).diagnosis()), (FaultClass::CapacityExhaustion, store()));
}
