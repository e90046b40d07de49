//! A PD that answers what it is told to answer, and keeps every request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use operator_prometheus::HttpClient;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::scene::{AT, CLUSTER};
use crate::actions::settings::ALLOWED;
use crate::actions::{LastLook, Memory, Scheduler};
use crate::pd::PdClient;

/// What is answered: a status, and JSON, or text that is none.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    Json(u16, Value),
    Text(u16, &'static str),
}

type Answers = BTreeMap<String, Says>;

pub(crate) struct FakePd {
    server: MockServer,
    answers: Arc<Mutex<Answers>>,
}

/// One request that was no `GET`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub(crate) method: String,
    /// With the query string, if there is one.
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) caller: String,
}

pub(crate) fn client(urls: &[String]) -> PdClient {
    let http = HttpClient::new(None).expect("a client without TLS");
    let seeds = urls.iter().map(|url| reqwest::Url::parse(url).expect("an address")).collect();
    PdClient::new(http, seeds, true)
}

impl FakePd {
    /// A healthy cluster that takes every request.
    pub(crate) async fn healthy() -> Self {
        let server = MockServer::start().await;
        let answers = Arc::new(Mutex::new(healthy()));
        let shared = Arc::clone(&answers);
        let respond = move |request: &Request| {
            let path = path_of(request);
            let answers = shared.lock().expect("not poisoned");
            let key = if request.method.as_str() == "GET" { path } else { request.method.to_string() };
            let bare = key.split('?').next().unwrap_or_default();
            match answers.get(&key).or_else(|| answers.get(bare)) {
                Some(Says::Json(status, body)) => ResponseTemplate::new(*status).set_body_json(body),
                Some(Says::Text(status, body)) => ResponseTemplate::new(*status).set_body_string(*body),
                None if request.method.as_str() == "GET" => {
                    ResponseTemplate::new(404).set_body_string("404 page not found\n")
                }
                None => ResponseTemplate::new(200).set_body_json("done"),
            }
        };
        Mock::given(any()).respond_with(respond).mount(&server).await;
        Self { server, answers }
    }

    pub(crate) fn client(&self) -> PdClient {
        client(&[self.server.uri()])
    }

    /// Answers `GET /pd/api/v1PATH` with this from now on; for `POST` and `DELETE`, every such request.
    pub(crate) fn says(&self, path: &str, says: Says) {
        let key = if path.starts_with('/') { format!("/pd/api/v1{path}") } else { path.to_owned() };
        self.answers.lock().expect("not poisoned").insert(key, says);
    }

    pub(crate) fn says_json(&self, path: &str, body: Value) {
        self.says(path, Says::Json(200, body));
    }

    /// Everything that was no `GET`.
    pub(crate) async fn written(&self) -> Vec<Written> {
        let all = self.server.received_requests().await.expect("requests are kept");
        all.iter()
            .filter(|request| request.method.as_str() != "GET")
            .map(|request| Written {
                method: request.method.to_string(),
                path: path_of(request),
                body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
                caller: request
                    .headers
                    .get("x-caller-id")
                    .map(|id| id.to_str().unwrap_or("").to_owned())
                    .unwrap_or_default(),
            })
            .collect()
    }
}

fn path_of(request: &Request) -> String {
    match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    }
}

/// A store as PD writes it; `with` is put into its two halves.
pub(crate) fn store(id: u64, store: Value, status: Value) -> Value {
    let heartbeat = (AT.as_millis() - 5_000) * 1_000_000;
    let mut whole = json!({
        "store": {
            "id": id, "address": format!("10.0.0.{id}:20160"), "status_address": format!("10.0.0.{id}:20180"),
            "version": "8.5.0", "node_state": 1, "state_name": "Up", "last_heartbeat": heartbeat,
            "start_timestamp": 1_795_000_000 + id
        },
        "status": {
            "capacity": "1TiB", "available": "800GiB", "used_size": "200GiB", "leader_count": 60, "leader_weight": 1,
            "leader_score": 60, "region_count": 180, "region_weight": 1, "region_score": 22145.4, "slow_score": 1
        }
    });
    for (half, with) in [("store", store), ("status", status)] {
        for (key, value) in with.as_object().into_iter().flatten() {
            whole[half][key] = value.clone();
        }
    }
    whole
}

