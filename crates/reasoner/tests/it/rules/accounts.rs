//! Accounts that do not agree: who wrote, who lost, and who holds another state.

use operator_protocols::{Dependency, DependencyState, Discrepancy, DiscrepancyKind, FaultClass, Finding, Id, Locus};

use super::{answer, recommended};
use crate::scene::{Scene, part, started_again};
use crate::world::accounts::{account, of_all};
use crate::world::{SUBJECT, api, item, store};

fn missing(what: usize, by: usize, agree: u32, peers: u32) -> Discrepancy {
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
