//! The explanations of built scenes: the right reason comes out, and healthy clusters give none.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::Value;

use super::answer::Answer;
use super::{
    config_diff, drains, rebalance_progress, region, scale_in_check, why_no_leaders, why_not_tombstone,
    why_nothing_scheduled,
};
use crate::actions::Memory;
use crate::actions::live::{Diagnostic, LastLook, Live, OperatorStatus, Progress, Record};
use crate::actions::tests::scene::{AT, healthy};
use crate::actions::verdict::Verdict;
use crate::details::{Details, Moved, OperatorDetail, SchedulerDetail};

/// The sentence, and all the statements and helps, one a line.
fn told(answer: Verdict<Answer>) -> (String, String) {
    let answer = answer.expect("it can be answered");
    let (sentence, value) = (answer.text().to_owned(), answer.into_value());
    let list = |key: &str| value.get(key).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
    let statements = list("because").into_iter().map(|reason| {
        assert!(reason.get("source").and_then(Value::as_str).is_some_and(|source| !source.is_empty()));
        assert_eq!(reason.get("as_of"), Some(&Value::Int(AT.as_millis())));
        reason.get("statement").and_then(Value::as_str).unwrap_or_default().to_owned()
    });
    let helps = list("what_would_help").into_iter().filter_map(|help| help.as_str().map(str::to_owned));
    (sentence, statements.chain(helps).collect::<Vec<_>>().join("\n"))
}

fn eta(answer: Verdict<Answer>) -> Option<f64> {
    answer.expect("it can be answered").into_value().get("eta_seconds").and_then(Value::as_f64)
}

/// Every explanation of a scene, whatever it says.
pub(crate) fn explain_all(live: &Live) {
    let memory = Memory::default();
    let all = [
        why_not_tombstone::explain(live, 4),
        why_nothing_scheduled::explain(live),
        rebalance_progress::explain(live),
        scale_in_check::explain(live, &memory, 4),
        why_no_leaders::explain(live, &memory, 4),
        region::explain(live, 333),
        drains::explain(live, &memory),
        config_diff::explain(live),
    ];
    for answer in all.into_iter().flatten() {
        let _ = answer.into_value().to_string();
    }
}

#[test]
fn a_removal_under_way_has_pds_own_estimate_or_the_limits() {
    let mut live = healthy();
    live.offline(4);
    live.store_mut(4).region_count = 180;
    // Four stores take fifteen replicas a minute each.
    let (sentence, why) = told(why_not_tombstone::explain(&live, 4));
    assert!(sentence.contains("still holds 180 regions, which leave it in about 3 min"), "{sentence}");
    assert!(why.contains("60 replicas a minute"), "{why}");
    assert_eq!(eta(why_not_tombstone::explain(&live, 4)), Some(180.0));
    live.progress = Ok([(4, Progress { action: "removing".into(), done: 0.4, speed: 96.0, left_s: 101.0 })].into());
    assert_eq!(eta(why_not_tombstone::explain(&live, 4)), Some(101.0));
}

#[test]
fn a_removal_that_cannot_end_says_why() {
    // Four stores, one of them dead: PD began, and can never end.
    let mut live = healthy();
    live.stores.as_mut().expect("stores").remove(&5);
    live.offline(4);
    live.silence(1, Duration::from_secs(2_400));
    let (sentence, why) = told(why_not_tombstone::explain(&live, 4));
    assert!(sentence.contains("cannot be emptied"), "{sentence}");
    assert!(why.contains("regions have 3 replicas, and only 2 other stores can take one"), "{why}");
    assert!(why.contains("cancel_offline store-4"), "{why}");
    assert_eq!(eta(why_not_tombstone::explain(&live, 4)), None, "what cannot end has no end");

    let mut stalled = healthy();
    stalled.offline(4);
    stalled.settings.as_mut().expect("settings").insert("replica-schedule-limit".into(), "0".into());
    assert!(told(why_not_tombstone::explain(&stalled, 4)).1.contains("replica-schedule-limit is 0"));

    let mut two = healthy();
    two.offline(4);
    two.silence(1, Duration::from_secs(60));
    two.silence(2, Duration::from_secs(60));
    assert!(told(why_not_tombstone::explain(&two, 4)).1.contains("nothing else brings such regions back"));
}

