//! What happens when, against what a real PD did.

use operator_lab::environment::{Environment as _, FaultRequest};
use operator_protocols::Id;
use serde_json::Value;

use super::cluster::Cluster;

#[tokio::test]
async fn a_dead_store_is_disconnected_after_twenty_seconds_and_down_after_the_time_that_is_set() {
    let cluster = Cluster::start(|config| config.max_store_down_s = 60).await;
    cluster.pass(60).await;
    let before = cluster.store(4).await["store"]["last_heartbeat"].as_i64().expect("an instant");
    cluster.break_it(FaultRequest::new("kill_store").with("store", "store-4")).await;
    let mut seen = Vec::new();
    for _ in 0..80 {
        cluster.pass(1).await;
        let now = cluster.environment.clock().now().as_millis();
        let state = cluster.state(4).await;
        let age = (now - before / 1_000_000) / 1_000;
        if seen.last().is_none_or(|(_, last)| *last != state) {
            seen.push((age, state));
        }
    }
    let [(_, up), (disconnected_at, disconnected), (down_at, down)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!([up.as_str(), disconnected, down], ["Up", "Disconnected", "Down"]);
    assert!((20..=21).contains(disconnected_at), "{seen:?}");
    assert!((60..=61).contains(down_at), "{seen:?}");
    // The last heartbeat stays what it was.
    assert_eq!(cluster.store(4).await["store"]["last_heartbeat"], before);
}

#[tokio::test]
async fn what_a_dead_store_led_is_led_by_others_within_half_a_minute_and_comes_back_after_its_start() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(60).await;
    cluster.break_it(FaultRequest::new("F1").with("store", "store-2")).await;
    cluster.pass(30).await;
    let dead = cluster.store(2).await;
    assert_eq!(dead["status"]["leader_count"], 0);
    assert!(dead["status"]["region_count"].as_u64() > Some(170), "what it holds is not forgotten: {dead}");
    assert!(cluster.at_store("raft_leaders", 1).await > Some(65.0));
    let id = Id::new("cluster", "store-2");
    let driver = cluster.environment.driver();
    let status = driver.status(&id).await.expect("status");
    assert!(!status.running && status.exit.as_deref() == Some("signal 9 (SIGKILL)"));
    assert!(driver.start_if(&id, status.incarnation.as_deref()).await.expect("started").running);
    cluster.pass(20).await;
    assert_eq!(cluster.state(2).await, "Up");
    cluster.pass(120).await;
    let back = cluster.store(2).await;
    assert!(back["status"]["leader_count"].as_u64() > Some(45), "{back}");
    assert!(back["status"].get("pending_peer_count").is_none(), "{back}");
}

#[tokio::test]
async fn killing_the_leader_of_pd_means_twelve_seconds_of_plain_text_errors() {
    let cluster = Cluster::start(|config| config.pd_leader = "pd-2".to_owned()).await;
    cluster.pass(60).await;
    cluster.break_it(FaultRequest::new("F13")).await;
    assert!(cluster.ask_member(2, "GET", "/pd/api/v1/ping", None).await.is_err(), "its port is closed");
    let mut failed = 0;
    loop {
        let (status, kind, body) = cluster.ask_member(1, "GET", "/pd/api/v1/stores", None).await.expect("an answer");
        if status == 200 {
            break;
        }
        assert_eq!((status, body.as_str()), (500, "[PD:apiutil:ErrRedirect]redirect failed\n"));
        assert!(kind.starts_with("text/plain"));
        let health = cluster.get("/pd/api/v1/health").await;
        assert_eq!(health.as_array().expect("members").iter().filter(|member| member["health"] == true).count(), 2);
        failed += 1;
        assert!(failed < 40, "no leader for {failed} s");
        cluster.pass(1).await;
    }
    assert!((11..=14).contains(&failed), "{failed}");
    let status = cluster.get("/pd/api/v1/cluster/status").await;
    assert_eq!(status["is_initialized"], false);
    let store = cluster.store(3).await;
    assert!(store["status"]["leader_count"].as_u64() > Some(50), "counts are kept: {store}");
    cluster.pass(60).await;
    assert_eq!(cluster.get("/pd/api/v1/cluster/status").await["is_initialized"], true);
    assert_eq!(cluster.state(3).await, "Up");
}

