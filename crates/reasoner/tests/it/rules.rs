//! The rules one by one: what each constellation of evidence must be read as.

use std::time::Duration;

use operator_protocols::{
    ComponentState, Dependency, DependencyState, DiscrepancyKind, Does, Event, EventId, EventKind, FaultClass, Finding,
    GroupId, Id, Locus, SignalRole, Unavailable, Value,
};
use operator_reasoner::Diagnosis;

use crate::scene::{ONSET, Scene, add, cut, part, set, started_again};
use crate::world::accounts::{account, of_all};
use crate::world::sample::gauge;
use crate::world::{SUBJECT, api, hop, item, price_change, store};

pub fn answer(diagnosis: &Diagnosis) -> (FaultClass, Locus) {
    (diagnosis.primary.class, diagnosis.primary.locus.clone())
}

fn recommended(diagnosis: &Diagnosis) -> Vec<(&str, String)> {
    diagnosis.recommended_actions.iter().map(|one| (one.action.as_str(), one.target.to_string())).collect()
}

fn missing(what: usize, by: usize, agree: u32, peers: u32) -> operator_protocols::Discrepancy {
    account(DiscrepancyKind::Missing, item(what), Some(api(by)), store(), agree, peers)
}

#[test]
fn what_no_known_author_claims_was_written_from_outside() {
    let found = vec![account(DiscrepancyKind::Unclaimed, item(1), None, store(), 3, 3)];
    let diagnosis = Scene::new().drift(item(1), found).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ExternalMutation, item(1)));
    assert_eq!(recommended(&diagnosis), [("reset_item", "item item-1".to_owned())]);
}

#[test]
fn many_unclaimed_things_that_were_folded_are_one_mutation_of_what_they_share() {
    let all = Locus::entity(SUBJECT, "items", "all");
    let found = (1..=8).map(|n| account(DiscrepancyKind::Unclaimed, item(n), None, store(), 3, 3)).collect();
    let diagnosis = Scene::new().drift(all.clone(), found).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ExternalMutation, all));
}

#[test]
fn one_claimant_whose_claims_are_not_held_while_the_others_are_has_diverged() {
    let scene = Scene::new().drift(item(1), vec![missing(1, 2, 2, 3)]).drift(item(2), vec![missing(2, 2, 2, 3)]);
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::StateDivergence, api(2)));
    // What cures comes before what contains.
    assert_eq!(recommended(&diagnosis), [("restart_component", "api-2".to_owned()), ("drain", "api-2".to_owned())]);
}

#[test]
fn a_claimant_that_uses_another_store_has_diverged_too() {
    let scene = Scene::new()
        .since_onset(|look| {
            look.components.push(part("store-b", "store"));
            look.dependencies.retain(|one| one.from.local != "api-2");
            look.dependencies.push(Dependency {
                from: Id::new(SUBJECT, "api-2"),
                to: Id::new(SUBJECT, "store-b"),
                kind: "uses".into(),
                state: DependencyState::Up,
            });
        })
        .drift(item(1), vec![missing(1, 2, 2, 3)])
        .drift(item(2), vec![missing(2, 2, 2, 3)]);
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::StateDivergence, api(2)));
}

#[test]
fn what_all_claimants_miss_after_the_holder_started_again_is_lost() {
    let scene = Scene::new()
        .since_onset(|look| started_again(look, &store()))
        .drift(item(1), of_all(&item(1), 3))
        .drift(item(2), of_all(&item(2), 3));
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::DataLoss, store()));
    assert!(diagnosis.recommended_actions.is_empty(), "{:?}", diagnosis.recommended_actions);
    assert!(diagnosis.recommended_action.contains("Wait"), "{}", diagnosis.recommended_action);
}

#[test]
fn one_thing_that_all_claimants_miss_was_removed_from_outside() {
    let diagnosis = Scene::new().drift(item(1), of_all(&item(1), 3)).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ExternalMutation, item(1)));
}

#[test]
fn one_claimant_without_anybody_to_compare_with_decides_nothing() {
    let diagnosis = Scene::new().drift(item(1), vec![missing(1, 1, 0, 1)]).diagnosis();
    assert!(diagnosis.abstained(), "{:?}", answer(&diagnosis));
    assert!(diagnosis.recommended_actions.is_empty());
    assert!(diagnosis.missing[0].contains("second claimant"), "{:?}", diagnosis.missing);
}

