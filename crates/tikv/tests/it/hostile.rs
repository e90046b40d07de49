//! A PD that answers wrongly, by halves, too much, too late and never: each is seen for what it is, in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use operator_protocols::ComponentState::{Degraded, Down, Unknown, Up};
use operator_protocols::{GroupId, Locus, Value, Verdict};
use serde_json::json;
use tokio::net::TcpListener;

use crate::http_server::{Reply, Request, Server};
use crate::player::{at, lines};
use crate::scene::{SUBJECT, Scene, Seen};

/// What a healthy PD answered, and when.
fn healthy() -> (impl Fn(&Request) -> Reply + Send + Sync + Clone, operator_protocols::Timestamp) {
    let lines = lines("sim-healthy");
    let instant = at(lines.last().expect("lines").t);
    let reply = move |request: &Request| match lines.iter().find(|line| line.path == request.path) {
        Some(line) => match &line.body {
            serde_json::Value::String(text) => Reply::Text(line.status, text.clone()),
            body => Reply::Json(line.status, body.clone()),
        },
        None => Reply::Text(404, "404 page not found\n".to_owned()),
    };
    (reply, instant)
}

/// A PD that is healthy but for what `change` makes of it, as it is seen once; only it is asked.
async fn seen(change: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> (Seen, Server) {
    let (healthy, instant) = healthy();
    let server = Server::start(move |request| change(request).unwrap_or_else(|| healthy(request))).await;
    let mut scene = only(&server.url);
    (scene.look(instant).await, server)
}

fn only(url: &str) -> Scene {
    Scene::with(&[("pd", Value::from(vec![url])), ("seed_only", Value::from(true))])
}

/// Answers `path` with `reply`.
fn but(path: &'static str, reply: Reply) -> impl Fn(&Request) -> Option<Reply> + Send + Sync {
    move |request| (request.path == format!("/pd/api/v1{path}")).then(|| reply.clone())
}

fn all_members() -> Locus {
    Locus::Group(GroupId::new(SUBJECT, "pd"))
}

#[tokio::test]
async fn stores_that_are_not_what_they_should_be_are_a_pd_that_is_not_understood() {
    let two = json!({"stores": [{"store": {"id": 4, "state_name": "Up"}}, {"store": {"id": 4, "state_name": "Up"}}]});
    for (reply, why) in [
        (Reply::Json(200, json!({"stores": "many"})), "not understood"),
        (Reply::Json(200, json!({"stores": [{"store": {"id": "4"}}]})), "not understood"),
        (Reply::Json(200, json!({"stores": [{"store": {"id": -4}}]})), "not understood"),
        (
            Reply::Json(200, json!({"stores": [{"store": {"id": 4}, "status": {"capacity": "huge"}}]})),
            "\"huge\" is no size",
        ),
        (Reply::Json(200, json!({"stores": [{"store": {"id": 0}}]})), "without an id"),
        (Reply::Json(200, json!(null)), "not understood"),
        (Reply::Text(200, "<html>login</html>".to_owned()), "not understood"),
        (Reply::Text(200, "[".repeat(200_000)), "not understood"),
        (Reply::Text(204, String::new()), "not understood"),
        (Reply::Text(200, "x".repeat(20 << 20)), "longer than"),
        (Reply::Json(200, two), "two stores of the id 4"),
        (Reply::Text(500, "[PD:apiutil:ErrRedirect]redirect failed\n".to_owned()), "redirect failed"),
        (Reply::Json(500, json!("[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader")), "not leader"),
        (Reply::Text(503, String::new()), "503"),
        (Reply::Text(429, "slow down".to_owned()), "limits the rate"),
        (Reply::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()), "broke"),
        (Reply::Close, "broke"),
    ] {
        let (seen, _server) = seen(but("/stores", reply)).await;
        assert_eq!(seen.detail("cluster.answers"), Value::from(false), "{why}");
        assert!(seen.unavailable("PD's leader").contains(why), "{why}: {}", seen.unavailable("PD's leader"));
        assert_eq!(seen.stores(), []);
        // It leads and does not answer for it.
        assert_eq!(seen.state("pd3"), Up, "it was not asked itself, and the others reach it");
        let about_stores = seen.violated().into_iter().filter(|what| what.contains("store"));
        assert_eq!(about_stores.count(), 0, "{:?}", seen.violated());
        assert!(seen.took < Duration::from_secs(3), "{why}: {:?}", seen.took);
    }
}

