use std::time::{Duration, Instant};

use operator_lab::environment::{Environment as _, FaultRequest};

use super::limiter::Limiter;
use crate::fixture::eventually;

#[tokio::test]
async fn r1_a_killed_node_is_gone_and_its_start_is_the_cure() {
    let limiter = Limiter::start().await;
    limiter.inject(FaultRequest::new("R1").with("node", "node-2")).await;
    assert!(limiter.health("node-2").await.is_none());
    assert!(limiter.health("node-1").await.is_some());
    let status = limiter.environment.driver().status(&limiter.id("node-2")).await.expect("status");
    assert_eq!((status.running, status.exit.as_deref()), (false, Some("killed (SIGKILL)")));
    let again = limiter.environment.inject(&FaultRequest::new("R1").with("node", "node-2")).await;
    assert!(again.expect_err("it is dead").to_string().contains("not running"));
    assert_eq!(limiter.environment.status().open_faults, ["R1: kill node-2"]);

    let driver = limiter.environment.driver();
    let started = driver.start_if(&limiter.id("node-2"), status.incarnation.as_deref()).await.expect("start");
    assert!(limiter.health("node-2").await.is_some());
    limiter.clear().await;
    let after = limiter.environment.driver().status(&limiter.id("node-2")).await.expect("status");
    assert_eq!(after, started, "what is mended is left alone");
}

#[tokio::test]
async fn r2_a_paused_node_hangs_and_both_a_restart_and_its_undo_help() {
    let limiter = Limiter::start().await;
    let driver = limiter.environment.driver();
    limiter.inject(FaultRequest::new("R2").with("node", "node-3")).await;
    assert!(limiter.health("node-3").await.is_none(), "it accepts connections and says nothing");
    let paused = driver.status(&limiter.id("node-3")).await.expect("status");
    assert!(paused.running);
    limiter.clear().await;
    assert!(limiter.health("node-3").await.is_some());

    limiter.inject(FaultRequest::new("pause_node").with("node", "node-3")).await;
    let incarnation = paused.incarnation.expect("runs");
    let restarted = driver.restart_if(&limiter.id("node-3"), &incarnation).await.expect("restart");
    assert!(limiter.health("node-3").await.is_some());
    limiter.clear().await;
    assert_eq!(driver.status(&limiter.id("node-3")).await.expect("status"), restarted);
}

#[tokio::test]
async fn r4_and_r9_redis_is_killed_with_and_without_its_data() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    for _ in 0..10 {
        assert_eq!(limiter.check("node-1", "kept").await, Some((true, "redis".to_owned())));
    }
    // Redis writes its log before it answers; the kernel keeps what was written when the process is killed.
    limiter.inject(FaultRequest::new("R4")).await;
    for node in limiter.environment.config().node_names() {
        eventually("a decision without Redis", || async {
            let (_, source) = limiter.check(&node, "other").await?;
            (source == "degraded").then_some(())
        })
        .await;
    }
    limiter.clear().await;
    limiter.settled().await;
    assert_eq!(count(&limiter, "kept").await, 10);

    limiter.inject(FaultRequest::new("R9")).await;
    limiter.settled().await;
    assert_eq!(count(&limiter, "kept").await, 0);
    limiter.clear().await;
}

/// What Redis has counted, as soon as the node is connected again.
async fn count(limiter: &Limiter, key: &str) -> u64 {
    let path = format!("/api/counters/{key}");
    eventually("a count", || async { limiter.get("node-1", &path).await?["count"].as_u64() }).await
}

#[tokio::test]
async fn r7_a_node_with_a_wrong_limit_grants_what_the_others_refuse() {
    let limiter =
        Limiter::with(|config| operator_lab::ratelimiter::RateLimiterConfig { default_limit: 20, ..config }).await;
    limiter.settled().await;
    limiter.inject(FaultRequest::new("R7").with("node", "node-1")).await;
    limiter.settled().await;
    let health = limiter.health("node-1").await.expect("it answers");
    assert_eq!(health["settings"]["default_limit"], 200);
    for _ in 0..20 {
        limiter.check("node-2", "hot").await.expect("a decision");
    }
    assert_eq!(limiter.check("node-2", "hot").await, Some((false, "redis".to_owned())));
    assert_eq!(limiter.check("node-1", "hot").await, Some((true, "redis".to_owned())));
    limiter.clear().await;
    assert_eq!(limiter.health("node-1").await.expect("it answers")["settings"]["default_limit"], 20);
}

#[tokio::test]
async fn r8_a_node_with_another_redis_counts_for_itself() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(FaultRequest::new("R8").with("node", "node-2")).await;
    limiter.settled().await;
    let run_id = |health: serde_json::Value| health["redis_run_id"].as_str().map(str::to_owned);
    let right = run_id(limiter.health("node-1").await.expect("it answers"));
    let wrong = run_id(limiter.health("node-2").await.expect("it answers"));
    assert!(right.is_some() && wrong.is_some() && right != wrong, "{right:?} {wrong:?}");
    let processes = |limiter: &Limiter| {
        let running = limiter.environment.status().processes.into_iter().filter(|p| p.report.status.running);
        running.map(|process| process.report.name).collect::<Vec<_>>()
    };
    assert!(processes(&limiter).contains(&"redis-other".to_owned()));
    limiter.clear().await;
    limiter.settled().await;
    assert_eq!(run_id(limiter.health("node-2").await.expect("it answers")), right);
    assert!(!processes(&limiter).contains(&"redis-other".to_owned()));
}

/// Twenty decisions of a node, one after the other: how long the slowest took.
async fn slowest(limiter: &Limiter, node: &str) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        limiter.check(node, "a").await.expect("a decision");
        slowest = slowest.max(begun.elapsed());
    }
    slowest
}

#[tokio::test]
async fn r14_one_node_lacks_processor_time_until_it_is_given_back() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    let request = FaultRequest::new("R14").with("node", "node-2");
    match limiter.environment.inject(&request).await {
        Ok(injected) => assert!(injected.what.starts_with("R14: "), "{injected:?}"),
        Err(error) => {
            // Control groups take root and a machine that has them: without, it is said, and nothing is left broken.
            assert!(error.to_string().contains("limit node-2's processor time"), "{error}");
            assert!(limiter.environment.status().open_faults.is_empty());
            return;
        }
    }
    let processes = || limiter.environment.status().processes.into_iter().map(|process| process.report);
    let running = || processes().filter(|one| one.name.starts_with("hog-") && one.status.running).count();
    assert!(running() > 0, "somebody burns");
    let group = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).expect("a running process");
    let node = processes().find(|one| one.name == "node-2").and_then(|one| one.pid).expect("it runs");
    assert!(group(node).contains("operator-lab-"), "{}", group(node));
    let slow = slowest(&limiter, "node-2").await;
    assert!(slow > Duration::from_millis(80), "it stands still for most of 120 ms: {slow:?}");
    limiter.clear().await;
    assert_eq!(running(), 0);
    assert!(!group(node).contains("operator-lab-"), "{}", group(node));
    eventually("node-2 is as fast as before", || async { (slowest(&limiter, "node-2").await < slow).then_some(()) })
        .await;
}
