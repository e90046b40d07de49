//! A removal that could never end is refused before it begins, with the reason.

use std::time::Duration;

use operator_protocols::Effect;

use super::scene::{at_store, effect, healthy, request, sent, voters};
use crate::actions::Memory;
use crate::actions::live::Live;

fn emptied() -> Live {
    let mut live = healthy();
    live.store_mut(4).leader_count = 0;
    live
}

fn refused(change: impl FnOnce(&mut Live)) -> String {
    let mut live = emptied();
    change(&mut live);
    sent(&live, &request("offline_store", at_store(4), [])).expect_err("it must be refused")
}

#[test]
fn a_drained_store_of_five_may_go() {
    assert_eq!(
        sent(&emptied(), &request("offline_store", at_store(4), [])).as_deref(),
        Ok("DELETE /pd/api/v1/store/4")
    );
}

#[test]
fn a_store_that_leads_regions_is_drained_first() {
    assert!(refused(|live| live.store_mut(4).leader_count = 3).contains("leads 3 regions"));
}

#[test]
fn a_silent_store_does_not_count_as_one_that_is_left() {
    // PD itself would begin: to it four stores are up, and three are needed.
    let why = refused(|live| {
        live.stores.as_mut().expect("stores").remove(&5);
        live.silence(1, Duration::from_secs(120));
    });
    assert!(why.contains("store 1 does not answer"), "{why}");
}

#[test]
fn enough_healthy_stores_must_be_left_for_every_rule() {
    let three = refused(|live| live.stores.as_mut().expect("stores").retain(|id, _| [1, 2, 4].contains(id)));
    assert!(three.contains("wants 3 replicas, and 2 healthy stores"), "{three}");
    let five = refused(|live| live.replication.as_mut().expect("rules").rules = vec![voters(5)]);
    assert!(five.contains("wants 5 replicas, and 4"), "{five}");
    let ruled = refused(|live| {
        for id in [2, 3, 4] {
            live.store_mut(id).labels.insert("disk".into(), "ssd".into());
        }
        let rules = &mut live.replication.as_mut().expect("rules").rules;
        rules[0].constraints = vec![("disk".into(), "in".into(), vec!["ssd".into()])];
    });
    assert!(ruled.contains("2 healthy stores that it admits"), "{ruled}");
    let none = refused(|live| live.replication.as_mut().expect("rules").rules.clear());
    assert!(none.contains("unknown"), "{none}");
}

#[test]
fn replicas_must_stay_as_far_apart() {
    let zones = |of_4: &'static str| {
        move |live: &mut Live| {
            for (id, zone) in [(1, "a"), (2, "b"), (3, "a"), (4, of_4), (5, "b")] {
                live.store_mut(id).labels.insert("zone".into(), zone.into());
            }
            live.replication.as_mut().expect("rules").location_labels = vec!["zone".into()];
        }
    };
    assert!(refused(zones("c")).contains("2 places by zone would be left"));
    let mut live = emptied();
    zones("a")(&mut live);
    assert!(sent(&live, &request("offline_store", at_store(4), [])).is_ok(), "its zone has another store");
    live.replication.as_mut().expect("rules").isolation_level = Some("zone".into());
    assert!(sent(&live, &request("offline_store", at_store(4), [])).is_err(), "two zones were never enough for that");
}

#[test]
fn what_is_left_must_hold_everything() {
    let full = refused(|live| (1..=5).for_each(|id| live.store_mut(id).available = Some(3.0e11)));
    assert!(full.contains("% full"), "{full}");
    let unknown = refused(|live| live.store_mut(2).available = None);
    assert!(unknown.contains("unknown: the space of store 2"), "{unknown}");
}

#[test]
fn nothing_else_may_be_under_way() {
    assert!(refused(|live| live.offline(1)).contains("store 1 is being removed"));
    assert!(refused(|live| live.drain(1)).contains("somebody else"));
    assert!(refused(|live| live.offline(4)).contains("being removed"));
    let missing = |live: &mut Live| _ = live.abnormal.as_mut().expect("counts").insert("miss-peer".into(), 2);
    assert!(refused(missing).contains("2 regions are miss-peer"));
    let down = |live: &mut Live| _ = live.abnormal.as_mut().expect("counts").insert("down-peer".into(), 2);
    assert!(refused(down).contains("2 regions are down-peer"));
    let untold = |live: &mut Live| live.abnormal.as_mut().expect("counts").clear();
    assert!(refused(untold).contains("unknown"));
}

#[test]
fn a_removal_that_the_settings_would_stall_does_not_begin() {
    for (key, value) in
        [("replica-schedule-limit", "0"), ("enable-replace-offline-replica", "false"), ("halt-scheduling", "true")]
    {
        let stall = |live: &mut Live| _ = live.settings.as_mut().expect("settings").insert(key.into(), value.into());
        assert!(refused(stall).contains(key), "{key}");
    }
}

#[test]
fn a_dead_store_may_go_where_the_others_can_take_its_place() {
    let mut live = healthy();
    live.silence(4, Duration::from_secs(3_600));
    live.abnormal.as_mut().expect("counts").insert("down-peer".into(), 180);
    assert!(sent(&live, &request("offline_store", at_store(4), [])).is_ok());
}

#[test]
fn a_removal_is_called_off_while_it_lasts_even_if_another_store_is_dead() {
    let cancel = request("cancel_offline", at_store(4), []);
    let mut live = healthy();
    assert!(sent(&live, &cancel).expect_err("it is up").contains("not being removed"));
    live.offline(4);
    live.silence(1, Duration::from_secs(600));
    live.store_mut(2).pending_peers = 4;
    assert!(sent(&live, &cancel).is_ok());
    live.store_mut(4).physically_destroyed = true;
    assert!(sent(&live, &cancel).expect_err("by force").contains("by force"));
}

#[test]
fn a_removal_has_happened_once_it_has_begun() {
    let (memory, offline) = (Memory::default(), request("offline_store", at_store(4), []));
    let mut live = emptied();
    assert_eq!(effect(&live, &memory, &offline), Effect::Absent);
    live.offline(4);
    assert!(matches!(effect(&live, &memory, &offline), Effect::Happened(_)));
}