#[tokio::test]
async fn one_part_that_cannot_be_read_leaves_the_others() {
    for (path, what) in [
        ("/members", "the members of PD"),
        ("/health", "the health of PD's members"),
        ("/cluster/status", "whether PD has heard of all regions"),
        ("/config/schedule", "PD's settings"),
        ("/config/replicate", "the placement of replicas"),
        ("/config/rules", "the placement rules"),
        ("/stores/limit", "the stores' limits"),
        ("/schedulers", "the schedulers"),
        ("/scheduler-config/evict-leader-scheduler/list", "the drained stores"),
        ("/operators", "what PD moves"),
        ("/stats/region", "the number of regions"),
    ] {
        let (seen, _server) = seen(but(path, Reply::Json(200, json!("nonsense")))).await;
        assert!(seen.unavailable(what).contains("not understood"), "{path}");
        assert_eq!(seen.stores().iter().filter(|(_, state, _)| *state == Up).count(), 5, "{path}");
        assert_eq!(seen.violated(), [""; 0], "{path}");
    }
}

#[tokio::test]
async fn a_pd_that_takes_questions_and_never_answers_is_given_up_in_time() {
    for reply in [Reply::Hang, Reply::Drip] {
        let (seen, _server) = seen(move |_| Some(reply.clone())).await;
        assert_eq!(seen.detail("cluster.timed_out"), Value::from(true));
        assert!(seen.unavailable("PD's leader").contains("did not answer in time"));
        let [member] = &seen.observation.components[..] else { panic!("{:?}", seen.observation.components) };
        assert_eq!((member.state, member.kind.as_str()), (Down, "pd"), "it has no name but its address");
        assert!(seen.took < Duration::from_secs(10), "{:?}", seen.took);
    }
}

#[tokio::test]
async fn a_leader_that_answers_pings_only_hangs_and_is_no_missing_leader() {
    let (healthy, instant) = healthy();
    let hangs = Arc::new(AtomicU8::new(0));
    let switch = Arc::clone(&hangs);
    let server = Server::start(move |request| {
        let local = ["/pd/api/v1/ping", "/pd/api/v1/status", "/pd/api/v1/health"].contains(&request.path.as_str());
        if local || switch.load(Ordering::SeqCst) == 0 { healthy(request) } else { Reply::Hang }
    });
    let server = server.await;
    let mut scene = only(&server.url);
    scene.look(instant).await;
    hangs.store(1, Ordering::SeqCst);
    let seen = scene.look(instant.plus(Duration::from_secs(5))).await;
    assert_eq!(seen.detail("cluster.leader"), Value::from("pd3"));
    assert_eq!(seen.detail("cluster.timed_out"), Value::from(true));
    assert_eq!(seen.stores().iter().filter(|(_, state, _)| *state == Unknown).count(), 5);
    assert!(seen.took < Duration::from_secs(10), "{:?}", seen.took);
}

