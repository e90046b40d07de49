//! What each action sends in a scene that allows it, and what refuses it.

use std::time::Duration;

use operator_protocols::{Locus, Value};

use super::scene::{AT, SUBJECT, at, at_region, at_store, healthy, holding, plan_with, request, sent, told};
use crate::actions::Memory;
use crate::actions::live::{Live, OperatorStatus, Role};
use crate::actions::memory::OwnDrain;
use crate::details::OperatorDetail;
use crate::names;

/// The refusal in a scene that `change` made.
fn refused(change: impl FnOnce(&mut Live), request: &operator_protocols::ActionRequest) -> String {
    let mut live = healthy();
    change(&mut live);
    sent(&live, request).expect_err(&request.action)
}

#[test]
fn every_action_sends_its_one_request() {
    let sent: Vec<_> = holding().iter().map(|(live, request)| sent(live, request).expect(&request.action)).collect();
    assert_eq!(
        sent,
        [
            r#"POST /pd/api/v1/operators {"name":"transfer-leader","region_id":333,"to_store_id":3}"#,
            r#"POST /pd/api/v1/operators {"from_store_id":3,"name":"transfer-peer","region_id":333,"to_store_id":5}"#,
            "DELETE /pd/api/v1/operators/333",
            r#"POST /pd/api/v1/operators {"name":"split-region","policy":"approximate","region_id":333}"#,
            r#"POST /pd/api/v1/operators {"name":"merge-region","source_region_id":333,"target_region_id":334}"#,
            r#"POST /pd/api/v1/operators {"name":"scatter-region","region_id":333}"#,
            r#"POST /pd/api/v1/schedulers {"name":"evict-leader-scheduler","store_id":4}"#,
            "DELETE /pd/api/v1/schedulers/evict-leader-scheduler-4",
            "DELETE /pd/api/v1/schedulers/evict-leader-scheduler-4",
            r#"POST /pd/api/v1/schedulers/balance-region-scheduler {"delay":600}"#,
            r#"POST /pd/api/v1/schedulers/balance-region-scheduler {"delay":0}"#,
            r#"POST /pd/api/v1/schedulers {"name":"balance-leader-scheduler"}"#,
            r#"POST /pd/api/v1/checker/merge {"delay":600}"#,
            r#"POST /pd/api/v1/checker/merge {"delay":0}"#,
            r#"POST /pd/api/v1/store/4/limit {"rate":30,"type":"add-peer"}"#,
            r#"POST /pd/api/v1/store/4/weight {"leader":0.5,"region":1.0}"#,
            r#"POST /pd/api/v1/config {"leader-schedule-limit":8}"#,
            r#"POST /pd/api/v1/config {"region-schedule-limit":2048}"#,
            "DELETE /pd/api/v1/store/4",
            "POST /pd/api/v1/store/4/state?state=Up",
            "POST /pd/api/v1/leader/transfer/pd-1",
            "POST /pd/api/v1/leader/resign",
        ]
    );
}