#[test]
fn who_differs_from_the_majority_has_other_settings() {
    let setting = Locus::entity(SUBJECT, "setting", "limit");
    let differs =
        |agree, peers| vec![account(DiscrepancyKind::Differs, setting.clone(), Some(api(3)), api(1), agree, peers)];
    let diagnosis = Scene::new().drift(api(3), differs(2, 3)).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::ConfigDivergence, api(3)));
    assert_eq!(recommended(&diagnosis)[0].0, "restart_component");
    // One against one has no majority.
    assert!(Scene::new().drift(api(3), differs(1, 2)).diagnosis().abstained());
}

#[test]
fn other_settings_explain_what_comes_of_them() {
    let setting = Locus::entity(SUBJECT, "setting", "limit");
    let mut outcome = Finding::new("more was let through than allowed", 150.0, 100.0);
    outcome.involves = vec![api(3)];
    let scene = Scene::new()
        .drift(api(3), vec![account(DiscrepancyKind::Differs, setting, Some(api(3)), api(1), 2, 3)])
        .found("jump", item(1), outcome);
    assert_eq!(answer(&scene.diagnosis()), (FaultClass::ConfigDivergence, api(3)));
}

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

#[test]
fn a_change_that_the_finding_names_is_taken_back() {
    let change = price_change("c-1", item(1), ONSET);
    let mut finding = Finding::new("the price jumped tenfold", 10.0, 5.0);
    finding.involves = vec![Locus::Change(change.id.clone())];
    let diagnosis = Scene::new().event(&change).found("jump", item(1), finding).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::BadChange, Locus::Change(change.id)));
    let action = &diagnosis.recommended_actions[0];
    assert_eq!((action.action.as_str(), &action.target), ("set_price", &item(1)));
    // From the change and from the target; what policy decides is filled in later.
    let params: Vec<_> = action.params.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    assert_eq!(params, [("item", Value::from("item-1")), ("price", Value::Int(100))]);
}

#[test]
fn a_change_whose_before_is_not_known_cannot_be_taken_back() {
    let mut change = price_change("c-1", item(1), ONSET);
    change.change.as_mut().unwrap().before = Value::Null;
    let mut finding = Finding::new("the price jumped tenfold", 10.0, 5.0);
    finding.involves = vec![Locus::Change(change.id.clone())];
    let diagnosis = Scene::new().event(&change).found("jump", item(1), finding).diagnosis();
    assert_eq!(diagnosis.primary.class, FaultClass::BadChange);
    assert!(diagnosis.recommended_actions.is_empty(), "{:?}", diagnosis.recommended_actions);
}

#[test]
fn a_change_elsewhere_or_after_the_trouble_began_is_not_blamed() {
    let slow = || {
        Scene::new()
            .since_onset(|look| {
                add(look, &hop(2), "hop_seconds", 0.15);
                add(look, &api(2), "request_seconds", 0.15);
            })
            .violated("latency", api(2))
    };
    let elsewhere = price_change("c-1", item(7), ONSET.minus(Duration::from_secs(20)));
    assert_eq!(answer(&slow().event(&elsewhere).diagnosis()), (FaultClass::LinkSlow, hop(2)));
    let later = price_change("c-1", api(2), ONSET.plus(Duration::from_secs(20)));
    assert_eq!(answer(&slow().event(&later).diagnosis()), (FaultClass::LinkSlow, hop(2)));
}

#[test]
fn what_the_operator_did_is_explained_and_not_blamed() {
    let restart = Event {
        id: EventId::new(SUBJECT, "x-1"),
        at: ONSET.minus(Duration::from_secs(20)),
        on: api(2),
        kind: EventKind::Action,
        change: None,
        message: "restart_component".into(),
    };
    let scene = Scene::new()
        .since_onset(|look| {
            started_again(look, &api(2));
            add(look, &hop(1), "hop_seconds", 0.15);
            add(look, &api(1), "request_seconds", 0.15);
        })
        .violated("latency", api(1))
        .own(restart);
    let diagnosis = scene.diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::LinkSlow, hop(1)));
    assert!(diagnosis.timeline.iter().any(|entry| entry.text.contains("operator's own action")), "{diagnosis:#?}");
}

#[test]
fn what_the_operator_changed_is_blamed_when_it_did_harm() {
    let change = price_change("x-2", item(1), ONSET);
    let mut finding = Finding::new("the price jumped tenfold", 10.0, 5.0);
    finding.involves = vec![Locus::Change(change.id.clone())];
    let diagnosis = Scene::new().own(change.clone()).found("jump", item(1), finding).diagnosis();
    assert_eq!(answer(&diagnosis), (FaultClass::BadChange, Locus::Change(change.id)));
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
