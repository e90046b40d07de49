//! From a request to what goes over the wire, and what is made of the answer.

use std::time::Duration;

use operator_protocols::{Effect, ExecutionToken, Guard, Holds, Sent, Timestamp};
use serde_json::{Value, json};

use super::fake_pd::{FakePd, Says, client, context, five_stores, store, stores};
use super::scene::{AT, at_region, at_store, request};
use crate::actions::{Memory, effect, execute, guard};

fn token(intent: &str) -> ExecutionToken {
    let limit = Duration::from_secs(20);
    ExecutionToken::new(intent, 1, 1, AT.plus(limit), limit)
}

fn to_3() -> operator_protocols::ActionRequest {
    request("transfer_leader", at_region(333), [("to_store", 3_i64.into())])
}

/// What comes of the transfer when PD answers the write like this.
async fn answered(says: Says) -> Sent {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    pd.says("POST", says);
    let (client, request) = (pd.client(), to_3());
    let context = context(&client, &memory, None);
    let guard = guard(&context, &request, AT).await;
    assert_eq!(guard.holds, Holds::Yes);
    execute(&context, &request, &guard, &token(&request.intent)).await
}

#[tokio::test]
async fn an_allowed_request_is_sent_once_and_names_its_intent() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let (client, request) = (pd.client(), to_3());
    let context = context(&client, &memory, None);
    let guard = guard(&context, &request, AT).await;
    assert_eq!(guard.holds, Holds::Yes);
    assert_eq!(pd.written().await, [], "a guard only reads");
    let sent = execute(&context, &request, &guard, &token(&request.intent)).await;
    let Sent::Accepted { deadline, .. } = sent else { panic!("{sent:?}") };
    assert!(deadline > AT);
    let written = pd.written().await;
    assert_eq!(written.len(), 1);
    assert_eq!((written[0].method.as_str(), written[0].path.as_str()), ("POST", "/pd/api/v1/operators"));
    assert_eq!(written[0].body, json!({ "name": "transfer-leader", "region_id": 333, "to_store_id": 3 }));
    assert!(written[0].caller.contains(&request.intent), "{}", written[0].caller);
    assert_eq!(effect(&context, &request, AT).await, Effect::Absent, "accepted is not done");
    assert_eq!(pd.written().await.len(), 1, "looking for the effect only reads");
}

#[tokio::test]
async fn what_pd_proves_not_to_have_done_is_without_effect_and_the_rest_unknown() {
    let json = |status: u16, text: &str| Says::Json(status, json!(text));
    for refusal in [
        json(500, "[PD:operator:ErrAddOperator]failed to add operator, maybe already have one"),
        json(500, "region has no voter in store 3"),
        json(400, "missing region id"),
        Says::Text(429, "slow down"),
    ] {
        let sent = answered(refusal.clone()).await;
        assert!(matches!(sent, Sent::NoEffect(_)), "{refusal:?}: {sent:?}");
    }
    for broken in [
        Says::Text(500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
        Says::Text(503, ""),
        json(500, "[PD:etcd:ErrEtcdTxnInternal]internal etcd transaction error occurred"),
        Says::Text(302, ""),
    ] {
        let sent = answered(broken.clone()).await;
        assert!(matches!(sent, Sent::Unknown(_)), "{broken:?}: {sent:?}");
    }
}

#[tokio::test]
async fn a_world_that_moved_since_the_approval_stops_the_request() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let (client, request) = (pd.client(), to_3());
    let context = context(&client, &memory, None);
    let guard = guard(&context, &request, AT).await;
    let mut region = super::fake_pd::region(333, [2, 3, 4], 96);
    region["epoch"]["conf_ver"] = json!(2);
    pd.says_json("/region/id/333", region);
    let sent = execute(&context, &request, &guard, &token(&request.intent)).await;
    assert!(matches!(&sent, Sent::NotSent(why) if why.contains("not as it was")), "{sent:?}");
    // The store that should lead was started again: its heartbeat is young, but it is another start.
    pd.says_json("/region/id/333", super::fake_pd::region(333, [2, 3, 4], 96));
    let mut five = five_stores();
    five[2] = store(3, json!({ "start_timestamp": 1_795_467_000 }), json!({}));
    pd.says_json("/stores", stores(&five));
    let sent = execute(&context, &request, &guard, &token(&request.intent)).await;
    assert!(matches!(sent, Sent::NotSent(_)), "{sent:?}");
    assert_eq!(pd.written().await, []);
}

#[tokio::test]
async fn nothing_is_sent_with_a_guard_that_does_not_hold_or_the_token_of_another() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let (client, request) = (pd.client(), to_3());
    let context = context(&client, &memory, None);
    let held = guard(&context, &request, AT).await;
    let unheld = Guard { holds: Holds::No("so".into()), ..held.clone() };
    assert!(matches!(execute(&context, &request, &unheld, &token(&request.intent)).await, Sent::NotSent(_)));
    assert!(matches!(execute(&context, &request, &held, &token("another")).await, Sent::NotSent(_)));
    assert_eq!(pd.written().await, []);
}

