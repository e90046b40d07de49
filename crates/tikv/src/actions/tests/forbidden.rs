//! What may never be sent is not sent, whatever is asked for: every action, with every parameter that can be thought of,
//! against a PD that takes everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_protocols::{
    ActionDefinition, ActionRequest, ExecutionToken, Guard, Holds, Locus, ParamDefinition, ParamKind, TargetKind, Value,
};
use serde_json::json;

use super::fake_pd::{FakePd, Written, context, five_stores, region, store, stores};
use super::scene::{AT, SUBJECT, at, at_region, at_store, holding};
use crate::actions::{Memory, Scheduler, definitions, effect, execute, guard};
use crate::names;

/// Why a request must never be sent; this list knows nothing of how requests are made.
fn forbidden(written: &Written) -> Option<&'static str> {
    let (path, query) = written.path.split_once('?').map_or((written.path.as_str(), None), |(p, q)| (p, Some(q)));
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let name = written.body.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
    let keys: Vec<&str> = written.body.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let delete = written.method == "DELETE";
    let zero = |key: &str| written.body.get(key).and_then(serde_json::Value::as_f64).is_none_or(|weight| weight < 0.5);
    let id = |text: &str| text.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == text);
    Some(match &parts[..] {
        _ if query.is_some_and(|query| query != "state=Up") => "it has a query string",
        _ if query.is_some() && (delete || parts.last() != Some(&"state")) => "state=Up belongs to one request",
        [.., "state"] if query.is_none() => "a state without one",
        _ if parts.first() != Some(&"pd") || parts.get(1) != Some(&"api") || parts.get(2) != Some(&"v1") => "elsewhere",
        _ if parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") => "a path that leads elsewhere",
        [_, _, _, "admin", ..] => "admin",
        [_, _, _, "stores", ..] => "all stores at once",
        [_, _, _, "members", ..] => "members",
        [_, _, _, "keyspaces" | "service-middleware" | "gc" | "min-resolved-ts" | "tso" | "regions", ..] => "not ours",
        [_, _, _, "store", store, ..] if !id(store) => "a store that is no id",
        [_, _, _, "store", _] if !delete => "a store is only deleted or asked for",
        [_, _, _, "store", _, "label", ..] => "labels",
        [_, _, _, "store", _, "weight"] if zero("leader") || zero("region") => "a weight that moves everything away",
        [_, _, _, "store", _, "limit"] if !keys.contains(&"type") || keys.contains(&"ttlSecond") => {
            "both limits at once"
        }
        [_, _, _, "operators"] if delete => "every operator",
        [_, _, _, "operators", region] if !id(region) => "an operator of no region",
        [_, _, _, "operators"]
            if !["transfer-leader", "transfer-peer", "split-region", "merge-region", "scatter-region"]
                .contains(&name) =>
        {
            "an operator that adds or removes a replica by itself"
        }
        [_, _, _, "schedulers", "all"] => "every scheduler",
        [_, _, _, "schedulers", which] if delete => match which.strip_prefix("evict-leader-scheduler-") {
            Some(store) if id(store) => return None,
            _ => "a scheduler that is not the drain of one store",
        },
        [_, _, _, "schedulers"] if name != "evict-leader-scheduler" && Scheduler::named(name).is_none() => {
            "a scheduler that PD does not have by default"
        }
        [_, _, _, "checker", which] if *which != "merge" && *which != "split" => "a checker that keeps replicas",
        [_, _, _, "config"] if keys.len() != 1 => "more or less than one setting",
        [_, _, _, "config"] if keys == ["halt-scheduling"] => "halting",
        [_, _, _, "config", ..] if parts.len() > 4 => "another part of the settings",
        _ => return None,
    })
}