#[test]
fn a_leader_goes_only_to_a_voter_on_a_fit_store_that_is_not_drained() {
    let to = |store: i64| request("transfer_leader", at_region(333), [("to_store", store.into())]);
    let to_3 = to(3);
    let cases: Vec<(String, &str)> = vec![
        (refused(|_| (), &to(5)), "no replica on store 5"),
        (refused(|_| (), &to(2)), "leads region 333 already"),
        (refused(|_| (), &request("transfer_leader", at_region(999), [("to_store", 3_i64.into())])), "not asked for"),
        (refused(|live| live.region_mut(333).peers[1].role = Role::Learner, &to_3), "does not vote"),
        (refused(|live| live.region_mut(333).pending = vec![3], &to_3), "is behind"),
        (refused(|live| live.region_mut(333).down = vec![3], &to_3), "is behind"),
        (refused(|live| live.region_mut(333).leader = None, &to_3), "has no leader"),
        (refused(|live| live.silence(3, Duration::from_secs(25)), &to_3), "does not answer for 25 s"),
        (refused(|live| live.store_mut(3).is_busy = true, &to_3), "busy"),
        (refused(|live| live.store_mut(3).slow_score = Some(80), &to_3), "slow"),
        (refused(|live| live.store_mut(3).available = Some(1e9), &to_3), "low on space"),
        (refused(|live| live.store_mut(3).available = None, &to_3), "unknown: the space of store 3"),
        (refused(|live| live.store_mut(3).last_heartbeat_ms = None, &to_3), "unknown: whether store 3 answers"),
        (refused(|live| live.offline(3), &to_3), "being removed"),
        (refused(|live| live.drain(3), &to_3), "drained"),
        (refused(|live| live.store_mut(3).leader_in_paused = true, &to_3), "drained"),
        (refused(|live| _ = live.slow_evicted.as_mut().map(|stores| stores.insert(3)), &to_3), "slow"),
        (refused(|live| live.regions = [(333, Ok(None))].into(), &to_3), "no region 333"),
        (
            refused(
                |live| {
                    let running = OperatorStatus { status: "RUNNING".into(), desc: "balance-leader".into() };
                    live.operator_of.insert(333, Ok(Some(running)));
                },
                &to_3,
            ),
            "do balance-leader already",
        ),
    ];
    for (why, expected) in cases {
        assert!(why.contains(expected), "{why:?} does not say {expected:?}");
    }
}

#[test]
fn a_peer_moves_only_where_there_is_room_and_replicas_stay_apart() {
    let to = |store: i64| {
        request("transfer_peer", at_region(333), [("from_store", 3_i64.into()), ("to_store", store.into())])
    };
    assert!(refused(|_| (), &to(2)).contains("already"));
    assert!(refused(|live| live.store_mut(5).available = Some(2.5e11), &to(5)).contains("free"));
    assert!(refused(|live| live.drain(1), &to(5)).contains("somebody else"));
    assert!(refused(|live| live.region_mut(333).pending = vec![4], &to(5)).contains("waits for its log"));
    let many = |live: &mut Live| {
        let one = OperatorDetail { desc: "admin-move-peer".into(), brief: String::new(), region: 1 };
        live.operators = Ok(vec![one; 4]);
    };
    assert!(refused(many, &to(5)).contains("4 may be"));
    // Five stores in three zones: 3 is alone in its zone, 5 shares one with 2.
    let zones = |live: &mut Live| {
        for (id, zone) in [(1, "a"), (2, "b"), (3, "c"), (4, "a"), (5, "b")] {
            live.store_mut(id).labels.insert("zone".into(), zone.into());
        }
        live.replication.as_mut().expect("rules").location_labels = vec!["zone".into()];
    };
    assert!(refused(zones, &to(5)).contains("2 places by zone"));
    let unlabelled = |live: &mut Live| {
        zones(live);
        live.store_mut(5).labels.clear();
    };
    assert!(refused(unlabelled, &to(5)).contains("no label zone"));
    let ruled = |live: &mut Live| {
        zones(live);
        let rules = &mut live.replication.as_mut().expect("rules").rules;
        rules[0].constraints = vec![("zone".into(), "in".into(), vec!["a".into(), "c".into()])];
    };
    assert!(refused(ruled, &to(5)).contains("keeps replicas off store 5"));
}

