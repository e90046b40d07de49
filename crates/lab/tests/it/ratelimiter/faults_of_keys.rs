use operator_lab::environment::FaultRequest;
use operator_lab::ratelimiter::RateLimiterConfig;

use super::limiter::Limiter;
use crate::fixture::eventually;

#[tokio::test]
async fn r11_entries_of_an_unknown_writer_are_counted_like_any_others() {
    let limiter = Limiter::with(|config| RateLimiterConfig { default_window_ms: 600_000, ..config }).await;
    limiter.settled().await;
    for _ in 0..7 {
        limiter.check("node-1", "a/b").await.expect("a decision");
    }
    let fault = FaultRequest::new("R11").with("key", "a/b").with("window_ms", 600_000_i64).with("entries", 40_i64);
    limiter.inject(fault).await;
    let counter = limiter.get("node-2", "/api/counters/a%2Fb?detail=true").await.expect("an answer");
    assert_eq!((&counter["count"], &counter["unparsable"]), (&47.into(), &0.into()), "{counter}");
    let writers: Vec<_> =
        counter["recorded"].as_array().expect("rows").iter().map(|row| row["writer"].to_string()).collect();
    assert!(writers.iter().any(|writer| writer.contains("unknown-client@outside")), "{writers:?}");
    assert_eq!(limiter.check("node-3", "a/b").await, Some((true, "redis".to_owned())), "the log is still right");
    limiter.clear().await;
    assert_eq!(limiter.get("node-2", "/api/counters/a%2Fb").await.expect("an answer")["count"], 0);
}

#[tokio::test]
async fn r11_into_a_counter_that_nobody_used_or_that_was_reset() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    let write = || FaultRequest::new("R11").with("key", "a").with("window_ms", 60_000_i64).with("entries", 3_i64);
    limiter.inject(write()).await;
    assert_eq!(limiter.get("node-1", "/api/counters/a").await.expect("an answer")["count"], 3);
    limiter.clear().await;
    limiter.inject(write().with("cost", 2_i64)).await;
    assert_eq!(limiter.get("node-1", "/api/counters/a").await.expect("an answer")["count"], 6, "after a reset");
    limiter.check("node-1", "a").await.expect("a decision");
    assert_eq!(limiter.get("node-1", "/api/counters/a").await.expect("an answer")["count"], 7);
    limiter.clear().await;
}

#[tokio::test]
async fn r12_a_limit_is_raised_and_put_back_unless_somebody_did_already() {
    let limits = [("gold".to_owned(), 50)].into();
    let limiter = Limiter::with(|config| RateLimiterConfig { limits, ..config }).await;
    let limit = async |key: &str| {
        let answer = limiter.get("node-1", &format!("/api/limits/{key}")).await.expect("an answer");
        answer["limit"].as_u64()
    };
    limiter.inject(FaultRequest::new("R12").with("key", "gold")).await;
    limiter.inject(FaultRequest::new("R12").with("key", "plain").with("factor", 20_i64)).await;
    assert_eq!((limit("gold").await, limit("plain").await), (Some(500), Some(2_000)));
    limiter.clear().await;
    assert_eq!((limit("gold").await, limit("plain").await), (Some(50), None));

    limiter.inject(FaultRequest::new("R12").with("key", "gold")).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let put = http.put(limiter.url("node-2", "/api/limits/gold")).json(&serde_json::json!({ "limit": 60 }));
    assert!(put.send().await.expect("an answer").status().is_success());
    limiter.clear().await;
    assert_eq!(limit("gold").await, Some(60), "what somebody decided meanwhile stays");
}

#[tokio::test]
async fn r13_one_tenant_is_refused_and_nothing_is_wrong() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(FaultRequest::new("R13").with("rate", 200_i64).with("for_s", 60_i64)).await;
    eventually("its limit is reached", || async {
        let counter = limiter.get("node-1", "/api/counters/tenant-1").await?;
        (counter["count"] == 100).then_some(())
    })
    .await;
    assert_eq!(limiter.check("node-2", "tenant-1").await, Some((false, "redis".to_owned())));
    limiter.clear().await;
    let burst = limiter.environment.supervisor().status("loadgen-burst").expect("declared");
    assert!(!burst.running);
}
