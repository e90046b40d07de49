//! What each fault shows, and what it does not: the numbers hang together as they would in a real cluster.

use operator_lab::environment::{Environment as _, FaultRequest};

use super::cluster::Cluster;

/// A cluster that was well for two minutes, then broken, and looked at after so many seconds.
async fn broken(fault: FaultRequest, seconds: u64) -> Cluster {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(120).await;
    cluster.break_it(fault).await;
    cluster.pass(seconds).await;
    cluster
}

#[tokio::test]
async fn a_healthy_cluster_looks_healthy() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(300).await;
    for (name, most) in [
        ("request_duration_p99", 0.06),
        ("append_log_p99", 0.005),
        ("commit_log_p99", 0.01),
        ("propose_wait_p99", 0.005),
        ("apply_wait_p99", 0.005),
        ("slow_score", 1.0),
        ("write_stall_p99", 0.0),
        ("leader_missing", 0.0),
        ("cpu", 6.0),
    ] {
        let values = cluster.metric(name).await;
        assert!(values.len() >= 5, "{name}");
        assert!(values.iter().all(|(_, value)| *value <= most), "{name}: {values:?}");
    }
    assert_eq!(cluster.get("/pd/api/v1/operators").await.as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_slow_network_is_felt_by_what_the_store_leads_and_not_by_its_disk() {
    let cluster = broken(FaultRequest::new("F5").with("store", "store-2"), 75).await;
    assert!(cluster.at_store("commit_log_p99", 2).await > Some(0.18));
    assert!(cluster.at_store("append_log_p99", 2).await < Some(0.005));
    assert!(cluster.at_store("commit_log_p99", 1).await < Some(0.02), "others commit with the faster two");
    assert_eq!(cluster.state(2).await, "Up");
    let links = &cluster.store(2).await["status"]["network_slow_score"];
    assert_eq!(links.as_object().map(serde_json::Map::len), Some(4), "{links}");
}

#[tokio::test]
async fn a_slow_disk_is_called_slow_after_twenty_seconds_and_pd_evicts_its_leaders() {
    let cluster = broken(FaultRequest::new("F6").with("store", "store-3"), 24).await;
    assert!(cluster.at_store("slow_score", 3).await >= Some(16.0));
    cluster.pass(21).await;
    assert_eq!(cluster.at_store("slow_score", 3).await, Some(100.0));
    assert!(cluster.at_store("append_log_p99", 3).await > Some(0.3));
    assert!(cluster.at_store("append_log_p99", 1).await < Some(0.005));
    assert!(cluster.at_store("commit_log_p99", 1).await < Some(0.02));
    cluster.pass(60).await;
    assert_eq!(cluster.store(3).await["status"]["leader_count"], 0);
    let evicted = cluster.get("/pd/api/v1/scheduler-config/evict-slow-store-scheduler/list").await;
    assert_eq!(evicted["evict-stores"][0], 3);
    // The disk is well again; PD keeps the leaders away for another half an hour.
    cluster.environment.clear().await.expect("cleared");
    cluster.pass(360).await;
    assert_eq!(cluster.at_store("slow_score", 3).await, Some(1.0));
    assert_eq!(cluster.store(3).await["status"]["leader_count"], 0);
    cluster.pass(2_100).await;
    assert!(cluster.store(3).await["status"]["leader_count"].as_u64() > Some(45));
}

#[tokio::test]
async fn where_two_disks_are_slow_pd_evicts_one_at_most() {
    let fault = FaultRequest::new("F7").with("store", "store-1").with("other", "store-5");
    let cluster = broken(fault, 120).await;
    let mut led = Vec::new();
    for id in [1, 5] {
        assert_eq!(cluster.at_store("slow_score", id).await, Some(100.0));
        led.push(cluster.store(id).await["status"]["leader_count"].as_u64().expect("a count"));
    }
    // The one whose heartbeat came first, if PD did not know of the other yet.
    assert!(led.iter().any(|&count| count > 40), "{led:?}");
}

#[tokio::test]
async fn foreign_files_make_a_store_low_on_space_without_more_data() {
    let cluster = broken(FaultRequest::new("F8").with("store", "store-4"), 60).await;
    let used = cluster.at_store("disk_used", 4).await.expect("known");
    let available = cluster.at_store("disk_available", 4).await.expect("known");
    let capacity = cluster.at_store("disk_capacity", 4).await.expect("known");
    assert!(available / capacity < 0.19);
    assert!(used + available < 0.5 * capacity, "most of the disk is other people's");
    let held = cluster.store(4).await["status"]["region_count"].as_u64();
    cluster.pass(120).await;
    assert!(cluster.store(4).await["status"]["region_count"].as_u64() < held, "PD moves regions away");
}

#[tokio::test]
async fn a_store_without_room_takes_no_writes_and_hands_over_what_it_leads() {
    let cluster = broken(FaultRequest::new("F9").with("store", "store-4"), 12).await;
    assert_eq!(cluster.store(4).await["status"]["leader_count"], 0);
    assert_eq!(cluster.state(4).await, "Up");
    // PD takes it to be low on space and moves regions away: after a while there is room for leaders again.
    cluster.pass(180).await;
    assert!(cluster.store(4).await["status"]["leader_count"].as_u64() > Some(20));
}

#[tokio::test]
async fn a_store_that_is_cut_off_from_everybody_runs_and_loses_what_it_led() {
    let cluster = broken(FaultRequest::new("F10").with("store", "store-4"), 75).await;
    assert_eq!(cluster.at_store("store_scraped", 4).await, Some(1.0));
    assert_eq!(cluster.state(4).await, "Disconnected");
    assert_eq!(cluster.store(4).await["status"]["leader_count"], 0);
    let complaints = cluster.metric("unreachable").await;
    assert_eq!(complaints.len(), 8, "it of all others, and all others of it: {complaints:?}");
}

#[tokio::test]
async fn a_cut_link_is_complained_of_from_both_ends_only() {
    let fault = FaultRequest::new("F11").with("store", "store-2").with("other", "store-4");
    let cluster = broken(fault, 240).await;
    let complaints: Vec<String> = cluster.metric("unreachable").await.into_iter().map(|(target, _)| target).collect();
    assert_eq!(complaints, ["tikv-2:20180", "tikv-4:20180"]);
    for id in 1..=5 {
        assert_eq!(cluster.state(id).await, "Up");
    }
    assert!(cluster.at_store("log_lag_p99", 2).await > Some(3_000.0));
    assert!(cluster.at_store("log_lag_p99", 1).await < Some(100.0));
}

#[tokio::test]
async fn a_store_that_pd_does_not_hear_goes_on_serving() {
    let cluster = broken(FaultRequest::new("F12").with("store", "store-4"), 120).await;
    assert_eq!(cluster.state(4).await, "Disconnected");
    assert!(cluster.at_store("raft_leaders", 4).await > Some(50.0));
    assert_eq!(cluster.at_store("store_scraped", 4).await, Some(1.0));
    assert_eq!(cluster.metric("unreachable").await, []);
    assert!(cluster.environment.workload_samples().iter().rev().take(60).all(|second| second.errors == 0));
}

#[tokio::test]
async fn while_the_disk_of_pds_leader_hangs_every_store_ages_together() {
    let cluster = broken(FaultRequest::new("F15"), 60).await;
    for id in 1..=5 {
        assert_eq!(cluster.state(id).await, "Disconnected");
        assert_eq!(cluster.at_store("store_scraped", id).await, Some(1.0));
    }
    let resigned = cluster.ask_member(1, "POST", "/pd/api/v1/leader/resign", None).await.expect("an answer");
    assert_eq!(resigned.0, 200);
    cluster.pass(20).await;
    for id in 1..=5 {
        assert_eq!(cluster.state(id).await, "Up");
    }
}

#[tokio::test]
async fn one_hot_place_keeps_one_thread_busy_until_its_region_is_split() {
    let cluster = broken(FaultRequest::new("F17"), 120).await;
    let waits = cluster.metric("apply_wait_p99").await;
    let slow: Vec<_> = waits.iter().filter(|(_, wait)| *wait > 0.1).collect();
    assert!((1..=3).contains(&slow.len()), "where the hot region has a replica: {waits:?}");
    let hot = cluster.get("/pd/api/v1/regions/writeflow?limit=1").await["regions"][0]["id"].as_u64().expect("an id");
    let body = serde_json::json!({ "name": "split-region", "region_id": hot, "policy": "approximate" });
    let split = cluster.ask_member(1, "POST", "/pd/api/v1/operators", Some(&body)).await.expect("an answer");
    assert_eq!(split.0, 200, "{}", split.2);
    cluster.pass(10).await;
    assert_eq!(cluster.get("/pd/api/v1/stats/region").await["count"], 301);
}

#[tokio::test]
async fn pd_calls_a_region_hot_after_three_reports_and_every_store_of_a_replica_bears_it() {
    let hot = "/pd/api/v1/hotspot/regions/write";
    let cluster = broken(FaultRequest::new("F17"), 120).await;
    let listed = |told: &serde_json::Value, by: &str| {
        let of_store = |store: &serde_json::Value| store["statistics"].as_array().map_or(0, Vec::len);
        told[by].as_object().expect("by store").values().map(of_store).sum::<usize>()
    };
    assert_eq!(listed(&cluster.get(hot).await, "as_peer"), 0, "it was reported twice");
    cluster.pass(61).await;
    let told = cluster.get(hot).await;
    assert_eq!((listed(&told, "as_peer"), listed(&told, "as_leader")), (3, 1));
    for store in told["as_peer"].as_object().expect("by store").values() {
        for region in store["statistics"].as_array().expect("a list") {
            let (flow, all) = (region["flow_keys"].as_f64(), store["store_keys"].as_f64());
            assert!(flow >= Some(14_000.0) && flow < all, "{region} of {all:?}");
        }
    }
    assert_eq!(listed(&cluster.get("/pd/api/v1/hotspot/regions/read").await, "as_peer"), 0);
}

#[tokio::test]
async fn more_writes_than_compaction_takes_pile_up_until_writes_are_turned_away() {
    let cluster = broken(FaultRequest::new("F20"), 300).await;
    assert!(cluster.at_store("level0_files", 1).await > Some(20.0));
    assert!(cluster.at_store("scheduler_too_busy", 1).await > Some(0.0));
    assert!(cluster.at_store("append_log_p99", 1).await < Some(0.05));
}

#[tokio::test]
async fn a_store_whose_processors_are_used_by_others_is_late_at_everything_and_does_not_call_itself_slow() {
    let cluster = broken(FaultRequest::new("F26").with("store", "store-5").with("percent", 90_i64), 90).await;
    assert!(cluster.at_store("request_duration_p99", 5).await > Some(0.2));
    assert!(cluster.at_store("request_duration_p99", 1).await < Some(0.06));
    assert_eq!(cluster.at_store("slow_score", 5).await, Some(1.0));
}

#[tokio::test]
async fn a_graceful_restart_hands_leaders_over_first_and_is_over_within_a_minute() {
    let cluster = Cluster::start(|_| {}).await;
    cluster.pass(120).await;
    cluster.break_it(FaultRequest::new("F3").with("store", "store-2")).await;
    let mut longest = 0;
    for _ in 0..60 {
        cluster.pass(1).await;
        longest += u32::from(cluster.state(2).await != "Up");
    }
    assert!(longest <= 15, "{longest} s");
    assert_eq!(cluster.state(2).await, "Up");
    let errors: u64 = cluster.environment.workload_samples().iter().map(|second| second.errors).sum();
    assert_eq!(errors, 0);
    cluster.pass(120).await;
    assert!(cluster.store(2).await["status"]["leader_count"].as_u64() > Some(45));
}

#[tokio::test]
async fn a_new_store_is_filled_over_minutes_and_serves_in_the_end() {
    let cluster = broken(FaultRequest::new("P2"), 30).await;
    let new = cluster.store(6).await;
    assert!(new["store"].get("node_state").is_none(), "preparing is written as nothing: {new}");
    cluster.pass(600).await;
    let held = cluster.store(6).await["status"]["region_count"].as_u64();
    assert!(held > Some(80), "{held:?}");
    cluster.pass(900).await;
    assert_eq!(cluster.store(6).await["store"]["node_state"], 1);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let cluster = broken(FaultRequest::new("F1").with("store", "store-1"), 60).await;
        let regions = cluster.get("/pd/api/v1/regions").await;
        answers.push((regions, cluster.metric("append_log_p99").await));
    }
    assert_eq!(answers[0], answers[1]);
}