#[test]
fn a_store_is_drained_only_if_that_helps_and_nobody_else_is_at_work() {
    let drain = request("drain_store", at_store(4), [("minutes", 30_i64.into())]);
    let cases: Vec<(String, &str)> = vec![
        (refused(|live| live.silence(4, Duration::from_secs(40)), &drain), "elsewhere already"),
        (refused(|live| live.drain(4), &drain), "drained already"),
        (refused(|live| _ = live.slow_evicted.as_mut().map(|stores| stores.insert(4)), &drain), "already evicts"),
        (refused(|live| live.drain(1), &drain), "somebody else evicts the leaders of store 1"),
        (
            refused(|live| _ = live.slow_evicted.as_mut().map(|stores| stores.insert(1)), &drain),
            "store 1, which is slow",
        ),
        (refused(|live| live.offline(1), &drain), "store 1 is being removed"),
        (refused(|live| live.store_mut(4).available = Some(2e9), &drain), "is short of space"),
        (refused(|live| live.store_mut(4).available = Some(2.3e11), &drain), "is short of space"),
        (refused(|live| live.offline(4), &drain), "being removed"),
        (refused(|live| live.drains = Err(operator_protocols::Unavailable::new("drains", "x")), &drain), "unknown"),
    ];
    for (why, expected) in cases {
        assert!(why.contains(expected), "{why:?} does not say {expected:?}");
    }
    let only_three = |live: &mut Live| {
        let stores = live.stores.as_mut().expect("stores");
        stores.retain(|id, _| [3, 4].contains(id));
    };
    assert!(refused(only_three, &drain).contains("1 other stores can lead; 2 are needed"));
    let mut slow = healthy();
    slow.store_mut(4).slow_score = Some(100);
    assert!(sent(&slow, &drain).is_ok(), "a slow store is what drains are for");
}

#[test]
fn a_drain_of_ours_does_not_keep_us_from_other_work_but_one_store_is_drained_at_a_time() {
    let memory = Memory::default();
    let drain = OwnDrain { intent: "i".into(), since: AT, until: AT, leaders: 60 };
    memory.drains(1, drain);
    let mut live = healthy();
    live.drain(1);
    let peer = request("transfer_peer", at_region(333), [("from_store", 3_i64.into()), ("to_store", 5_i64.into())]);
    assert!(told(plan_with(&live, &memory, &peer)).is_ok());
    let other = request("drain_store", at_store(4), [("minutes", 30_i64.into())]);
    assert!(told(plan_with(&live, &memory, &other)).expect_err("one at a time").contains("one store at a time"));
}

#[test]
fn two_silent_stores_stop_everything_and_one_stops_it_while_others_lag() {
    for (mut live, request) in holding() {
        live.silence(1, Duration::from_secs(60));
        live.silence(5, Duration::from_secs(60));
        let why = sent(&live, &request).expect_err(&request.action);
        let says = why.contains("do not answer") || why.contains("does not answer");
        assert!(says || request.action == "offline_store", "{}: {why}", request.action);
    }
    let undrain = request("undrain_store", at_store(4), []);
    let mut live = healthy();
    live.drain(4);
    live.silence(1, Duration::from_secs(60));
    assert!(sent(&live, &undrain).is_ok(), "one store that is down is no reason to leave another drained");
    live.store_mut(2).pending_peers = 3;
    assert!(sent(&live, &undrain).expect_err("at risk").contains("one more loss"));
}

#[test]
fn a_dead_store_whose_replicas_were_all_made_anew_is_no_risk() {
    let mut live = healthy();
    live.silence(1, Duration::from_secs(7_200));
    live.silence(5, Duration::from_secs(7_200));
    live.store_mut(1).region_count = 0;
    let to_3 = request("transfer_leader", at_region(333), [("to_store", 3_i64.into())]);
    assert!(sent(&live, &to_3).is_ok());
}

#[test]
fn stores_of_one_place_may_be_silent_together_where_replicas_are_kept_apart_by_it() {
    let mut live = healthy();
    for (id, zone) in [(1, "a"), (5, "a"), (2, "b"), (3, "c"), (4, "d")] {
        live.store_mut(id).labels.insert("zone".into(), zone.into());
    }
    live.silence(1, Duration::from_secs(60));
    live.silence(5, Duration::from_secs(60));
    let to_3 = request("transfer_leader", at_region(333), [("to_store", 3_i64.into())]);
    assert!(sent(&live, &to_3).is_err());
    live.replication.as_mut().expect("rules").isolation_level = Some("zone".into());
    assert!(sent(&live, &to_3).is_ok());
}

