//! Changes that are blamed, and those that are not.

use std::time::Duration;

use operator_protocols::{Event, EventId, EventKind, FaultClass, Finding, Locus, Value};

use super::answer;
use crate::scene::{ONSET, Scene, add, started_again};
use crate::world::{SUBJECT, api, hop, item, price_change};

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