#[test]
fn a_removal_whose_regions_have_not_fallen_for_long_says_so() {
    let mut live = healthy();
    live.offline(4);
    let mut details = Details::default();
    details.drift.moved.insert("regions of store-4".into(), Moved { not_falling_s: 3_600.0, ..Moved::default() });
    live.last = Some(LastLook { at: AT, details: Arc::new(details) });
    assert!(told(why_not_tombstone::explain(&live, 4)).1.contains("has not fallen for 60 min"));
}

#[test]
fn a_store_that_nobody_removes_is_told_apart_from_one_that_is_gone() {
    let live = healthy();
    assert!(told(why_not_tombstone::explain(&live, 4)).0.contains("nobody asked PD to"));
    assert!(told(why_not_tombstone::explain(&live, 9)).0.contains("no store 9"));
}

#[test]
fn nothing_scheduled_names_what_keeps_pd_or_that_nothing_does() {
    let mut live = healthy();
    assert!(told(why_nothing_scheduled::explain(&live)).0.contains("nothing that needs to be moved"));
    live.settings.as_mut().expect("settings").insert("region-schedule-limit".into(), "0".into());
    let schedulers = live.schedulers.as_mut().expect("schedulers");
    schedulers.insert("balance-region-scheduler".into(), SchedulerDetail { paused: true, disabled: false });
    schedulers.remove("balance-leader-scheduler");
    live.checkers.as_mut().expect("checkers").insert("merge".into(), true);
    let diagnostic = Diagnostic { status: "paused".into(), summary: String::new() };
    live.diagnostics = Ok([("balance-region-scheduler".to_owned(), diagnostic)].into());
    let (sentence, why) = told(why_nothing_scheduled::explain(&live));
    assert!(sentence.contains("moves nothing, for 5 reasons"), "{sentence}");
    for part in [
        "region-schedule-limit is 0",
        "config_restore region-schedule-limit",
        "balance-region-scheduler is paused",
        "resume_scheduler balance-region-scheduler",
        "PD has no balance-leader-scheduler",
        "the merge checker is paused",
    ] {
        assert!(why.contains(part), "{why}");
    }
    live.initialized = Ok(false);
    assert!(told(why_nothing_scheduled::explain(&live)).1.contains("has not heard of all of them"));
}

#[test]
fn rebalancing_is_told_by_moves_scores_and_progress() {
    let mut live = healthy();
    assert!(told(rebalance_progress::explain(&live)).0.contains("Nothing is being moved, and the stores are even"));
    live.store_mut(5).region_score = 100.0;
    let (sentence, why) = told(rebalance_progress::explain(&live));
    assert!(sentence.contains("although the stores are not even") && why.contains("why_nothing_scheduled"), "{why}");
    let operator =
        OperatorDetail { desc: "balance-region".into(), brief: "mv peer: store [1] to [5]".into(), region: 7 };
    live.operators = Ok(vec![operator; 12]);
    live.records = Ok(vec![Record { desc: "balance-region".into(), region: 8, finished: true }]);
    live.progress = Ok([(5, Progress { action: "preparing".into(), done: 0.25, speed: 60.0, left_s: 5_400.0 })].into());
    let (sentence, why) = told(rebalance_progress::explain(&live));
    assert!(sentence.contains("done in 90 min"), "{sentence}");
    assert!(why.contains("12 balance-region") && why.contains("store 5 is preparing to 25 %"), "{why}");
    assert_eq!(eta(rebalance_progress::explain(&live)), Some(5_400.0));
}

#[test]
fn the_check_of_a_scale_in_lists_every_condition_and_agrees_with_the_guard() {
    let memory = Memory::default();
    let mut live = healthy();
    let (sentence, why) = told(scale_in_check::explain(&live, &memory, 4));
    assert!(sentence.contains("cannot be taken out: 1 conditions"), "{sentence}");
    assert!(why.contains("drain the store first") && why.lines().count() >= 11, "{why}");
    live.store_mut(4).leader_count = 0;
    assert!(told(scale_in_check::explain(&live, &memory, 4)).0.contains("can be taken out"));
    live.abnormal.as_mut().expect("counts").clear();
    assert!(told(scale_in_check::explain(&live, &memory, 4)).0.contains("cannot be told"));
}