#[test]
fn only_what_people_asked_for_is_called_off() {
    let cancel = request("cancel_operator", at_region(333), []);
    assert!(refused(|_| (), &cancel).contains("does nothing"));
    let balancing = |live: &mut Live| {
        let running = OperatorStatus { status: "RUNNING".into(), desc: "balance-region".into() };
        live.operator_of.insert(333, Ok(Some(running)));
    };
    assert!(refused(balancing, &cancel).contains("PD's own doing"));
}

#[test]
fn schedulers_rest_go_on_and_come_back_only_when_that_changes_something() {
    let aimed = |action: &str, name: &str| request(action, at(names::SCHEDULER, name), []);
    let pause = |name: &str| request("pause_scheduler", at(names::SCHEDULER, name), [("seconds", 600_i64.into())]);
    for name in ["all", "evict-slow-store-scheduler", "evict-leader-scheduler", "shuffle-leader-scheduler", "../config"]
    {
        assert!(refused(|_| (), &pause(name)).contains("balancing"), "{name}");
    }
    assert!(refused(|_| (), &aimed("resume_scheduler", "balance-region-scheduler")).contains("does not rest"));
    assert!(refused(|_| (), &aimed("resume_scheduler", "all")).contains("default"));
    assert!(refused(|_| (), &aimed("add_scheduler", "balance-region-scheduler")).contains("already"));
    assert!(refused(|_| (), &aimed("add_scheduler", "grant-leader-scheduler")).contains("default"));
    let evictor = aimed("add_scheduler", "evict-slow-store-scheduler");
    let of_version = |version: &'static str| {
        move |live: &mut Live| {
            live.schedulers.as_mut().expect("schedulers").remove("evict-slow-store-scheduler");
            let members = live.members.as_mut().expect("members");
            members.by_name.values_mut().for_each(|member| member.version = version.into());
        }
    };
    assert!(refused(of_version("v7.5.3"), &evictor).contains("by default"));
    assert!(refused(of_version("custom"), &evictor).contains("unknown"));
    let mut live = healthy();
    of_version("v8.1.0-pre")(&mut live);
    assert!(sent(&live, &evictor).is_ok());
}

#[test]
fn a_limit_is_doubled_or_halved_at_most() {
    let rate = |direction: &str, rate: i64| {
        request("set_store_limit", at_store(4), [("direction", direction.into()), ("rate", rate.into())])
    };
    assert!(refused(|_| (), &rate("add-peer", 31)).contains("doubled or halved"));
    assert!(refused(|_| (), &rate("add-peer", 7)).contains("doubled or halved"));
    assert!(refused(|_| (), &rate("add-peer", 15)).contains("already"));
    assert!(refused(|live| live.limits = Ok(None), &rate("add-peer", 20)).contains("v2"));
    assert!(refused(|live| live.offline(4), &rate("remove-peer", 20)).contains("by itself"));
    let mut live = healthy();
    live.offline(4);
    assert!(sent(&live, &rate("add-peer", 8)).is_ok());
}

