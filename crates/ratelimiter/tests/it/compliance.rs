//! The protocol's own checks, over a healthy limiter and over one of which nothing answers.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::compliance::Compliance;
use operator_protocols::{Clock, SubjectConfig, Timestamp};

use crate::fake_node::{FakeNode, row};
use crate::log_entry::{grant, register, write_log};
use crate::redis_server::RedisServer;
use crate::scene::{SUBJECT, now, settings};

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

fn config(settings: std::collections::BTreeMap<String, operator_protocols::Value>) -> SubjectConfig {
    SubjectConfig { name: SUBJECT.to_owned(), kind: "ratelimiter".to_owned(), settings }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subject_keeps_the_protocols_obligations() {
    let redis = Arc::new(RedisServer::start().await);
    let second = redis.clock().await / 1_000_000 - 10;
    let mut nodes = Vec::new();
    for id in ["n1", "n2", "n3"] {
        nodes.push(FakeNode::healthy(id, &redis.run_id, &[row("k", 600_000, second, 20)]).await);
        register(&redis, id, &format!("boot-{id}"), &nodes[nodes.len() - 1].address(), 1_000_000).await;
    }
    let grants = ["n1", "n2", "n3"].map(|id| grant(second, 20, &format!("{id}@boot-{id}")));
    write_log(&redis, "k", 600_000, 100, &grants).await;
    let version = (second * 1_000_000).to_string();
    for (field, value) in [("limit", "200"), ("version", &version)] {
        redis.send(&[b"HSET", b"rl:{k}:limit", field.as_bytes(), value.as_bytes()]).await;
    }
    redis.send(&[b"CONFIG", b"RESETSTAT"]).await;

    let alive = config(settings(redis.port, &nodes.iter().map(|n| (n.id.as_str(), n.address())).collect::<Vec<_>>()));
    let nowhere = [("n1", 1), ("n2", 2), ("n3", 3)].map(|(id, port)| (id, format!("127.0.0.1:{port}")));
    let dead = config(settings(1, &nowhere));
    let nodes = Arc::new(nodes);
    let report = Compliance::new(Arc::new(SystemClock), move || {
        operator_ratelimiter::factory(&alive, None).expect("right settings")
    })
    .dead(move || operator_ratelimiter::factory(&dead, None).expect("right settings"))
    .pause(|duration| Box::pin(tokio::time::sleep(duration)))
    .writes(move || {
        let (redis, nodes) = (Arc::clone(&redis), Arc::clone(&nodes));
        Box::pin(async move {
            let mut writes = redis.writes().await.len();
            for node in nodes.iter() {
                writes += node.changes().await.len();
            }
            writes as u64
        })
    })
    .interval(Duration::from_millis(300))
    .run()
    .await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
}