#[test]
fn the_list_of_what_is_forbidden_catches_what_it_should() {
    let sent = |method: &str, path: &str, body: serde_json::Value| Written {
        method: method.to_owned(),
        path: format!("/pd/api/v1{path}"),
        body,
        caller: String::new(),
    };
    let null = serde_json::Value::Null;
    for (method, path, body) in [
        ("DELETE", "/store/4?force", null.clone()),
        ("DELETE", "/store/4?force=false", null.clone()),
        ("DELETE", "/store/4?state=Up", null.clone()),
        ("DELETE", "/stores/remove-tombstone", null.clone()),
        ("DELETE", "/operators", null.clone()),
        ("DELETE", "/schedulers/evict-leader-scheduler", null.clone()),
        ("DELETE", "/schedulers/evict-leader-scheduler-", null.clone()),
        ("DELETE", "/schedulers/balance-leader-scheduler", null.clone()),
        ("DELETE", "/members/name/pd-0", null.clone()),
        ("POST", "/admin/unsafe/remove-failed-stores", null.clone()),
        ("POST", "/store/4/../../admin/x", null.clone()),
        ("POST", "/store/4/state?state=Tombstone", null.clone()),
        ("POST", "/store/0/weight", json!({ "leader": 1, "region": 1 })),
        ("POST", "/store/4/weight", json!({ "leader": 0, "region": 1 })),
        ("POST", "/store/4/weight", json!({ "leader": 1 })),
        ("POST", "/store/4/label?force", json!({ "zone": "a" })),
        ("POST", "/store/4/limit", json!({ "rate": 5 })),
        ("POST", "/operators", json!({ "name": "remove-peer" })),
        ("POST", "/operators", json!({ "name": "add-peer" })),
        ("POST", "/schedulers/all", json!({ "delay": 60 })),
        ("POST", "/schedulers", json!({ "name": "grant-leader-scheduler" })),
        ("POST", "/checker/replica", json!({ "delay": 60 })),
        ("POST", "/config", json!({ "halt-scheduling": "true" })),
        ("POST", "/config", json!({ "leader-schedule-limit": 4, "region-schedule-limit": 0 })),
        ("POST", "/config?ttlSecond=60", json!({ "leader-schedule-limit": 4 })),
    ] {
        assert!(forbidden(&sent(method, path, body)).is_some(), "{method} {path}");
    }
    assert_eq!(forbidden(&sent("DELETE", "/store/4", null.clone())), None);
    assert_eq!(forbidden(&sent("POST", "/store/4/state?state=Up", null)), None);
}

/// What may be tried for a parameter: its bounds, what is beyond them, and what means something to PD.
fn values(definition: &ParamDefinition) -> Vec<Value> {
    let hostile =
        ["", "all", "any", "force", "../admin", "4?force=true", "0", "true", "false", "pd-1", "a\r\nb", "remove-peer"];
    let mut values: Vec<Value> = hostile.map(Value::from).to_vec();
    values.extend([Value::Null, Value::Bool(true), Value::Int(0), Value::Int(-1), Value::Uint(u64::MAX)]);
    values.extend(definition.default.clone());
    match &definition.kind {
        ParamKind::Integer { min, max } => {
            values.extend([*min, *max, min.saturating_sub(1), max.saturating_add(1), 3, 5, 30, 334].map(Value::Int));
        }
        ParamKind::Number { min, max } => {
            values.extend([*min, *max, 0.0, -0.0, min - 0.1, max + 0.1, f64::NAN, f64::INFINITY].map(Value::Float));
        }
        ParamKind::OneOf { values: words } => values.extend(words.iter().map(|word| Value::from(word.as_str()))),
        ParamKind::Text { .. } => {
            values.extend(["8", "2048", "1h0m0s", "1ms", "99999999999999999999", "true"].map(Value::from));
        }
        ParamKind::Bool => values.push(Value::Bool(false)),
    }
    values
}

fn targets(definition: &ActionDefinition) -> Vec<Locus> {
    let mut targets = vec![Locus::Nothing, Locus::edge(SUBJECT, "store-1", "store-2")];
    for kind in &definition.targets {
        match kind {
            TargetKind::Component { .. } => {
                let names = ["store-4", "store-0", "store-04", "store-999", "store-", "store-4?force", "pd-0", "pd-1"];
                targets.extend(names.map(|name| Locus::component(SUBJECT, name)));
                targets.extend(["..", "a/b", "", "prometheus"].map(|name| Locus::component(SUBJECT, name)));
                targets.push(Locus::component("another", "store-4"));
            }
            TargetKind::Entity { kind } => {
                let keys = ["333", "0", "0333", "-1", "333?x", "all", "store-4", "store-0", "", "halt-scheduling"];
                targets.extend(keys.map(|key| at(kind, key)));
                targets.extend(Scheduler::ALL.map(|scheduler| at(kind, scheduler.name())));
                targets.extend(
                    ["leader-schedule-limit", "region-schedule-limit", "evict-leader-scheduler"]
                        .map(|key| at(kind, key)),
                );
            }
            TargetKind::Whole => {}
        }
    }
    targets
}

/// The request that holds, and the same with one thing changed at a time.
fn requests(definition: &ActionDefinition, fitting: &ActionRequest) -> Vec<ActionRequest> {
    let mut requests = vec![fitting.clone()];
    requests.extend(targets(definition).into_iter().map(|target| ActionRequest { target, ..fitting.clone() }));
    for param in &definition.params {
        for value in values(param) {
            let mut params = fitting.params.clone();
            params.insert(param.name.clone(), value);
            requests.push(ActionRequest { params, ..fitting.clone() });
        }
    }
    requests
}