#[tokio::test]
async fn a_member_that_hangs_delays_nobody() {
    let (healthy, instant) = healthy();
    let hangs = Server::start(|_| Reply::Hang).await;
    let well = Server::start(healthy).await;
    for urls in [[&hangs.url, &well.url], [&well.url, &hangs.url]] {
        let urls: Vec<_> = urls.into_iter().cloned().collect();
        let mut scene = Scene::with(&[("pd", Value::from(urls)), ("seed_only", Value::from(true))]);
        let seen = scene.look(instant).await;
        assert_eq!(seen.detail("cluster.answers"), Value::from(true));
        assert!(seen.took < Duration::from_secs(5), "{:?}", seen.took);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_| Reply::Json(200, json!({"stores": []}))).await;
    let to = format!("{}/pd/api/v1/stores", elsewhere.url);
    let (seen, _server) = seen(but("/stores", Reply::Redirect(to))).await;
    assert!(seen.unavailable("PD's leader").contains("it redirects"));
    assert_eq!(elsewhere.requests.lock().expect("not poisoned").len(), 0);
}

#[tokio::test]
async fn a_cluster_in_the_middle_of_an_upgrade_is_read_by_what_each_says() {
    let old = json!({"id": 4, "address": "a:20160", "version": "v5.4.0", "last_heartbeat": 1_795_467_437_000_000_000_i64,
        "state_name": "Up", "start_timestamp": 1_795_400_000});
    let stores = json!({"stores": [{"store": old}, {"store": {"id": 5}, "status": {"unheard_of": {"a": [1]}}}]});
    let members = json!({"members": [{"name": "pd1", "binary_version": "v6.5.0"}, {"name": "pd2",
        "binary_version": "v8.5.0", "client_urls": null}], "leader": {"name": "pd2"}});
    let gone = ["/scheduler-config/evict-leader-scheduler/list", "/config/rules", "/schedulers?status=paused"];
    let (seen, _server) = seen(move |request| match request.path.trim_start_matches("/pd/api/v1") {
        "/stores" => Some(Reply::Json(200, stores.clone())),
        "/members" => Some(Reply::Json(200, members.clone())),
        "/stores/limit" => Some(Reply::Json(400, json!("store limit v2 does not support it"))),
        path if gone.contains(&path) => Some(Reply::Text(404, "404 page not found\n".to_owned())),
        _ => None,
    })
    .await;
    assert_eq!(seen.state("store-4"), Up);
    assert_eq!(seen.component("store-4").labels["incarnation"], "1795400000");
    assert_eq!(seen.detail("stores.4.node_state"), Value::from("serving"));
    assert_eq!(seen.state("store-5"), Unknown, "PD never said that it heard of it");
    assert_eq!(seen.component("pd1").version.as_deref(), Some("v6.5.0"));
    assert_eq!(seen.detail("cluster.replicas"), Value::from(3_i64), "without rules max-replicas counts");
    assert_eq!(seen.detail("cluster.drains"), Value::map::<String>([]), "without the scheduler nothing is drained");
    assert_eq!(seen.detail("cluster.limits_are_v2"), Value::from(true));
}

#[tokio::test]
async fn two_leaders_are_both_told() {
    let members = json!({"members": [{"name": "pd1"}, {"name": "pd2"}], "leader": {"name": "pd1"},
        "etcd_leader": {"name": "pd2"}});
    let (seen, _server) = seen(but("/members", Reply::Json(200, members))).await;
    let leaders = (seen.detail("cluster.leader"), seen.detail("cluster.etcd_leader"));
    assert_eq!(leaders, (Value::from("pd1"), Value::from("pd2")));
}

#[tokio::test]
async fn heartbeats_of_the_future_make_no_store_older_or_younger() {
    let (healthy, instant) = healthy();
    let server = Server::start(healthy).await;
    let mut scene = only(&server.url);
    let seen = scene.look(instant.minus(Duration::from_secs(3600))).await;
    assert!(seen.unavailable("the common time").contains("behind PD's"));
    assert_eq!(seen.stores().iter().filter(|(_, state, _)| *state == Up).count(), 5);
    let mut scene = only(&server.url);
    let seen = scene.look(instant.plus(Duration::from_secs(3600))).await;
    assert!(seen.unavailable("the common time").contains("ahead of PD's"));
    assert_eq!(seen.stores().iter().filter(|(_, state, _)| *state == Up).count(), 5);
    assert_eq!(seen.violated(), [""; 0]);
}