#[tokio::test]
async fn a_sick_control_plane_lets_no_guard_hold_and_nothing_be_sent() {
    let sick: [(&str, Says); 5] = [
        ("/stores", Says::Text(500, "[PD:apiutil:ErrRedirect]redirect failed\n")),
        ("/members", Says::Text(503, "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader")),
        ("/cluster/status", Says::Json(200, json!({ "is_initialized": false }))),
        ("/health", Says::Json(200, json!([{ "name": "pd-0", "health": false }]))),
        ("/stores", Says::Json(500, json!("[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped"))),
    ];
    for (path, says) in sick {
        let (pd, memory) = (FakePd::healthy().await, Memory::default());
        let (client, request) = (pd.client(), to_3());
        let context = context(&client, &memory, None);
        let held = guard(&context, &request, AT).await;
        assert_eq!(held.holds, Holds::Yes);
        pd.says(path, says.clone());
        let now = guard(&context, &request, AT).await;
        assert!(matches!(now.holds, Holds::Unknown(_)), "{path} {says:?}: {}", now.holds);
        assert!(matches!(execute(&context, &request, &held, &token(&request.intent)).await, Sent::NotSent(_)));
        assert_eq!(pd.written().await, [], "{path}");
    }
}

#[tokio::test]
async fn an_old_picture_is_none() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let (client, request) = (pd.client(), to_3());
    let context = context(&client, &memory, None);
    let later = AT.plus(Duration::from_secs(60));
    let now = guard(&context, &request, later).await;
    assert!(matches!(&now.holds, Holds::Unknown(why) if why.why.contains("65 s")), "{}", now.holds);
}

#[tokio::test]
async fn where_nothing_listens_nothing_was_sent() {
    let memory = Memory::default();
    let client = client(&["http://127.0.0.1:9".to_owned()]);
    let context = context(&client, &memory, None);
    let request = to_3();
    let now = guard(&context, &request, AT).await;
    assert!(matches!(now.holds, Holds::Unknown(_)), "{}", now.holds);
    let forced = Guard { holds: Holds::Yes, incarnation: None, facts: request.params.clone(), as_of: AT };
    assert!(matches!(execute(&context, &request, &forced, &token(&request.intent)).await, Sent::NotSent(_)));
    assert!(matches!(effect(&context, &request, AT).await, Effect::Unknown(_)));
}

#[tokio::test]
async fn a_drain_of_ours_is_remembered_from_before_it_is_sent() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let client = pd.client();
    let context = context(&client, &memory, None);
    let request = request("drain_store", at_store(4), [("minutes", 30_i64.into())]);
    let guard = guard(&context, &request, AT).await;
    pd.says("POST", Says::Text(500, "[PD:apiutil:ErrRedirect]redirect failed\n"));
    assert!(matches!(execute(&context, &request, &guard, &token(&request.intent)).await, Sent::Unknown(_)));
    let drain = memory.drain_of(4).expect("it may have arrived, so it is ours");
    assert_eq!((drain.intent.as_str(), drain.until), ("intent-drain_store", AT.plus(Duration::from_secs(1_800))));
    assert_eq!(drain.leaders, 60);
}

#[tokio::test]
async fn a_scheduler_whose_stores_are_not_listed_is_not_taken_for_no_drain() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    pd.says_json("/schedulers", json!(["evict-leader-scheduler", "balance-leader-scheduler"]));
    let client = pd.client();
    let live = crate::actions::look(&context(&client, &memory, None), &[], AT).await;
    assert!(live.drains.is_err(), "{:?}", live.drains);
    assert_eq!(live.slow_evicted, Ok([].into()), "without the scheduler there are none");
    pd.says_json(
        "/scheduler-config/evict-leader-scheduler/list",
        json!({ "store-id-ranges": { "1": [{ "start-key": "", "end-key": "" }] }, "batch": 3 }),
    );
    let live = crate::actions::look(&context(&client, &memory, None), &[], AT).await;
    assert_eq!(live.drains, Ok([1].into()));
}

#[tokio::test]
async fn a_region_of_another_id_or_of_null_is_not_taken_for_the_one_asked_for() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let client = pd.client();
    let context = context(&client, &memory, None);
    pd.says_json("/region/id/333", Value::Null);
    let now = guard(&context, &to_3(), Timestamp::from_millis(AT.as_millis())).await;
    assert!(matches!(&now.holds, Holds::No(why) if why.contains("no region 333")), "{}", now.holds);
    pd.says_json("/region/id/333", super::fake_pd::region(334, [2, 3, 4], 96));
    let now = guard(&context, &to_3(), AT).await;
    assert!(matches!(&now.holds, Holds::Unknown(_)), "{}", now.holds);
}