/// A PD in the state in which the action holds.
async fn world(action: &str) -> FakePd {
    let pd = FakePd::healthy().await;
    let running = "status: RUNNING, operator: admin-transfer-leader {transfer leader: store 2 to 3} (kind:admin,leader, \
                   region:333(1, 1), createAt:x)";
    match action {
        "cancel_operator" => pd.says_json("/operators/333", json!(running)),
        "merge_region" => {
            for id in [333, 334] {
                pd.says_json(&format!("/region/id/{id}"), region(id, [2, 3, 4], 20));
            }
        }
        "undrain_store" => pd.says_json(
            "/scheduler-config/evict-leader-scheduler/list",
            json!({ "store-id-ranges": { "4": [{ "start-key": "", "end-key": "" }] } }),
        ),
        "resume_scheduler" => pd.says_json("/schedulers?status=paused", json!(["balance-region-scheduler"])),
        "add_scheduler" => pd.says_json("/schedulers", json!(["balance-region-scheduler"])),
        "resume_checker" => pd.says_json("/checker/merge", json!({ "paused": true })),
        "config_restore" => pd.says_json("/config/schedule", json!({ "region-schedule-limit": 0 })),
        "offline_store" => {
            let mut five = five_stores();
            five[3] = store(4, json!({}), json!({ "leader_count": 0 }));
            pd.says_json("/stores", stores(&five));
        }
        "cancel_offline" => {
            let mut five = five_stores();
            five[3] = store(4, json!({ "state": 1, "node_state": 2, "state_name": "Offline" }), json!({}));
            pd.says_json("/stores", stores(&five));
        }
        _ => {}
    }
    pd
}

async fn tried(action: &str, definition: &ActionDefinition, fitting: &[ActionRequest]) -> Vec<Written> {
    let pd = world(action).await;
    let (client, memory) = (pd.client(), Memory::default());
    let context = context(&client, &memory, None);
    let limit = Duration::from_secs(20);
    for request in fitting.iter().flat_map(|fitting| requests(definition, fitting)) {
        let token = ExecutionToken::new(&*request.intent, 1, 1, AT.plus(limit), limit);
        let told = guard(&context, &request, AT).await;
        // Whoever holds a guard that does not hold pretends that it does.
        let forced = Guard { holds: Holds::Yes, ..told };
        execute(&context, &request, &forced, &token).await;
    }
    pd.written().await
}

#[tokio::test]
async fn no_action_sends_what_is_forbidden_whatever_it_is_asked_for() {
    let mut fitting = BTreeMap::<String, Vec<ActionRequest>>::new();
    for (_, request) in holding() {
        fitting.entry(request.action.clone()).or_default().push(request);
    }
    let mut sent = BTreeSet::new();
    for definition in definitions(false) {
        let requests = fitting.get(&definition.name).expect("every action has a scene");
        let written = tried(&definition.name, &definition, requests).await;
        assert!(!written.is_empty(), "{} sent nothing, so nothing was tried", definition.name);
        for written in written {
            assert_eq!(forbidden(&written), None, "{}: {written:?}", definition.name);
            sent.insert((written.method, written.path));
        }
    }
    assert!(sent.contains(&("DELETE".to_owned(), "/pd/api/v1/store/4".to_owned())));
    assert!(sent.contains(&("POST".to_owned(), "/pd/api/v1/store/4/state?state=Up".to_owned())));
}

#[tokio::test]
async fn a_target_that_is_not_there_is_refused() {
    let (pd, memory) = (FakePd::healthy().await, Memory::default());
    let client = pd.client();
    let context = context(&client, &memory, None);
    for target in [at_store(999), at_region(999), Locus::component("another", "store-4"), at(names::DRAIN, "store-9")] {
        for (_, request) in holding() {
            let request = ActionRequest { target: target.clone(), ..request };
            let told = guard(&context, &request, AT).await;
            assert_ne!(told.holds, Holds::Yes, "{} at {target}", request.action);
        }
    }
    assert_eq!(pd.written().await, []);
}

#[tokio::test]
async fn guards_and_effects_only_read_even_where_the_action_would_be_allowed() {
    for (_, request) in holding() {
        let pd = world(&request.action).await;
        let (client, memory) = (pd.client(), Memory::default());
        let context = context(&client, &memory, None);
        let told = guard(&context, &request, AT).await;
        assert_eq!(told.holds, Holds::Yes, "{}", request.action);
        let again = guard(&context, &request, AT).await;
        assert_eq!((again.facts, again.incarnation), (told.facts, told.incarnation), "{}", request.action);
        effect(&context, &request, AT).await;
        assert_eq!(pd.written().await, [], "{}", request.action);
    }
}
