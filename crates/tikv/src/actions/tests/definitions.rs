//! What the definitions owe.

use std::collections::BTreeSet;

use operator_protocols::{ActionClass, Does, FaultClass, RemedyOn, Risk};

use super::scene::holding;
use crate::actions::definitions;

#[test]
fn names_are_unique_defaults_fit_and_what_takes_back_is_offered() {
    let all = definitions(true);
    let names: BTreeSet<_> = all.iter().map(|action| action.name.clone()).collect();
    assert_eq!(names.len(), all.len());
    for action in &all {
        for param in &action.params {
            assert!(
                param.default.as_ref().is_none_or(|value| param.kind.admits(value)),
                "{} {}",
                action.name,
                param.name
            );
        }
        if let Some(inverse) = &action.reversible_by {
            assert!(names.contains(inverse), "{} is taken back by {inverse}, which is not there", action.name);
        }
        let contains = action.remedies.iter().any(|remedy| remedy.does == Does::Contains);
        assert!(!contains || action.reversible_by.is_some(), "{} contains and is never taken back", action.name);
    }
}

#[test]
fn nothing_is_offered_that_needs_a_driver_where_there_is_none() {
    let without = definitions(false);
    assert!(without.iter().all(|action| action.name != "start_component" && action.name != "restart_component"));
    assert_eq!(without.len() + 2, definitions(true).len());
}

#[test]
fn what_is_hard_to_take_back_is_high_and_never_a_remedy_by_itself() {
    let all = definitions(true);
    let high: Vec<_> =
        all.iter().filter(|action| action.risk == Risk::High).map(|action| action.name.as_str()).collect();
    assert_eq!(high, ["offline_store", "restart_component"]);
    let offline = all.iter().find(|action| action.name == "offline_store").expect("it is there");
    assert!(offline.remedies.is_empty());
    assert!(all.iter().all(|action| action.class != ActionClass::Blind && action.class != ActionClass::Keyed));
}

#[test]
fn the_right_action_follows_from_the_right_hypothesis() {
    let all = definitions(true);
    let follows = |class: FaultClass, on: RemedyOn| -> Vec<String> {
        let fits = |action: &&operator_protocols::ActionDefinition| {
            action.remedies.iter().any(|remedy| remedy.class == class && remedy.on == on)
        };
        all.iter().filter(fits).map(|action| action.name.clone()).collect()
    };
    let itself = RemedyOn::Itself;
    assert_eq!(follows(FaultClass::ComponentDown, itself), ["start_component", "restart_component"]);
    assert_eq!(follows(FaultClass::ControlPlaneDown, itself), ["start_component"]);
    assert_eq!(follows(FaultClass::ComponentSlow, itself), ["drain_store", "pd_transfer_leader"]);
    assert_eq!(follows(FaultClass::LinkSlow, RemedyOn::EdgeFrom), ["drain_store"]);
    assert_eq!(follows(FaultClass::ClockSkew, itself), ["pd_transfer_leader"]);
    assert_eq!(follows(FaultClass::LoadSurge, itself), ["split_region"]);
    assert_eq!(
        follows(FaultClass::ExternalMutation, itself),
        ["undrain_store", "resume_scheduler", "add_scheduler", "cancel_offline"]
    );
    assert_eq!(
        follows(FaultClass::BadChange, RemedyOn::ChangeSubject),
        ["undrain_store", "resume_scheduler", "add_scheduler", "config_restore", "cancel_offline"]
    );
    assert_eq!(follows(FaultClass::DataLoss, itself), [] as [&str; 0], "nothing is done where data was lost");
    assert_eq!(follows(FaultClass::LinkDown, itself), [] as [&str; 0], "a cut link is not mended from here");
}

#[test]
fn there_is_a_scene_in_which_every_action_holds_and_its_parameters_are_its_own() {
    let all = definitions(false);
    let tried: BTreeSet<_> = holding().iter().map(|(_, request)| request.action.clone()).collect();
    assert_eq!(tried, all.iter().map(|action| action.name.clone()).collect());
    for (_, request) in holding() {
        let definition = all.iter().find(|action| action.name == request.action).expect("it is offered");
        assert_eq!(definition.validate(&request.params), Ok(()), "{}", request.action);
    }
}