pub(crate) fn stores(all: &[Value]) -> Value {
    json!({ "count": all.len(), "stores": all })
}

pub(crate) fn five_stores() -> Vec<Value> {
    (1..=5).map(|id| store(id, json!({}), json!({}))).collect()
}

pub(crate) fn region(id: u64, stores: [u64; 3], size: u64) -> Value {
    let peer = |store: u64| json!({ "id": id * 10 + store, "store_id": store, "role_name": "Voter" });
    json!({
        "id": id, "start_key": format!("{id:08}"), "end_key": format!("{:08}", id + 1),
        "epoch": { "conf_ver": 1, "version": 1 }, "peers": stores.map(peer), "leader": peer(stores[0]),
        "approximate_size": size, "approximate_keys": 1000
    })
}

fn healthy() -> Answers {
    let member = |name: &str| json!({ "name": name, "member_id": 7, "client_urls": [], "binary_version": "v8.5.0" });
    let members = ["pd-0", "pd-1", "pd-2"].map(member);
    let health = ["pd-0", "pd-1", "pd-2"].map(|name| json!({ "name": name, "health": true }));
    let names: Vec<_> = Scheduler::ALL.map(Scheduler::name).to_vec();
    let settings: serde_json::Map<String, Value> =
        ALLOWED.iter().map(|setting| (setting.key().to_owned(), json!(setting.usual()))).collect();
    let limits: serde_json::Map<String, Value> =
        (1..=5).map(|id: u64| (id.to_string(), json!({ "add-peer": 15, "remove-peer": 15 }))).collect();
    let none = || json!({ "count": 0, "regions": [] });
    let no_operator = || Says::Json(500, json!("[PD:operator:ErrOperatorNotFound]operator not found"));
    let ok = |path: &str, body: Value| (format!("/pd/api/v1{path}"), Says::Json(200, body));
    let mut answers: Answers = [
        ok(
            "/members",
            json!({
                "header": { "cluster_id": CLUSTER }, "members": members,
                "leader": member("pd-0"), "etcd_leader": member("pd-0")
            }),
        ),
        ok("/health", json!(health)),
        ok("/cluster/status", json!({ "is_initialized": true })),
        ok("/stores", stores(&five_stores())),
        ok("/schedulers", json!(names)),
        ok("/schedulers?status=paused", Value::Null),
        ok("/schedulers?status=disabled", json!([])),
        ok("/scheduler-config/evict-slow-store-scheduler/list", json!({ "evict-stores": [] })),
        ok("/config/replicate", json!({ "max-replicas": 3, "location-labels": "", "enable-placement-rules": "true" })),
        ok("/config/rules", json!([{ "group_id": "pd", "id": "default", "role": "voter", "count": 3 }])),
        ok("/config/schedule", Value::Object(settings)),
        ok("/checker/merge", json!({ "paused": false })),
        ok("/checker/split", json!({ "paused": false })),
        ok("/stores/limit", Value::Object(limits)),
        ok("/operators", json!([])),
        ok("/operators/records", Value::Null),
        ok("/regions/check/miss-peer", none()),
        ok("/regions/check/down-peer", none()),
        ok("/hotspot/regions/write", json!({ "as_peer": {}, "as_leader": {} })),
        ok("/hotspot/regions/read", json!({ "as_peer": null, "as_leader": null })),
    ]
    .into();
    for (id, size) in [(333, 96), (334, 96)] {
        answers.extend([ok(&format!("/region/id/{id}"), region(id, [2, 3, 4], size))]);
        answers.insert(format!("/pd/api/v1/operators/{id}"), no_operator());
    }
    answers
}

/// A context over a fake PD.
pub(crate) fn context<'a>(pd: &'a PdClient, memory: &'a Memory, last: Option<LastLook>) -> crate::actions::Context<'a> {
    crate::actions::Context { subject: super::scene::SUBJECT, pd, driver: None, memory, last }
}