#[tokio::test]
async fn without_a_majority_pd_answers_for_its_members_and_for_nothing_else() {
    let cluster = Cluster::start(|config| config.pd_leader = "pd-2".to_owned()).await;
    cluster.break_it(FaultRequest::new("F14")).await;
    cluster.pass(120).await;
    let alive = if cluster.ask_member(1, "GET", "/pd/api/v1/ping", None).await.is_ok() { 1 } else { 3 };
    let (status, _, _) = cluster.ask_member(alive, "GET", "/pd/api/v1/leader", None).await.expect("an answer");
    assert_eq!(status, 500);
    let (_, _, health) = cluster.ask_member(alive, "GET", "/pd/api/v1/health", None).await.expect("an answer");
    let health: Value = serde_json::from_str(&health).expect("JSON");
    assert_eq!(health.as_array().expect("members").iter().filter(|member| member["health"] == false).count(), 2);
    cluster.environment.clear().await.expect("cleared");
    cluster.pass(30).await;
    assert_eq!(cluster.get("/pd/api/v1/stores").await["count"], 5);
}

#[tokio::test]
async fn a_store_that_is_taken_out_gives_up_about_a_region_a_second_and_is_a_tombstone_at_the_end() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(60).await;
    let held = cluster.store(3).await["status"]["region_count"].as_f64().expect("a count");
    cluster.break_it(FaultRequest::new("P3").with("store", "store-3")).await;
    assert_eq!(cluster.state(3).await, "Offline");
    cluster.pass(60).await;
    let left = cluster.store(3).await["status"]["region_count"].as_f64().expect("a count");
    let rate = (held - left) / 60.0;
    // A real PD was seen to move 0.6 to 1.1 regions a second off one of five stores.
    assert!((0.5..=1.2).contains(&rate), "{rate} regions a second");
    let progress = cluster.get("/pd/api/v1/stores/progress?id=3").await;
    assert!(progress["progress"].as_f64() > Some(0.1) && progress["left_seconds"].as_f64() > Some(60.0), "{progress}");
    cluster.pass(420).await;
    let stores = cluster.get("/pd/api/v1/stores").await;
    assert_eq!(stores["count"], 4, "a tombstone is not listed unless it is asked for");
    assert_eq!(cluster.state(3).await, "Tombstone");
}

#[tokio::test]
async fn evicting_leaders_takes_about_as_long_as_it_took_a_real_pd() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(60).await;
    cluster.break_it(FaultRequest::new("F16").with("store", "store-1")).await;
    cluster.pass(20).await;
    let store = cluster.store(1).await;
    let led = store["status"]["leader_count"].as_u64().expect("a count");
    // A real one had moved 42 of 60 after twenty seconds.
    assert!((10..=35).contains(&led), "{led} are left");
    assert_eq!(store["status"]["pause_leader_transfer_in"], true);
    cluster.pass(40).await;
    assert_eq!(cluster.store(1).await["status"]["leader_count"], 0);
    let list = cluster.get("/pd/api/v1/scheduler-config/evict-leader-scheduler/list").await;
    assert_eq!(list["store-id-ranges"]["1"][0]["start-key"], "");
    let deleted = cluster.ask_member(3, "DELETE", "/pd/api/v1/schedulers/evict-leader-scheduler-1", None).await;
    assert_eq!(deleted.expect("an answer").0, 200);
    cluster.pass(120).await;
    assert!(cluster.store(1).await["status"]["leader_count"].as_u64() > Some(45));
}

#[tokio::test]
async fn with_as_many_stores_as_replicas_nothing_can_be_replaced() {
    let cluster = Cluster::start(|config| (config.stores, config.max_store_down_s) = (3, 120)).await;
    cluster.pass(30).await;
    let refused = cluster.ask_member(1, "DELETE", "/pd/api/v1/store/2", None).await.expect("an answer");
    assert_eq!(refused.0, 400);
    assert!(refused.2.contains("ErrStoresNotEnough"), "{}", refused.2);
    cluster.break_it(FaultRequest::new("F2").with("store", "store-3")).await;
    cluster.pass(1_200).await;
    assert_eq!(cluster.state(3).await, "Down");
    let down = cluster.get("/pd/api/v1/regions/check/down-peer").await;
    assert_eq!(down["count"], 300);
    assert_eq!(cluster.get("/pd/api/v1/regions/check/miss-peer").await["count"], 0);
    assert_eq!(cluster.get("/pd/api/v1/operators").await, Value::Array(Vec::new()));
}