#[test]
fn a_store_without_leaders_says_who_keeps_them_away() {
    let memory = Memory::default();
    let why = |live: &Live| told(why_no_leaders::explain(live, &memory, 4));
    assert!(why(&healthy()).0.contains("as many as others"));
    let mut drained = healthy();
    drained.drain(4);
    drained.store_mut(4).leader_count = 0;
    let (sentence, reasons) = why(&drained);
    assert!(sentence.contains("for 1 reasons") && reasons.contains("undrain_store store-4"), "{reasons}");
    let mut forgotten = healthy();
    forgotten.store_mut(4).leader_in_paused = true;
    assert!(why(&forgotten).1.contains("no eviction is listed"));
    let mut slow = healthy();
    slow.slow_evicted.as_mut().expect("stores").insert(4);
    assert!(why(&slow).1.contains("PD itself evicts"));
    let mut silent = healthy();
    silent.silence(4, Duration::from_secs(30));
    assert!(why(&silent).1.contains("does not answer"));
    let mut young = healthy();
    young.store_mut(4).started = Some(AT.as_millis() / 1_000 - 60);
    assert!(why(&young).1.contains("started 60 s ago"));
    let mut weighed = healthy();
    weighed.store_mut(4).leader_weight = 0.0;
    assert!(why(&weighed).1.contains("its weight as a leader is 0"));
}

#[test]
fn a_region_tells_its_majority_its_leader_and_what_is_done_with_it() {
    let mut live = healthy();
    assert!(told(region::explain(&live, 333)).0.contains("led from store 2 and is whole"));
    let running = OperatorStatus { status: "RUNNING".into(), desc: "admin-move-peer".into() };
    live.operator_of.insert(333, Ok(Some(running)));
    assert!(told(region::explain(&live, 333)).1.contains("PD has it do admin-move-peer"));
    live.region_mut(333).leader = None;
    assert!(told(region::explain(&live, 333)).0.contains("has no leader"));
    live.silence(2, Duration::from_secs(60));
    live.silence(3, Duration::from_secs(60));
    let (sentence, help) = told(region::explain(&live, 333));
    assert!(sentence.contains("lost its majority: 2 of 3") && help.contains("loses data"), "{sentence}");
    live.regions.insert(333, Ok(None));
    assert!(told(region::explain(&live, 333)).0.contains("no region 333"));
}

#[test]
fn drains_and_settings_that_are_not_as_usual_are_listed() {
    let mut live = healthy();
    assert!(told(drains::explain(&live, &Memory::default())).0.contains("No store is drained"));
    live.drain(4);
    let (sentence, why) = told(drains::explain(&live, &Memory::default()));
    assert!(sentence.contains("One store") && why.contains("not by this operator"), "{why}");
    assert!(told(config_diff::explain(&live)).0.contains("as usual"));
    let settings = live.settings.as_mut().expect("settings");
    settings.insert("leader-schedule-limit".into(), "0\u{1b}[2J".into());
    settings.insert("halt-scheduling".into(), "true".into());
    settings.insert("max-store-down-time".into(), "30m".into());
    let (sentence, why) = told(config_diff::explain(&live));
    assert!(sentence.contains("2 settings"), "{sentence}: {why}");
    assert!(!why.contains('\u{1b}'), "what is shown holds no control characters");
}

#[test]
fn what_pd_did_not_say_is_not_answered() {
    let unread = Live::unread(AT);
    assert!(why_not_tombstone::explain(&unread, 4).is_err());
    assert!(why_nothing_scheduled::explain(&unread).is_err());
    assert!(rebalance_progress::explain(&unread).is_err());
    assert!(why_no_leaders::explain(&unread, &Memory::default(), 4).is_err());
    assert!(region::explain(&unread, 333).is_err());
    assert!(drains::explain(&unread, &Memory::default()).is_err());
    assert!(config_diff::explain(&unread).is_err());
}

mod asked {
    use std::collections::BTreeMap;