#[tokio::test]
async fn where_nothing_listens_the_members_are_down_and_no_leader_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let seen = only(&url).look(at(1.0)).await;
    let [member] = &seen.observation.components[..] else { panic!("{:?}", seen.observation.components) };
    assert_eq!((member.state, member.raw_state.as_str()), (Down, "no process listens"));
    assert!(matches!(seen.verdict("pd_no_leader", &all_members()), Verdict::Violated(_)));
    assert!(seen.took < Duration::from_secs(2), "{:?}", seen.took);
}

#[tokio::test]
async fn settings_drains_and_schedulers_that_change_are_events_and_a_busy_store_is_degraded() {
    let (healthy, instant) = healthy();
    let step = Arc::new(AtomicU8::new(0));
    let now = Arc::clone(&step);
    let server = Server::start(move |request| {
        let later = now.load(Ordering::SeqCst) > 0;
        match (request.path.trim_start_matches("/pd/api/v1"), healthy(request)) {
            ("/config/schedule", Reply::Json(200, mut body)) if later => {
                body["region-schedule-limit"] = json!(0);
                Reply::Json(200, body)
            }
            ("/schedulers", Reply::Json(200, mut body)) if later => {
                body.as_array_mut().expect("a list").push(json!("evict-leader-scheduler"));
                Reply::Json(200, body)
            }
            ("/schedulers?status=paused", _) if later => Reply::Json(200, json!(["balance-region-scheduler"])),
            ("/scheduler-config/evict-leader-scheduler/list", _) if later => {
                Reply::Json(200, json!({"store-id-ranges": {"4": []}}))
            }
            ("/stores", Reply::Json(200, mut body)) if later => {
                body["stores"][0]["status"]["is_busy"] = json!(true);
                Reply::Json(200, body)
            }
            (_, reply) => reply,
        }
    });
    let server = server.await;
    let mut scene = only(&server.url);
    assert_eq!(scene.look(instant).await.events(), [""; 0]);
    step.store(1, Ordering::SeqCst);
    let first = scene.look(instant.plus(Duration::from_secs(5))).await;
    let mut events = first.events();
    events.sort_unstable();
    let expected = [
        "balance-region-scheduler is paused, and was running",
        "region-schedule-limit was changed from 2048 to 0",
        "the leaders of store-4 are evicted by request",
    ];
    assert_eq!(events, expected);
    let changed = first.observation.events.iter().find(|event| event.message.starts_with("region-schedule"));
    let changed = changed.expect("an event");
    assert_eq!(changed.on, Locus::entity(SUBJECT, "setting", "region-schedule-limit"));
    let change = changed.change.as_ref().expect("a change");
    assert_eq!((&change.before, &change.after), (&Value::from("2048"), &Value::from("0")));
    let busy: Vec<_> = first.stores().into_iter().filter(|(_, state, _)| *state == Degraded).collect();
    assert_eq!(busy.len(), 1, "{busy:?}");
    let second = scene.look(instant.plus(Duration::from_secs(10))).await;
    assert_eq!(second.observation.events, first.observation.events, "an event stays what it is");
    assert_eq!(second.detail("cluster.drains.store-4"), Value::Null);
    let since = i64::try_from(Duration::from_secs(5).as_millis()).expect("short") + instant.as_millis();
    assert_eq!(second.detail("cluster.drains.4.seen_since"), Value::from(since));
}

