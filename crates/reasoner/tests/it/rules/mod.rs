//! The rules one by one: what each constellation of evidence must be read as.

mod accounts;
mod change;
mod down;
mod full;
mod link;

use operator_protocols::{
    ComponentState, DependencyState, DiscrepancyKind, FaultClass, Finding, GroupId, Locus, SignalRole, Unavailable,
};
use operator_reasoner::Diagnosis;

use crate::scene::{ONSET, Scene, add, part, set};
use crate::world::accounts::account;
use crate::world::sample::gauge;
use crate::world::{SUBJECT, api, hop, item, store};

pub fn answer(diagnosis: &Diagnosis) -> (FaultClass, Locus) {
    (diagnosis.primary.class, diagnosis.primary.locus.clone())
}

fn recommended(diagnosis: &Diagnosis) -> Vec<(&str, String)> {
    diagnosis.recommended_actions.iter().map(|one| (one.action.as_str(), one.target.to_string())).collect()
}

#[test]
fn a_calm_system_is_well() {
    let diagnosis = Scene::new().diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::NoFault, Locus::Nothing));
    assert!(diagnosis.recommended_actions.is_empty());
    assert!(diagnosis.timeline.is_empty(), "{:?}", diagnosis.timeline);
}

#[test]
fn a_system_that_cannot_be_seen_is_not_called_well() {
    let scene = Scene::new()
        .since_onset(|look| {
            look.signals.clear();
            look.components.iter_mut().for_each(|one| one.state = ComponentState::Unknown);
            look.dependencies.iter_mut().for_each(|one| one.state = DependencyState::Unknown);
            look.unavailable.push(Unavailable::new("all of it", "no answer within 1 s"));
        })
        .violated("monitoring_gap", Locus::Nothing);
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::MonitoringGap, Locus::Nothing));
    assert!(diagnosis.missing.iter().any(|text| text.contains("no answer within 1 s")), "{:?}", diagnosis.missing);
}

#[test]
fn when_most_of_what_steers_is_down_the_control_plane_is() {
    let steers = |look: &mut operator_protocols::Observation| {
        for n in 1..=3 {
            let mut member = part(&format!("lead-{n}"), "lead");
            member.labels.insert("plane".into(), "control".into());
            look.components.push(member);
        }
    };
    let lead = |n: usize| Locus::component(SUBJECT, format!("lead-{n}"));
    let scene = Scene::new().always(steers).since_onset(|look| {
        set(look, &lead(1), ComponentState::Down);
        set(look, &lead(3), ComponentState::Down);
    });
    let diagnosis = scene.violated("down", lead(1)).violated("down", lead(3)).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ControlPlaneDown, Locus::Group(GroupId::new(SUBJECT, "lead"))));
}

#[test]
fn a_clock_that_is_off_is_named() {
    let offset = |look: &mut operator_protocols::Observation, by: f64| {
        let at = look.at;
        look.signals.push(gauge(&api(2), "clock_offset_seconds", SignalRole::Other, by, "s", at));
    };
    let scene =
        Scene::new().always(|look| offset(look, if look.at >= ONSET { 5.0 } else { 0.001 })).violated("config", api(2));
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::ClockSkew, api(2)));
}

#[test]
fn every_citation_is_of_an_item_of_the_pack() {
    let scene = Scene::new().since_onset(|look| set(look, &api(2), ComponentState::Down)).violated("down", api(2));
    let (pack, diagnosis) = (scene.pack(), scene.diagnosis());
    let cited = diagnosis.cited();
    assert!(!cited.is_empty());
    assert!(cited.iter().all(|id| pack.item(id).is_some()), "{cited:?}");
}

#[test]
fn without_a_past_the_one_of_several_peers_that_differs_is_found() {
    let mut scene = Scene::new()
        .since_onset(|look| {
            add(look, &api(2), "loop_lag_seconds", 0.06);
            add(look, &hop(2), "hop_seconds", 0.06);
            add(look, &api(2), "request_seconds", 0.15);
        })
        .violated("latency", api(2));
    scene.looks.retain(|look| look.at >= ONSET);
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::ComponentSlow, api(2)));
}

#[test]
fn two_incidents_at_one_time_are_explained_each_by_its_own_cause() {
    let found = vec![account(DiscrepancyKind::Unclaimed, item(1), None, store(), 3, 3)];
    let scene = Scene::new()
        .since_onset(|look| {
            set(look, &api(2), ComponentState::Down);
            add(look, &hop(3), "hop_seconds", 0.15);
            add(look, &api(3), "request_seconds", 0.15);
        })
        .violated("down", api(2))
        .ticket("T-1")
        .drift(item(1), found)
        .ticket("T-2")
        .violated("latency", api(3))
        .ticket("T-3");
    assert_eq!(answer(&scene.diagnosis_of("T-1")), (FaultClass::ComponentDown, api(2)));
    assert_eq!(answer(&scene.diagnosis_of("T-2")), (FaultClass::ExternalMutation, item(1)));
    assert_eq!(answer(&scene.diagnosis_of("T-3")), (FaultClass::LinkSlow, hop(3)));
}

/// So much of one entity's traffic, beside that of the callers, in the same measure.
fn asked_for(scene: Scene, entity: &Locus, rate: f64) -> Scene {
    let entity = entity.clone();
    scene.always(move |look| {
        for on in (1..=3).map(api) {
            look.signals.push(gauge(&on, "asked", SignalRole::Traffic, 100.0, "1/s", look.at));
        }
        look.signals.push(gauge(&entity, "asked", SignalRole::Traffic, rate, "1/s", look.at));
    })
}

fn found_with(on: Locus, involves: Vec<Locus>) -> Scene {
    Scene::new().found("latency", on, Finding { involves, ..Finding::new("it is slow", 1.0, 0.5) })
}

#[test]
fn one_thing_that_is_much_of_what_is_asked_and_that_the_findings_name_is_the_surge() {
    let scene = found_with(api(1), vec![item(1)]).found(
        "latency",
        api(2),
        Finding { involves: vec![item(1)], ..Finding::new("it is slow", 1.0, 0.5) },
    );
    // It was as hot before: a heat that lasts does not become innocent.
    let diagnosis = asked_for(scene, &item(1), 60.0).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::LoadSurge, item(1)));
    let cited: Vec<_> = diagnosis.primary.supporting.iter().map(|one| one.because.as_str()).collect();
    assert!(cited.contains(&"it is much of all that a component is asked"), "{cited:?}");
}

#[test]
fn one_thing_that_is_little_of_what_is_asked_or_that_no_finding_names_is_no_surge() {
    let surge = |diagnosis: &Diagnosis| {
        let all = diagnosis.alternatives.iter().map(|one| &one.hypothesis).chain([&diagnosis.primary]);
        all.into_iter().any(|one| (one.class, &one.locus) == (FaultClass::LoadSurge, &item(1)))
    };
    assert!(surge(&asked_for(found_with(api(1), vec![item(1)]), &item(1), 60.0).diagnosis()));
    assert!(!surge(&asked_for(found_with(api(1), vec![item(1)]), &item(1), 20.0).diagnosis()));
    assert!(!surge(&asked_for(found_with(api(1), vec![item(2)]), &item(1), 60.0).diagnosis()));
    let cooled = asked_for(found_with(api(1), vec![item(1)]), &item(1), 60.0);
    let cooled = cooled.since_onset(|look| look.signals.retain(|signal| signal.on != item(1)));
    assert!(!surge(&cooled.diagnosis()), "nobody asks for it any more");
}
