//! While PD is sick, or its picture is old, no guard holds.

use std::time::Duration;

use operator_protocols::{Holds, Unavailable};

use super::scene::{AT, holding, plan_with};
use crate::actions::live::Live;
use crate::actions::{Memory, verdict};

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