#[tokio::test]
async fn regions_that_lost_their_quorum_are_found_page_by_page_while_stores_are_silent() {
    let (healthy, instant) = healthy();
    let heartbeat = |age: i64| (instant.as_millis() - age * 1000) * 1_000_000;
    let ages = [3, 4, 40, 40, 5];
    let stores: Vec<_> = (1..=5)
        .zip(ages)
        .map(|(id, age)| {
            let word = if age > 20 { "Disconnected" } else { "Up" };
            json!({"store": {"id": id, "state_name": word, "last_heartbeat": heartbeat(age)}})
        })
        .collect();
    let peers = |stores: [u64; 3]| stores.map(|store| json!({"store_id": store, "role_name": "Voter"}));
    let region = move |id: u64, start: &str, end: &str, on: [u64; 3]| json!({"id": id, "start_key": start, "end_key": end, "peers": peers(on)});
    let server = Server::start(move |request| match request.path.trim_start_matches("/pd/api/v1") {
        "/stores" => Reply::Json(200, json!({"stores": stores})),
        path if path.starts_with("/regions/key?key=&") => Reply::Json(
            200,
            json!({"count": 2, "regions": [region(1, "", "0A", [1, 2, 3]), region(2, "0A", "7480", [1, 3, 4])]}),
        ),
        path if path.starts_with("/regions/key?key=%74%80&") => {
            Reply::Json(200, json!({"count": 1, "regions": [region(3, "7480", "", [3, 4, 5])]}))
        }
        _ => healthy(request),
    });
    let server = server.await;
    let mut scene = only(&server.url);
    let seen = scene.look(instant).await;
    assert_eq!(seen.detail("cluster.without_quorum"), Value::from(vec![2_i64, 3]));
    assert_eq!(seen.detail("cluster.looked_at"), Value::from(3_i64));
    let all_regions = Locus::Group(GroupId::new(SUBJECT, "region"));
    for invariant in ["quorum_risk", "region_unavailable"] {
        assert!(matches!(seen.verdict(invariant, &all_regions), Verdict::Violated(_)), "{invariant}");
    }
    let asked = server.requests.lock().expect("not poisoned");
    let whole =
        |path: &str| path.contains("/regions?") || path.ends_with("/regions") || path.contains("/regions/store");
    assert!(!asked.iter().any(|request| whole(&request.path)), "the whole table is never asked for");
    assert!(asked.iter().all(|request| request.headers.iter().all(|(name, _)| name != "pd-allow-follower-handle")));
}

#[tokio::test]
async fn a_thousand_stores_are_seen_within_bounds() {
    let (healthy, instant) = healthy();
    let heartbeat = (instant.as_millis() - 4000) * 1_000_000;
    let stores: Vec<_> = (1..=1000)
        .map(|id| {
            json!({"store": {"id": id, "address": format!("tikv-{id}.tikv-peer.tidb.svc:20160"), "version": "v8.5.0",
                "status_address": format!("tikv-{id}.tikv-peer.tidb.svc:20180"), "start_timestamp": 1_795_400_000,
                "labels": [{"key": "zone", "value": "z1"}, {"key": "host", "value": format!("host-{id}")}],
                "last_heartbeat": heartbeat, "node_state": 1, "state_name": "Up"},
              "status": {"capacity": "1TiB", "available": "700.5GiB", "used_size": "298.2GiB", "leader_count": 4000,
                "leader_weight": 1, "leader_score": 4000, "leader_size": 384_000, "region_count": 12_000,
                "region_weight": 1, "region_score": 22145.445438968563, "region_size": 1_152_000, "slow_score": 1}})
        })
        .collect();
    let answer = json!({"count": 1000, "stores": stores});
    let server = Server::start(move |request| match request.path.as_str() {
        "/pd/api/v1/stores" => Reply::Json(200, answer.clone()),
        _ => healthy(request),
    });
    let server = server.await;
    let seen = only(&server.url).look(instant).await;
    assert_eq!(seen.stores().len(), 1000);
    let details = serde_json::to_vec(&seen.observation.details).expect("JSON").len();
    assert!(details < operator_protocols::compliance::MAX_DETAILS_BYTES, "{details} bytes of details");
    assert!(seen.observation.signals.len() < 2000, "{} signals", seen.observation.signals.len());
}
