//! What a real PD took, and what it said to it: `tests/recordings/writes.json`.

use std::time::Duration;

use operator_protocols::Sent;
use serde::Deserialize;
use serde_json::Value;

use super::fake_pd::{FakePd, Says, context};
use super::scene::AT;
use crate::actions::live::Part;
use crate::actions::pd_action::AT_ONCE;
use crate::actions::settings::{Assignment, Setting};
use crate::actions::write::{Limited, MemberName, SplitPolicy, Weight, Write};
use crate::actions::{Memory, look, send};
use crate::pd::Method;

#[derive(Debug, Deserialize)]
struct Recorded {
    method: String,
    path: String,
    request: Value,
    status: u16,
    answer: Value,
}

fn recorded() -> Vec<Recorded> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/writes.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the recording")).expect("its shape")
}

/// The requests that were recorded and can be made here, with what is proved by the answers to them in their order.
fn made() -> Vec<(Write, Vec<&'static str>)> {
    let one = Weight::new(1.0).expect("a weight");
    let member = |name: &str| MemberName::new(name).expect("a name");
    vec![
        (Write::TransferLeader { region: 333, to: 3 }, vec!["accepted", "no effect"]),
        (Write::TransferLeader { region: 99_999_999, to: 1 }, vec!["no effect"]),
        (Write::TransferLeader { region: 333, to: 999 }, vec!["no effect"]),
        (Write::TransferLeader { region: 333, to: 1 }, vec!["no effect"]),
        (Write::TransferPeer { region: 229, from: 3, to: 4 }, vec!["accepted"]),
        (Write::CancelOperator { region: 229 }, vec!["accepted"]),
        (Write::CancelOperator { region: 99_999_999 }, vec!["no effect"]),
        (Write::ScatterRegion { region: 333 }, vec!["no effect"]),
        (Write::SplitRegion { region: 333, policy: SplitPolicy::Scan }, vec!["no effect"]),
        (Write::Drain { store: 1 }, vec!["accepted", "accepted"]),
        (Write::Drain { store: 999 }, vec!["no effect"]),
        (Write::Undrain { store: 1 }, vec!["accepted"]),
        (Write::Undrain { store: 999 }, vec!["no effect"]),
        (Write::StoreLimit { store: 4, limited: Limited::AddPeer, rate: 50 }, vec!["accepted"]),
        (Write::StoreWeight { store: 4, leader: Weight::new(2.0).expect("a weight"), region: one }, vec!["accepted"]),
        (Write::Offline { store: 4 }, vec!["accepted"]),
        (Write::Offline { store: 999 }, vec!["no effect"]),
        (Write::CancelOffline { store: 4 }, vec!["accepted"]),
        (Write::MovePdLeader { to: member("pd1") }, vec!["accepted"]),
        (Write::MovePdLeader { to: member("nobody") }, vec!["no effect"]),
        (Write::ResignPdLeader, vec!["accepted"]),
    ]
}

/// Numbers as numbers: `2` and `2.0` are one weight.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

#[tokio::test]
async fn requests_are_what_a_real_pd_took_and_its_answers_prove_what_they_should() {
    let recorded = recorded();
    for (write, proved) in made() {
        let call = write.call("i");
        let method = if call.method == Method::Post { "POST" } else { "DELETE" };
        let body = call.body.clone().unwrap_or(Value::Null);
        let is_it = |one: &&Recorded| one.method == method && one.path == call.path && same(&one.request, &body);
        let answers: Vec<_> = recorded.iter().filter(is_it).collect();
        assert_eq!(answers.len(), proved.len(), "{write}");
        for (answer, proved) in answers.into_iter().zip(proved) {
            let (pd, memory) = (FakePd::healthy().await, Memory::default());
            pd.says(method, Says::Json(answer.status, answer.answer.clone()));
            let client = pd.client();
            let sent =
                send::send(&context(&client, &memory, None), &write, AT_ONCE, AT, "i", Duration::from_secs(20)).await;
            let is = match sent {
                Sent::Accepted { .. } => "accepted",
                Sent::NoEffect(_) => "no effect",
                _ => "something else",
            };
            assert_eq!(is, proved, "{write}: {sent:?}");
        }
    }
}

#[test]
fn what_else_was_recorded_cannot_be_made() {
    let made: Vec<_> = made().into_iter().map(|(write, _)| write.call("i")).collect();
    let unmade: Vec<_> = recorded()
        .into_iter()
        .filter(|one| one.method != "GET")
        .filter(|one| {
            !made
                .iter()
                .any(|call| call.path == one.path && same(call.body.as_ref().unwrap_or(&Value::Null), &one.request))
        })
        .map(|one| format!("{} {}", one.path.trim_start_matches("/pd/api/v1"), one.request))
        .collect();
    assert_eq!(
        unmade,
        [
            r#"/operators {"name":"nonsense","region_id":333}"#,
            "/operators {}",
            r#"/operators {"name":"transfer-leader","region_id":"x"}"#,
            r#"/schedulers {"name":"bogus"}"#,
            r#"/store/4/limit {"rate":-1}"#,
            r#"/store/4/label {"zone":"z1"}"#,
            r#"/config {"max-store-down-time":"1m"}"#,
            r#"/config {"no-such-key":1}"#,
        ]
    );
    let down_time = Setting::named("max-store-down-time").expect("it may be changed");
    assert!(Assignment::new(down_time, "1m").is_err(), "a minute is less than is allowed");
}

#[tokio::test]
async fn what_a_real_pd_says_of_a_region_and_its_operator_is_read() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    for one in recorded().into_iter().filter(|one| one.method == "GET") {
        pd.says(one.path.trim_start_matches("/pd/api/v1"), Says::Json(one.status, one.answer));
    }
    let client = pd.client();

    let live = look(&context(&client, &memory, None), &[Part::Region(333), Part::Region(99_999_999)], AT).await;
    let region = live.regions[&333].as_ref().expect("it was read").as_ref().expect("there is one");
    assert_eq!((region.leader, region.peers.len(), region.size_mib), (Some(2), 3, 96));
    assert_eq!(region.table(), Some("7480000000000000FF01"));
    assert_eq!(live.regions[&99_999_999], Ok(None));
    let operator = live.operator_of[&333].as_ref().expect("it was read").as_ref().expect("there is one");
    assert_eq!((operator.status.as_str(), operator.desc.as_str()), ("RUNNING", "admin-transfer-leader"));
    assert_eq!(live.drains, Ok([1].into()));
}