    use operator_protocols::{Locus, ProbeRequest, Value};

    use crate::actions::Memory;
    use crate::actions::tests::fake_pd::{FakePd, Says, client, context};
    use crate::actions::tests::scene::{AT, SUBJECT, at_region, at_store};
    use crate::probes::{answer, definitions};

    fn question(probe: &str, target: Locus) -> ProbeRequest {
        ProbeRequest { probe: probe.to_owned(), target, params: BTreeMap::new() }
    }

    fn target_of(probe: &str) -> Locus {
        match probe {
            "region" => at_region(333),
            "scale_in_check" | "why_no_leaders" | "why_not_tombstone" => at_store(4),
            _ => Locus::Nothing,
        }
    }

    #[tokio::test]
    async fn every_question_is_answered_of_a_healthy_cluster_and_none_writes() {
        let (pd, memory) = (FakePd::healthy().await, Memory::default());
        let client = pd.client();
        let context = context(&client, &memory, None);
        for probe in definitions() {
            let told = answer(&context, &question(&probe.name, target_of(&probe.name)), AT).await;
            assert_eq!(told.as_of, AT);
            let told = told.answer.expect(&probe.name);
            assert!(told.get("answer").and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "{}", probe.name);
            assert!(told.get("because").and_then(Value::as_list).is_some(), "{}", probe.name);
            assert!(told.get("what_would_help").and_then(Value::as_list).is_some(), "{}", probe.name);
        }
        assert_eq!(pd.written().await, []);
    }

    #[tokio::test]
    async fn what_is_asked_of_the_wrong_thing_or_with_strange_parameters_is_refused() {
        let (pd, memory) = (FakePd::healthy().await, Memory::default());
        let client = pd.client();
        let context = context(&client, &memory, None);
        let component = |name: &str| Locus::component(SUBJECT, name);
        let hostile = [
            component("store-4?force"),
            component("../admin"),
            component("pd-0"),
            Locus::component("another", "store-4"),
            Locus::entity(SUBJECT, "region", "333/../../x"),
            Locus::entity(SUBJECT, "region", "-1"),
            Locus::entity(SUBJECT, "drain", "store-4"),
            Locus::Nothing,
        ];
        for probe in ["region", "scale_in_check", "why_no_leaders", "why_not_tombstone"] {
            for target in &hostile {
                let told = answer(&context, &question(probe, target.clone()), AT).await;
                assert!(told.answer.is_err(), "{probe} of {target}");
            }
        }
        assert!(answer(&context, &question("no_such_probe", Locus::Nothing), AT).await.answer.is_err());
        let mut strange = question("drains", Locus::Nothing);
        strange.params.insert("x".to_owned(), Value::Int(1));
        assert!(answer(&context, &strange, AT).await.answer.is_err());
    }

    #[tokio::test]
    async fn a_cluster_that_does_not_answer_explains_nothing() {
        let memory = Memory::default();
        let client = client(&["http://127.0.0.1:9".to_owned()]);
        let context = context(&client, &memory, None);
        for probe in definitions() {
            let told = answer(&context, &question(&probe.name, target_of(&probe.name)), AT).await;
            let told = told.answer;
            // The check lists its conditions, each of them unknown.
            let unknown = told.as_ref().ok().and_then(|value| value.get("answer")).and_then(Value::as_str);
            assert!(told.is_err() || unknown.is_some_and(|text| text.contains("cannot be told")), "{}", probe.name);
        }
    }

    #[tokio::test]
    async fn an_older_pd_without_diagnosis_or_progress_still_explains() {
        let (pd, memory) = (FakePd::healthy().await, Memory::default());
        pd.says("/schedulers/diagnostic/balance-region-scheduler", Says::Text(404, "404 page not found\n"));
        pd.says("/stores/progress", Says::Text(404, "404 page not found\n"));
        let client = pd.client();
        let told =
            answer(&context(&client, &memory, None), &question("why_nothing_scheduled", Locus::Nothing), AT).await;
        let told = told.answer.expect("an answer");
        assert!(told.get("answer").and_then(Value::as_str).is_some_and(|text| text.contains("needs to be moved")));
    }
}
