//! Reading counters: pages, details, and what cannot be read.

use std::collections::BTreeSet;

use ratelimiter_service::log_entry::LogEntry;
use serde_json::json;

use crate::harness::{Redis, TestNode, eventually};

async fn all_pages(node: &TestNode, path: &str, list: &str) -> (Vec<serde_json::Value>, usize) {
    let (mut rows, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = node.api.get(&format!("{path}&cursor={cursor}")).await.body;
        rows.extend(page[list].as_array().expect("a list").iter().cloned());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.replace('{', "%7B").replace('}', "%7D").replace('%', "%25"),
            None => return (rows, pages),
        }
    }
}

#[tokio::test]
async fn pages_leave_no_counter_out() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let keys: BTreeSet<String> = (0..230).map(|i| format!("key-{i}")).collect();
    let batch: Vec<_> = keys.iter().map(|key| json!({"key": key, "limit": 1})).collect();
    assert_eq!(node.api.post("/check/batch", json!(batch)).await.status, 200);
    let _: i64 = redis.run(&["RPUSH", "rl:{not ours}:w:5", "x"]).await;
    for path in ["/api/counters?limit=7", "/api/counters?limit=1000", "/api/counters?limit=50&prefix=key-"] {
        let (rows, pages) = all_pages(&node, path, "counters").await;
        let seen: BTreeSet<String> = rows.iter().map(|r| r["key"].as_str().unwrap().to_owned()).collect();
        assert_eq!(seen, keys, "{path}");
        assert!(pages > 1 || path.contains("1000"));
        assert!(
            rows.iter().all(|r| r["count"] == 1 && r["remaining"] == 0 && r["seq"] == 1 && r["window_ms"] == 60_000)
        );
    }
    let (some, _) = all_pages(&node, "/api/counters?prefix=key-10", "counters").await;
    assert_eq!(some.len(), 11);
    let (blocked, _) = all_pages(&node, "/api/blocks?limit=20", "blocked").await;
    let seen: BTreeSet<&str> = blocked.iter().map(|r| r["key"].as_str().unwrap()).collect();
    assert_eq!(seen.len(), 230);
    assert_eq!((&blocked[0]["current_count"], &blocked[0]["limit"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn reading_a_counter_never_writes() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let unused = node.api.get("/api/counters/nobody").await.body;
    assert_eq!((&unused["count"], &unused["limit"], &unused["window_ms"]), (&json!(0), &json!(100), &json!(60_000)));
    node.api.take("k", 5, 2).await;
    let before: Vec<u8> = redis.run(&["DUMP", "rl:{k}:w:60000"]).await;
    for _ in 0..3 {
        assert_eq!(node.api.get("/api/counters/k?detail=true").await.body["count"], 2);
        node.api.get("/api/counters").await;
    }
    let after: Vec<u8> = redis.run(&["DUMP", "rl:{k}:w:60000"]).await;
    assert_eq!(before, after);
    let keys: Vec<String> = redis.run(&["KEYS", "rl:{nobody}*"]).await;
    assert!(keys.is_empty());
}

#[tokio::test]
async fn a_counter_can_be_read_during_a_write_pause() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    node.api.take("k", 5, 2).await;
    let _: String = redis.run(&["CLIENT", "PAUSE", "3000", "WRITE"]).await;
    let shown = node.api.get("/api/counters/k?detail=true").await;
    assert_eq!((shown.status, &shown.body["count"]), (200, &json!(2)), "{}", shown.text);
    let _: String = redis.run(&["CLIENT", "UNPAUSE"]).await;
}

#[tokio::test]
async fn the_detail_says_who_was_granted_what_and_a_stranger_shows() {
    let redis = Redis::start().await;
    let a = TestNode::start(&redis, &["--node-id", "a"]).await;
    let b = TestNode::start(&redis, &["--node-id", "b"]).await;
    a.api.take("k", 50, 3).await;
    let last = b.api.take("k", 50, 4).await;
    // A stranger who appends by the documented packing counts like anybody.
    let stranger = LogEntry {
        t_us: last.number("t"),
        prefix: 12,
        cost: 5,
        seq: 3,
        generation: 0,
        limit: 50,
        writer: "mallory@0".into(),
    };
    let _: i64 = redis.run_raw(&[b"RPUSH", b"rl:{k}:w:60000", &stranger.encode()]).await;
    let shown = a.api.get("/api/counters/k?detail=true").await.body;
    assert_eq!((&shown["count"], &shown["seq"]), (&json!(12), &json!(3)));
    let mut sums = std::collections::BTreeMap::<String, u64>::new();
    for row in shown["recorded"].as_array().unwrap() {
        assert!(row["second"].as_i64().unwrap() >= shown["recorded_from"].as_i64().unwrap());
        *sums.entry(row["writer"].as_str().unwrap().to_owned()).or_default() += row["cost"].as_u64().unwrap();
    }
    let writer = |node: &TestNode| node.running.node.identity.writer.clone();
    let expected = [(writer(&a), 3), (writer(&b), 4), ("mallory@0".to_owned(), 5)];
    assert_eq!(sums, expected.into_iter().collect());
    assert_eq!(a.api.take("k", 50, 39).await.status, 429);
    assert_eq!(a.api.take("k", 50, 38).await.body["current_count"], 50);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_answers_503_changes_nothing_and_a_reset_heals_it() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let log = |window: u32| format!("rl:{{k}}:w:{window}");
    let wrecks: [(&str, u32, Vec<&str>); 4] = [
        ("garbage at the end of a used log", 60_000, vec!["RPUSH", "garbage"]),
        ("garbage in a window nobody used", 7_000, vec!["RPUSH", "garbage"]),
        ("something that is no list", 8_000, vec!["SET", "text"]),
        ("garbage at the head", 60_000, vec!["LPUSH", "garbage"]),
    ];
    for (what, window, words) in wrecks {
        let check = || node.api.check(json!({"key": "k", "limit": 5, "window_ms": window}));
        if window == 60_000 {
            assert_eq!(check().await.status, 200, "{what}");
        }
        let name = log(window);
        let _: redis::Value = redis.run(&[words[0], &name, words[1]]).await;
        let before: Vec<u8> = redis.run(&["DUMP", &name]).await;
        let answer = check().await;
        assert_eq!((answer.status, &answer.body["error"]), (503, &json!("corrupt_log")), "{what}: {}", answer.text);
        let after: Vec<u8> = redis.run(&["DUMP", &name]).await;
        assert_eq!(before, after, "{what}");
        let listed = node.api.get(&format!("/api/counters/k?window_ms={window}")).await.body;
        assert_eq!(listed["corrupt"], true, "{what}");
        let detail = node.api.get(&format!("/api/counters/k?window_ms={window}&detail=true")).await.body;
        assert_eq!(detail["unparsable"], 1, "{what}");
        let rows =
            node.api.post("/check/batch", json!([{"key": "k", "window_ms": window}, {"key": "fine"}])).await.body;
        assert_eq!((&rows[0]["error"], &rows[1]["allowed"]), (&json!("corrupt_log"), &json!(true)), "{what}");
        assert_eq!(node.api.reset("k").await.status, 200);
        let healed = check().await;
        assert_eq!((healed.status, &healed.body["current_count"]), (200, &json!(1)), "{what}: {}", healed.text);
    }
    assert_eq!(node.metric("ratelimiter_corrupt_logs_total").await, 8.0);
    // A record of the limit that makes no sense is a case for storing it anew.
    let _: i64 = redis.run(&["HSET", "rl:{k}:limit", "limit", "many"]).await;
    assert_eq!(node.api.take("k", 5, 1).await.status, 503);
    assert_eq!(node.api.put("/api/limits/k", json!({"limit": 9})).await.status, 200);
    assert_eq!(node.api.take("k", 5, 1).await.header("x-ratelimit-limit"), "9");
    eventually("the node still decides with Redis", async || node.mode().await == "coordinated").await;
}
