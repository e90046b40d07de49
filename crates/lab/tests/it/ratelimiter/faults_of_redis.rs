use operator_lab::environment::FaultRequest;

use super::limiter::Limiter;
use crate::fixture::eventually;

async fn redis(limiter: &Limiter) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(format!("redis://{}", limiter.environment.redis_address())).expect("an address");
    client.get_multiplexed_async_connection().await.expect("connected")
}

#[tokio::test]
async fn r3_writes_wait_and_readings_do_not() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    limiter.inject(FaultRequest::new("R3").with("for_ms", 120_000_i64)).await;
    for node in limiter.environment.config().node_names() {
        eventually("a decision without Redis", || async {
            (limiter.check(&node, "a").await?.1 == "degraded").then_some(())
        })
        .await;
        let health = limiter.health(&node).await.expect("it answers");
        assert_eq!(health["redis_connected"], true, "Redis still answers pings");
    }
    limiter.clear().await;
    limiter.settled().await;
}

#[tokio::test]
async fn r10_redis_throws_keys_away_until_it_may_keep_them() {
    let limiter = Limiter::start().await;
    limiter.settled().await;
    let mut connection = redis(&limiter).await;
    let mut load = redis::pipe();
    for n in 0..2_000 {
        load.cmd("SET").arg(format!("ballast-{n}")).arg("x".repeat(1_000)).ignore();
    }
    load.query_async::<()>(&mut connection).await.expect("ballast");
    limiter.inject(FaultRequest::new("R10").with("keep_percent", 50_i64)).await;
    let evicted = async |connection: &mut redis::aio::MultiplexedConnection| {
        let info: String = redis::cmd("INFO").arg("stats").query_async(connection).await.expect("INFO");
        let line = info.lines().find_map(|line| line.strip_prefix("evicted_keys:").map(str::to_owned));
        line.and_then(|count| count.trim().parse::<u64>().ok()).expect("a number")
    };
    eventually("keys are evicted", || {
        let mut connection = connection.clone();
        async move { (evicted(&mut connection).await > 500).then_some(()) }
    })
    .await;
    limiter.clear().await;
    let policy: Vec<String> =
        redis::cmd("CONFIG").arg("GET").arg("maxmemory").query_async(&mut connection).await.expect("CONFIG");
    assert_eq!(policy, ["maxmemory", "0"]);
}
