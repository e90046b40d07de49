//! The simulator's answers are shaped as a real PD's, and its refusals read the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cluster::Cluster;

const HEALTHY: &str = include_str!("../../recordings/pd/healthy.json");
const REQUESTS: &str = include_str!("../../recordings/pd/requests.json");

/// What only a store's own process sends, or a newer or older PD.
const OF_REAL_STORES: [&str; 10] = [
    "labels",
    "peer_address",
    "status_address",
    "git_hash",
    "start_timestamp",
    "deploy_path",
    "slow_score",
    "halt-scheduling",
    "learner_count",
    "role",
];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Whether the keys of an object are ids, of which any will do.
fn by_id(map: &serde_json::Map<String, Value>) -> bool {
    !map.is_empty() && map.keys().all(|key| key.bytes().all(|b| b.is_ascii_digit()))
}

fn compare(at: &str, real: &Value, simulated: &Value, whole: bool, wrong: &mut Vec<String>) {
    match (real, simulated) {
        (Value::Object(real), Value::Object(simulated)) if by_id(real) && by_id(simulated) => {
            if let (Some(real), Some(simulated)) = (real.values().next(), simulated.values().next()) {
                compare(&format!("{at}/id"), real, simulated, whole, wrong);
            }
        }
        (Value::Object(real), Value::Object(simulated)) => {
            let keys: BTreeSet<_> = real.keys().chain(simulated.keys()).collect();
            for key in keys {
                match (real.get(key), simulated.get(key)) {
                    (Some(real), Some(simulated)) => compare(&format!("{at}/{key}"), real, simulated, whole, wrong),
                    (Some(_), None) if whole => wrong.push(format!("{at}/{key} is missing")),
                    (None, Some(_)) if !OF_REAL_STORES.contains(&key.as_str()) => {
                        wrong.push(format!("{at}/{key} is the simulator's own"));
                    }
                    _ => {}
                }
            }
        }
        (Value::Array(real), Value::Array(simulated)) => {
            if let (Some(real), Some(simulated)) = (real.first(), simulated.first()) {
                compare(&format!("{at}/0"), real, simulated, whole, wrong);
            }
        }
        _ if kind(real) != kind(simulated) => {
            wrong.push(format!("{at} is {} and not {}", kind(simulated), kind(real)));
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_endpoint_of_a_healthy_cluster_answers_with_the_fields_of_a_real_one() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(60).await;
    let recorded: Vec<Value> = serde_json::from_str(HEALTHY).expect("the recording");
    let mut wrong = Vec::new();
    for real in &recorded {
        let path = real["path"].as_str().expect("a path");
        let (status, kind, body) = cluster.ask_member(2, "GET", path, None).await.expect("an answer");
        assert_eq!(u64::from(status), real["status"].as_u64().expect("a status"), "{path}: {body}");
        if kind.starts_with("application/json") {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            // Of `/config` the simulator has what is asked for. The label list is empty where stores have none.
            let whole = path != "/pd/api/v1/config";
            if path != "/pd/api/v1/labels" {
                compare(path, &real["body"], &body, whole, &mut wrong);
            }
        } else {
            assert_eq!(body.trim(), real["body"].as_str().unwrap_or_default().trim(), "{path}");
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Numbers that chance decides are of no interest.
fn plain(body: &str) -> String {
    let body = body.trim_end();
    // An operator's instants, and the sizes and versions of its region, are its own.
    let cut = body.find(" (kind:").map_or(body, |end| &body[..end]);
    cut.trim_end_matches('"').to_owned()
}

#[tokio::test]
async fn requests_are_answered_in_the_words_of_a_real_one() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(10).await;
    let all = cluster.get("/pd/api/v1/regions").await;
    let of = |leader: u64, peers: [u64; 3], but: u64| {
        let fits = |region: &&Value| {
            let held: BTreeSet<_> =
                region["peers"].as_array().expect("peers").iter().map(|p| p["store_id"].as_u64()).collect();
            region["leader"]["store_id"] == leader && region["id"] != but && held == peers.map(Some).into()
        };
        all["regions"].as_array().expect("regions").iter().find(fits).expect("such a region")["id"]
            .as_u64()
            .expect("id")
    };
    // The two regions of the recording.
    let first = of(2, [2, 3, 4], 0);
    let second = of(1, [1, 2, 3], first);
    let recorded: Vec<Value> = serde_json::from_str(REQUESTS).expect("the recording");
    for real in &recorded {
        let translated = |value: &Value| {
            let text = value.to_string().replace("333", &first.to_string()).replace("229", &second.to_string());
            serde_json::from_str::<Value>(&text).expect("JSON")
        };
        let path = translated(&real["path"]).as_str().expect("a path").to_owned();
        let method = real["method"].as_str().expect("a method");
        let request = translated(&real["request"]);
        let request = Some(&request).filter(|request| !request.is_null());
        let (status, kind, body) = cluster.ask_member(1, method, &path, request).await.expect("an answer");
        let about = format!("{method} {path} {request:?}: {body}");
        assert_eq!(u64::from(status), real["status"].as_u64().expect("a status"), "{about}");
        if kind.starts_with("application/json") {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            let expected = translated(&real["body"]);
            match (&body, &expected) {
                (Value::Object(_), Value::Object(expected))
                    if expected.contains_key("epoch") || expected.contains_key("store") => {}
                (Value::String(body), Value::String(expected)) => assert_eq!(plain(body), plain(expected), "{about}"),
                _ => assert_eq!(body, expected, "{about}"),
            }
        } else {
            assert_eq!(body, real["body"].as_str().unwrap_or_default(), "{about}");
        }
    }
}
