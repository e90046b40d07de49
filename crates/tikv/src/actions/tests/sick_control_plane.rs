//! While PD is sick, or its picture is old, no guard holds.

use std::time::Duration;

use operator_protocols::{Holds, Unavailable};

use super::scene::{AT, holding, plan_with};
use crate::actions::aim::Aim;
use crate::actions::live::{Live, Part};
use crate::actions::{Memory, pd_action, verdict};

fn no_guard_holds(what: &str, sicken: impl Fn(&mut Live)) {
    for (mut live, request) in holding() {
        sicken(&mut live);
        let guard = verdict::guard(&plan_with(&live, &Memory::default(), &request), AT);
        assert!(matches!(guard.holds, Holds::Unknown(_)), "{} while {what}: {}", request.action, guard.holds);
        assert!(guard.facts.is_empty());
    }
}

#[test]
fn no_guard_holds_without_a_leader_of_pd() {
    no_guard_holds("PD has no leader", |live| live.members.as_mut().expect("members").leader = None);
    no_guard_holds("PD's leader is changing", |live| {
        live.members.as_mut().expect("members").etcd_leader = Some("pd-1".into());
    });
    no_guard_holds("PD's leader does not answer", |live| {
        live.health.as_mut().expect("health").insert("pd-0".into(), false);
    });
    no_guard_holds("PD does not say which cluster it is", |live| {
        live.members.as_mut().expect("members").cluster_id = 0;
    });
}

#[test]
fn no_guard_holds_while_pd_cannot_be_read() {
    let why = || Unavailable::new("PD", "500 [PD:apiutil:ErrRedirect]redirect failed");
    no_guard_holds("members cannot be read", |live| live.members = Err(why()));
    no_guard_holds("health cannot be read", |live| live.health = Err(why()));
    no_guard_holds("stores cannot be read", |live| live.stores = Err(why()));
    no_guard_holds("the status cannot be read", |live| live.initialized = Err(why()));
}

#[test]
fn no_guard_holds_before_pd_has_heard_of_all_regions() {
    no_guard_holds("PD is not initialised", |live| live.initialized = Ok(false));
}

#[test]
fn no_guard_holds_on_an_old_picture_or_with_a_clock_that_is_not_pds() {
    no_guard_holds("no store was heard of for 31 s", |live| {
        for id in 1..=5 {
            live.store_mut(id).last_heartbeat_ms = Some(AT.minus(Duration::from_secs(31)).as_millis());
        }
    });
    no_guard_holds("PD's clock is ahead", |live| {
        live.store_mut(1).last_heartbeat_ms = Some(AT.plus(Duration::from_secs(31)).as_millis());
    });
    no_guard_holds("PD tells no store", |live| live.stores = Ok(std::collections::BTreeMap::new()));
}

#[test]
fn what_an_action_needs_to_know_and_does_not_forbids_it() {
    for (live, request) in holding() {
        let memory = Memory::default();
        let needs = pd_action(&request.action).expect("the action").reads(&Aim { request: &request, memory: &memory });
        for part in needs {
            let mut blind = live.clone();
            if !blinded(&mut blind, part) {
                continue;
            }
            let guard = verdict::guard(&plan_with(&blind, &memory, &request), AT);
            assert!(matches!(guard.holds, Holds::Unknown(_)), "{} without {part:?}: {}", request.action, guard.holds);
        }
    }
}

/// Takes a part away. Of placement and heat some actions ask only where another part is not as it should be.
fn blinded(live: &mut Live, part: Part) -> bool {
    let why = || Unavailable::new("it", "500");
    match part {
        Part::Schedulers => live.schedulers = Err(why()),
        Part::Checkers => live.checkers = Err(why()),
        Part::Settings => live.settings = Err(why()),
        Part::Limits => live.limits = Err(why()),
        Part::Operators => live.operators = Err(why()),
        Part::Abnormal => live.abnormal = Err(why()),
        Part::Region(id) => {
            live.regions.insert(id, Err(why()));
            live.operator_of.insert(id, Err(why()));
        }
        _ => return false,
    }
    true
}