#[test]
fn a_setting_stays_within_its_bounds_and_the_patience_with_dead_stores_is_only_raised() {
    let set = |key: &str, value: &str| request("config_set", at(names::SETTING, key), [("value", value.into())]);
    assert!(refused(|_| (), &set("halt-scheduling", "false")).contains("none that may be changed"));
    assert!(refused(|_| (), &set("region-schedule-limit", "0")).contains("from 16 to 2048"));
    assert!(refused(|_| (), &set("region-schedule-limit", "2048")).contains("already"));
    assert!(refused(|_| (), &set("max-store-down-time", "20m")).contains("only be raised"));
    assert!(sent(&healthy(), &set("max-store-down-time", "2h")).is_ok());
    let missing = |live: &mut Live| {
        live.settings.as_mut().expect("settings").remove("merge-schedule-limit");
    };
    assert!(refused(missing, &set("merge-schedule-limit", "4")).contains("no setting"));
    let restore = request("config_restore", at(names::SETTING, "max-store-down-time"), [("value", "30m0s".into())]);
    let mut live = healthy();
    live.settings.as_mut().expect("settings").insert("max-store-down-time".into(), "2h0m0s".into());
    assert_eq!(
        sent(&live, &restore).as_deref(),
        Ok(r#"POST /pd/api/v1/config {"max-store-down-time":"30m0s"}"#),
        "what was before may be lower"
    );
}

#[test]
fn regions_are_split_when_large_or_hot_merged_when_small_neighbours_and_scattered_when_cool() {
    let split = request("split_region", at_region(333), [("policy", "scan".into())]);
    let small = |live: &mut Live| live.region_mut(333).size_mib = 10;
    assert!(refused(small, &split).contains("neither hot nor large"));
    let mut hot = healthy();
    small(&mut hot);
    hot.hot.as_mut().expect("hot").insert(333, 1e6);
    assert!(sent(&hot, &split).is_ok());
    assert!(sent(&hot, &request("scatter_region", at_region(333), [])).expect_err("hot").contains("hot"));
    let merge = |into: i64| request("merge_region", at_region(333), [("into", into.into())]);
    assert!(refused(|_| (), &merge(334)).contains("split again"));
    assert!(refused(|_| (), &merge(333)).contains("itself"));
    assert!(refused(small, &merge(229)).contains("not neighbours"));
    let tables = |live: &mut Live| {
        for (id, start) in [(333, "7480000000000000FF01AA"), (334, "7480000000000000FF02AA")] {
            live.region_mut(id).size_mib = 10;
            live.region_mut(id).start_key = start.into();
        }
        live.region_mut(333).end_key = "7480000000000000FF02AA".into();
    };
    assert!(refused(tables, &merge(334)).contains("different tables"));
}

#[test]
fn the_leader_of_pd_is_relieved_only_by_a_member_that_can_lead() {
    let pd = |name: &str| Locus::component(SUBJECT, name);
    let to = |to: &str| request("pd_transfer_leader", pd("pd-0"), [("to", to.into())]);
    let sick = |name: &'static str| {
        move |live: &mut Live| {
            live.health.as_mut().expect("health").insert(name.into(), false);
        }
    };
    assert!(refused(|_| (), &request("pd_transfer_leader", pd("pd-1"), [("to", "any".into())])).contains("pd-0 does"));
    assert!(refused(|_| (), &to("pd-9")).contains("no member pd-9"));
    assert!(refused(|_| (), &to("pd-0")).contains("already"));
    assert!(refused(sick("pd-1"), &to("pd-2")).contains("pd-1 does not answer either"));
    let old = |live: &mut Live| {
        let members = live.members.as_mut().expect("members");
        members.by_name.get_mut("pd-1").expect("pd-1").version = "v8.1.0".into();
    };
    assert!(refused(old, &to("pd-1")).contains("of version v8.1.0"));
    let mut live = healthy();
    live.members.as_mut().expect("members").by_name.get_mut("pd-2").expect("pd-2").priority = 5;
    assert_eq!(sent(&live, &to("any")).as_deref(), Ok("POST /pd/api/v1/leader/transfer/pd-2"));
}

#[test]
fn the_facts_of_a_guard_name_the_request_and_what_must_not_change() {
    let (live, request) = &holding()[0];
    let guard = crate::actions::verdict::guard(&plan_with(live, &Memory::default(), request), AT);
    assert_eq!(guard.facts.get("cluster_id"), Some(&Value::from(super::scene::CLUSTER)));
    assert_eq!(guard.facts.get("conf_ver"), Some(&Value::Int(1)));
    assert!(guard.facts.get("call").and_then(Value::as_str).is_some_and(|call| call.starts_with("POST /pd/api/v1/")));
    assert_eq!(guard.incarnation.as_deref(), Some("1795000003"));
    let mut later = live.clone();
    later.store_mut(1).leader_count += 7;
    later.store_mut(1).last_heartbeat_ms = Some(AT.as_millis() - 1_000);
    let again = crate::actions::verdict::guard(&plan_with(&later, &Memory::default(), request), AT);
    assert_eq!(again.facts, guard.facts, "counts and heartbeats change all the time");
}
