//! Whether an action happened is read from PD, never taken from its answer.

use operator_protocols::Effect;

use super::scene::{AT, at_region, at_store, effect, healthy, request};
use crate::actions::Memory;
use crate::actions::live::OperatorStatus;
use crate::actions::memory::OwnDrain;

#[test]
fn accepted_is_not_done_what_became_of_it_is_read() {
    let memory = Memory::default();
    let to_3 = request("transfer_leader", at_region(333), [("to_store", 3_i64.into())]);
    let mut live = healthy();
    assert_eq!(effect(&live, &memory, &to_3), Effect::Absent);
    let running = OperatorStatus { status: "RUNNING".into(), desc: "admin-transfer-leader".into() };
    live.operator_of.insert(333, Ok(Some(running)));
    assert_eq!(effect(&live, &memory, &to_3), Effect::UnderWay { progress: None });
    live.region_mut(333).leader = Some(3);
    assert!(matches!(effect(&live, &memory, &to_3), Effect::Happened(_)));
    live.regions.insert(333, Ok(None));
    assert!(matches!(effect(&live, &memory, &to_3), Effect::Unknown(_)), "a region that is not told is not Absent");
}

#[test]
fn a_drain_is_done_when_the_store_leads_nothing_and_tells_how_far_it_is() {
    let memory = Memory::default();
    let drain = request("drain_store", at_store(4), [("minutes", 30_i64.into())]);
    let mut live = healthy();
    assert_eq!(effect(&live, &memory, &drain), Effect::Absent);
    memory.drains(4, OwnDrain { intent: "i".into(), since: AT, until: AT, leaders: 60 });
    live.drain(4);
    live.store_mut(4).leader_count = 15;
    assert_eq!(effect(&live, &memory, &drain), Effect::UnderWay { progress: Some(0.75) });
    live.store_mut(4).leader_count = 0;
    assert!(matches!(effect(&live, &memory, &drain), Effect::Happened(_)));
    let undrain = request("undrain_store", at_store(4), []);
    assert_eq!(effect(&live, &memory, &undrain), Effect::Absent);
    live.drains.as_mut().expect("drains").clear();
    assert_eq!(effect(&live, &memory, &undrain), Effect::UnderWay { progress: None }, "PD still keeps leaders away");
    live.store_mut(4).leader_in_paused = false;
    assert!(matches!(effect(&live, &memory, &undrain), Effect::Happened(_)));
}

#[test]
fn a_split_is_seen_by_the_regions_version_and_only_where_the_one_before_is_known() {
    let (live, memory) = (healthy(), Memory::default());
    let split = request("split_region", at_region(333), [("policy", "scan".into())]);
    assert!(matches!(effect(&live, &memory, &split), Effect::Unknown(_)), "another process may have sent it");
    memory.changes_from(&split.intent, 1);
    assert_eq!(effect(&live, &memory, &split), Effect::Absent);
    let mut after = live;
    after.region_mut(333).version = 2;
    assert!(matches!(effect(&after, &memory, &split), Effect::Happened(_)));
}

#[test]
fn a_merge_is_not_seen_in_a_region_that_pd_has_not_heard_of_yet() {
    let memory = Memory::default();
    let merge = request("merge_region", at_region(333), [("into", 334_i64.into())]);
    let mut live = healthy();
    live.regions.insert(333, Ok(None));
    assert!(matches!(effect(&live, &memory, &merge), Effect::Happened(_)));
    live.initialized = Ok(false);
    assert!(matches!(effect(&live, &memory, &merge), Effect::Unknown(_)));
}

#[test]
fn the_leader_of_pd_has_changed_when_another_is_told() {
    let memory = Memory::default();
    let pd_0 = operator_protocols::Locus::component(super::scene::SUBJECT, "pd-0");
    let any = request("pd_transfer_leader", pd_0.clone(), [("to", "any".into())]);
    let to_2 = request("pd_transfer_leader", pd_0, [("to", "pd-2".into())]);
    let mut live = healthy();
    assert_eq!(effect(&live, &memory, &any), Effect::Absent);
    live.members.as_mut().expect("members").leader = None;
    assert_eq!(effect(&live, &memory, &any), Effect::UnderWay { progress: None });
    live.members.as_mut().expect("members").leader = Some("pd-1".into());
    assert!(matches!(effect(&live, &memory, &any), Effect::Happened(_)));
    assert_eq!(effect(&live, &memory, &to_2), Effect::Absent, "another one than was wanted leads");
}
