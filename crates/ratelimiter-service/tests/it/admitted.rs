//! What the nodes say they let through is what Redis recorded.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Redis, TestNode};

type Sums = BTreeMap<(String, u64, u64), u64>;

fn add(sums: &mut Sums, writer: &str, row: &Value, column: &str) {
    let number = |name: &str| row[name].as_u64().unwrap();
    *sums.entry((writer.to_owned(), number("generation"), number("second"))).or_default() += number(column);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admitted_and_recorded_agree_second_by_second() {
    let redis = Redis::start().await;
    let nodes =
        [TestNode::start(&redis, &["--node-id", "a"]).await, TestNode::start(&redis, &["--node-id", "b"]).await];
    let workers: Vec<_> = (0..8_usize)
        .map(|worker| {
            let api = nodes[worker % 2].api.clone();
            tokio::spawn(async move {
                for i in 0..60_u64 {
                    api.take("k", 2000, 1 + i % 3).await;
                }
            })
        })
        .collect();
    nodes[0].api.reset("other").await;
    for worker in workers {
        worker.await.unwrap();
    }
    let mut recorded = Sums::new();
    let detail = nodes[0].api.get("/api/counters/k?detail=true").await.body;
    for row in detail["recorded"].as_array().unwrap() {
        add(&mut recorded, row["writer"].as_str().unwrap(), row, "cost");
    }
    let mut admitted = Sums::new();
    for node in &nodes {
        let body = node.api.get("/api/admitted").await.body;
        let writer = format!("{}@{}", body["node_id"].as_str().unwrap(), body["boot_id"].as_str().unwrap());
        for row in body["rows"].as_array().unwrap() {
            assert_eq!((&row["key"], &row["window_ms"]), (&json!("k"), &json!(60_000)));
            assert_eq!((&row["degraded"], &row["unanswered"]), (&json!(0), &json!(0)));
            assert!(row["since"].as_i64() <= row["second"].as_i64());
            add(&mut admitted, &writer, row, "admitted");
        }
    }
    assert_eq!(recorded, admitted);
    assert_eq!(recorded.values().sum::<u64>(), 8 * 60 * 2);
}

#[tokio::test]
async fn rows_come_in_pages() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let keys: Vec<String> = (0..25).map(|i| format!("k}}/{i}")).collect();
    for key in &keys {
        node.api.take(key, 5, 1).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = node.api.request("GET", "/api/admitted").query(&[("limit", "4"), ("cursor", &cursor)]);
        let page = node.api.send(request).await.body;
        let rows = page["rows"].as_array().unwrap();
        assert!(rows.len() <= 4);
        seen.extend(rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    seen.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(seen, keys);
}

#[tokio::test]
async fn a_caller_that_hangs_up_is_still_in_the_book() {
    let redis = Redis::start().await;
    let node = TestNode::start(&redis, &[]).await;
    let _: String = redis.run(&["CLIENT", "PAUSE", "150", "WRITE"]).await;
    let request = node.api.request("POST", "/check").timeout(std::time::Duration::from_millis(30));
    assert!(node.api.try_send(request.json(&json!({"key": "k", "limit": 5}))).await.is_err());
    crate::harness::eventually("Redis has recorded it", async || {
        node.api.get("/api/counters/k").await.body["count"] == 1
    })
    .await;
    crate::harness::eventually("so has the node", async || {
        node.api.get("/api/admitted").await.body["rows"][0]["admitted"] == 1
    })
    .await;
}
