//! The protocol's own checks, over a real Prometheus and a real Redis, and over a system of which nothing answers.

use std::sync::Arc;
use std::time::Duration;

use operator_protocols::Driver;
use operator_protocols::compliance::Compliance;

use crate::driver::Processes;
use crate::programs::{self, writes_of};
use crate::world::{SystemClock, made};

const EXAMPLES: [&str; 2] =
    [include_str!("../../../../docs/examples/prometheus.toml"), include_str!("../../../../docs/examples/redis.toml")];

/// Both examples of the documentation as one system, reached there.
fn both(prometheus: &str, redis: &str) -> String {
    let [first, second] = EXAMPLES;
    let second = second.replace("description = \"a Redis server\"", "");
    let link = "[[dependency]]\nfrom = \"prometheus\"\nto = \"redis\"\nkind = \"none\"\n";
    format!("{first}\n{second}\n{link}").replace("127.0.0.1:9090", prometheus).replace("127.0.0.1:6379", redis)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subject_keeps_the_protocols_obligations() {
    let (prometheus, redis) = tokio::join!(programs::prometheus(), programs::redis());
    let (alive, dead) = (both(&prometheus.address(), &redis.address()), both("127.0.0.1:1", "127.0.0.1:2"));
    let processes = Arc::new(Processes::running(&["prometheus", "redis"]));
    let driver = |processes: &Arc<Processes>| Some(Arc::clone(processes) as Arc<dyn Driver>);
    let (for_alive, for_dead) = (driver(&processes), driver(&processes));
    let redis = Arc::new(redis);
    let report = Compliance::new(Arc::new(SystemClock), move || {
        made(&alive, for_alive.clone()).unwrap_or_else(|error| panic!("{error}"))
    })
    .dead(move || made(&dead, for_dead.clone()).unwrap_or_else(|error| panic!("{error}")))
    .pause(|duration| Box::pin(tokio::time::sleep(duration)))
    .writes(move || {
        let (processes, redis) = (Arc::clone(&processes), Arc::clone(&redis));
        Box::pin(async move { processes.acts() + writes_of(&redis).await })
    })
    .interval(Duration::from_millis(300))
    .run()
    .await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|check| check.name).collect();
    // Nothing happens to a healthy system, and no action is keyed.
    assert_eq!(skipped, ["events.constant", "effects.fresh"], "{report}");
}
