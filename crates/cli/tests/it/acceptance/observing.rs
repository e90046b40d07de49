//! An operator that is pointed at a system it did not start only looks, whatever it sees.

use std::time::{Duration, Instant};

use operator_core::store::{ExecutionFilter, Store as _};
use operator_lab::environment::FaultRequest;

use super::cluster::Cluster;
use super::forwarder::Forwarder;
use super::home::Home;
use super::operator_process::OperatorProcess;
use super::redis_record::{Monitor, ask, not_reading};

/// A window in which an outside write does not heal by itself.
const WINDOW_MS: i64 = 600_000;
/// How many cycles are watched after it is known what should be done.
const CYCLES_AFTER: u64 = 5;

fn config(nodes: &[(String, Forwarder)], redis: &Forwarder) -> String {
    let nodes: Vec<_> =
        nodes.iter().map(|(id, node)| format!("{{ id = \"{id}\", address = \"{}\" }}", node.address)).collect();
    format!(
        "[operator]\ninterval = \"1s\"\n[[subject]]\nname = \"limiter\"\nkind = \"ratelimiter\"\n[subject.settings]\n\
         time_scale = 0.1\nnodes = [{}]\nredis_url = \"redis://{}\"\n",
        nodes.join(", "),
        redis.address
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_one_write_reaches_a_cluster_that_it_did_not_start_while_it_knows_what_it_would_do() {
    let cluster = Cluster::start(|config| operator_lab::ratelimiter::RateLimiterConfig {
        default_window_ms: WINDOW_MS as u32,
        ..config
    })
    .await;
    let redis = cluster.environment.redis_address();
    let to_redis = Forwarder::start(redis).await;
    let mut nodes = Vec::new();
    for (name, address) in cluster.environment.node_addresses() {
        nodes.push((name, Forwarder::start(address).await));
    }
    let monitor = Monitor::start(redis).await;

    let home = Home::new(&config(&nodes, &to_redis));
    let mut operator = OperatorProcess::start(&home, &[]);
    operator.ready().await;
    cluster
        .inject(
            FaultRequest::new("outside_writes")
                .with("key", "key-3")
                .with("window_ms", WINDOW_MS)
                .with("entries", 40_i64),
        )
        .await;
    let ticket = operator.told("ticket.opened", Duration::from_secs(60)).await;
    assert_eq!(ticket["body"]["invariant"], "counter_drift", "{ticket}");
    let diagnosis = operator.told("diagnosis.made", Duration::from_secs(30)).await;
    assert_eq!(diagnosis["body"]["class"], "ExternalMutation", "{diagnosis}");
    let cycle = |status: Option<serde_json::Value>| status.and_then(|status| status["cycle"].as_u64()).unwrap_or(0);
    let known_at = cycle(operator.status().await);
    while cycle(operator.status().await) < known_at + CYCLES_AFTER {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = ticket["reference"].as_str().expect("an id");
    let shown = home.ask(0, &["tickets", "show", id]).await;
    assert_eq!(shown["ticket"]["state"], "diagnosed");
    let why = shown["ticket"]["state_reason"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("reset_counter") && why.contains("observe"), "it would act, and may not: {why}");
    assert_eq!(operator.stop().await.code(), Some(0));

    let executions = home.store().executions(&ExecutionFilter::default()).await.expect("executions");
    assert!(executions.iter().all(|execution| execution.attempt == 0), "{executions:?}");
    let asked = monitor.of(|from| to_redis.called_from(from));
    let names: std::collections::BTreeSet<_> = asked.iter().map(|seen| seen.words[0].as_str()).collect();
    println!("Redis was asked {} times by the operator: {names:?}", asked.len());
    assert!(asked.len() > 20 && names.contains("EVAL_RO"), "it did look: {names:?}");
    assert_eq!(not_reading(redis, &asked).await, [], "Redis's own record of what the operator sent");
    let mut requests = 0;
    for (name, node) in &nodes {
        let seen = node.requests();
        requests += seen.len();
        assert!(seen.len() > 5, "it did look at {name}");
        let writes: Vec<_> = seen.iter().filter(|line| !line.starts_with("GET ")).collect();
        assert!(writes.is_empty(), "{name}: {writes:?}");
    }
    println!("the nodes were asked {requests} times, each time by GET");

    // Whoever would have written had been seen.
    ask(to_redis.address, &["SET", "written", "1"]).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    let found = loop {
        let asked = monitor.of(|from| to_redis.called_from(from));
        let found: Vec<_> = not_reading(redis, &asked).await.into_iter().map(|seen| seen.words).collect();
        if !found.is_empty() || Instant::now() > deadline {
            break found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(found, [["SET", "written", "1"]]);
    cluster.end().await;
}
